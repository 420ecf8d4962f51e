package builtin_test

import (
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/builtin"
)

// TestEachTypeSaysWhetherItTakesBearers: a type that is silent could stand where no token
// ever reaches it, and the check would not say so.
func TestEachTypeSaysWhetherItTakesBearers(t *testing.T) {
	for name, empty := range builtin.Registry() {
		taker, ok := empty().(authhandlers.BearerTaker)
		if !ok {
			t.Errorf("%s is no authhandlers.BearerTaker", name)
			continue
		}
		if all := taker.TakesAllBearers(); all && !taker.TakesBearers() {
			t.Errorf("%s takes all bearer tokens and none", name)
		}
	}
}
