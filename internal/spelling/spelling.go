// Package spelling measures how far a mistyped name is from a known one.
//
// The rule it guards: the configuration and the command line count the same slips, so
// that a hint of one is a hint of the other. How near is near enough, each says itself.
//
// It keeps nothing, and starts no goroutine.
package spelling

// Distance counts the letters to add, drop, change or swap between two names (optimal
// string alignment). It takes time for len(a)*len(b): a caller bounds a stranger's text.
func Distance(a, b string) int {
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
