package pace

import (
	"math"
	"time"
)

// Rate is how many may come at once, and how many each second in the long run.
type Rate struct{ Burst, PerSecond float64 }

// Bucket is how much of a rate is used up, as of a moment. The zero value is of a rate
// that nobody has used yet. Its owner guards it.
type Bucket struct {
	used float64
	at   time.Time
}

// Take counts one, or returns the seconds until there is room for one more.
func (b *Bucket) Take(r Rate, now time.Time) (wait int) {
	if wait = b.wait(r, now); wait == 0 {
		b.used++
	}
	return wait
}

// Count counts one whether there is room for it or not, and returns how much is used up.
func (b *Bucket) Count(r Rate, now time.Time) (used float64) {
	b.drain(r, now)
	b.used++
	return b.used
}

// wait drains the bucket, and returns the seconds until there is room for one more.
func (b *Bucket) wait(r Rate, now time.Time) int {
	b.drain(r, now)
	if b.used+1 <= r.Burst {
		return 0
	}
	return max(1, int(math.Ceil((b.used+1-r.Burst)/r.PerSecond)))
}

func (b *Bucket) drain(r Rate, now time.Time) {
	b.used = max(0, b.used-r.PerSecond*max(0, now.Sub(b.at).Seconds()))
	b.at = now
}
