package authhandlers_test

import (
	"fmt"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// reading is a configuration that names what its handler reads.
type reading struct{ authhandlers.Config }

func (reading) CarriedBy() (headers, cookies []string) {
	return []string{"X-Edge-Token"}, []string{"edge"}
}

func TestCarried(t *testing.T) {
	l := authhandlers.Link{Name: "edge"}.Carried(reading{})
	if got := fmt.Sprint(l.Name, l.Headers, l.Cookies); got != "edge[X-Edge-Token] [edge]" {
		t.Error(got)
	}
	var silent authhandlers.Config
	if l := (authhandlers.Link{}).Carried(silent); l.Headers != nil || l.Cookies != nil {
		t.Errorf("%+v", l)
	}
}
