package authtest

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that only a test moves. It is used by many goroutines at once.
type Clock struct{ now atomic.Int64 }

// NewClock returns a clock that stands at the present second.
func NewClock() *Clock {
	c := &Clock{}
	c.Set(time.Now().Truncate(time.Second))
	return c
}

// Now is what Env.Now takes.
func (c *Clock) Now() time.Time { return time.Unix(0, c.now.Load()) }

// Set moves the clock to t.
func (c *Clock) Set(t time.Time) { c.now.Store(t.UnixNano()) }

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) { c.now.Add(int64(d)) }
