// Package backoff says how long to wait before something that has failed is tried again.
//
// The rule it guards: what is down is left alone longer each time, up to a bound, and not
// by all who need it at one moment.
//
// It keeps nothing, starts no goroutine and does not wait.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Doubled is the pause after a failure, when so many came in a row before it: first, then
// twice as much each time, and never more than longest.
func Doubled(first, longest time.Duration, before int) time.Duration {
	pause := first
	for range before {
		if pause > longest/2 {
			return longest
		}
		pause *= 2
	}
	return min(pause, longest)
}

// Part is a random part of at most 1/n of d, so that many don't come at one time.
func Part(d time.Duration, n int) time.Duration {
	return rand.N(d/time.Duration(n) + 1) //nolint:gosec // no secret hangs on it
}
