package config

import "strings"

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
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
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

// distance counts the letters to add, drop, change or swap between two names
// (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
