package cli

import "testing"

func TestSimilar(t *testing.T) {
	for _, c := range []struct {
		typed, name string
		want        bool
	}{
		{"run", "run", true},
		{"--run", "run", true},
		{"RUN", "run", true},
		{"rnu", "run", true}, // two letters swapped are one slip
		{"chek", "check", true},
		{"checks", "check", true},
		{"chcekk", "check", true},
		{"ver", "version", true},
		{"r", "run", false},
		{"serve", "run", false},
		{"runrunrun", "run", false},
		{"hlae", "health", false},
	} {
		if got := similar(c.typed, c.name); got != c.want {
			t.Errorf("%q for %q: %v", c.typed, c.name, got)
		}
	}
}
