package config

import (
	"strings"

	"github.com/catflap/catflap/internal/spelling"
)

// closest returns the known name that was probably meant by a mistyped one, or "".
func closest(name string, known []string) string {
	const shortest, longest = 3, 64 // shorter ones are similar to anything, longer ones are no typing errors
	if len(name) < shortest || len(name) > longest {
		return ""
	}
	best, least := "", 1+max(1, len(name)/4)
	for _, k := range known {
		if strings.EqualFold(name, k) {
			return k
		}
		if d := spelling.Distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// didYouMean is the hint for a mistyped name: the one that was probably meant, or
// else all that may stand there.
func didYouMean(name, what string, known []string) string {
	if c := closest(name, known); c != "" {
		return "did you mean " + c + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return what + ": " + strings.Join(known, ", ")
}
