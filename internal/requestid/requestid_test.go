package requestid_test

import (
	"regexp"
	"testing"

	"github.com/catflap/catflap/internal/requestid"
)

func TestNew(t *testing.T) {
	form := regexp.MustCompile(`\A[A-Z2-7]{16}\z`)
	seen := map[string]bool{}
	for range 1000 {
		id := requestid.New()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%q, again: %v", id, seen[id])
		}
		seen[id] = true
	}
}
