package spelling_test

import (
	"testing"

	"github.com/catflap/catflap/internal/spelling"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"run", "", 3},
		{"run", "run", 0},
		{"run", "runs", 1},         // one added
		{"listen", "lisen", 1},     // one dropped
		{"check", "chick", 1},      // one changed
		{"check", "chekc", 1},      // two swapped
		{"run", "rnu", 1},          // two swapped at the end
		{"handlers", "hadnlre", 3}, // swapped, swapped, dropped
		{"ca", "abc", 3},           // no letter is moved twice
		{"version", "provision", 5},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := spelling.Distance(pair[0], pair[1]); got != c.want {
				t.Errorf("%q to %q: %d, want %d", pair[0], pair[1], got, c.want)
			}
		}
	}
}
