package signin

import (
	"time"

	"github.com/catflap/catflap/internal/pace"
)

// Bounds hold what strangers can make Catflap and the providers do. Each address has a
// share, and there is one bound for all. What leads to a session, or is a provider's
// own logout, is given back: only what comes to nothing counts. They outlive a reload.
type Bounds struct {
	starts, callbacks, logouts *pace.Pace
	passwords                  *passwords
}

// NewBounds makes bounds that nobody has used yet.
func NewBounds(now func() time.Time) *Bounds {
	return &Bounds{
		starts:    pace.New(now, pace.Rate{Burst: 600, PerSecond: 10}, pace.Rate{Burst: 6000, PerSecond: 100}),
		callbacks: pace.New(now, pace.Rate{Burst: 60, PerSecond: 1}, pace.Rate{Burst: 600, PerSecond: 10}),
		logouts:   pace.New(now, pace.Rate{Burst: 60, PerSecond: 1}, pace.Rate{Burst: 600, PerSecond: 10}),
		passwords: newPasswords(now),
	}
}
