// Package refresh fetches something in the background, again and again.
//
// The rule it guards: there is never a second fetch beside the first, and nobody fetches
// under a lock. Who needs a fetch waits for the round that is under way; everybody else
// goes on with what is there. What fails is fetched again after a pause that grows, so
// that nobody outside can have it fetched more often than that.
//
// [Loop.Start] runs one goroutine, which alone fetches and ends with its context. A Loop
// has one lock, held for no longer than it takes to read or set a few fields; the fetch
// runs without it. A caller may hold a lock of its own around any method but [Loop.Wait].
package refresh

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/backoff"
)

const (
	// The pause after a fetch that failed grows from the first to the second, and by up
	// to a quarter of itself, at random.
	firstPause, longestPause = time.Second, time.Minute
	// watch is how often, at least, the clock is looked at while nobody asks.
	watch = time.Minute
)

// ErrEnded says that nothing is fetched any more.
var ErrEnded = errors.New("shutting down")

// Options are what is fetched, and when.
type Options struct {
	// Lifetime is the age at which it is fetched again, or up to a quarter sooner, at
	// random: the lifetime is a promise.
	Lifetime time.Duration
	// Now is the clock.
	Now func() time.Time
	// Fetch fetches, and keeps what has come. What it returns, if not nil, is called when
	// the round has ended. A fetch that fails because its context has ended ends no round.
	Fetch func(context.Context) (ended func(), err error)
}

// Loop is used by many goroutines at once.
type Loop struct {
	o    Options
	kick chan struct{}
	over <-chan struct{} // the end of the loop's own life
	due  atomic.Int64    // Unix nanoseconds at which it is to be fetched again

	mu       sync.Mutex
	round    *Round
	failures int
	reason   error // why the last fetch failed
}

// Round is one fetch, wanted or under way.
type Round struct{ done chan struct{} }

// New makes a loop that [Loop.Start] has to start before anything else is called.
func New(o Options) *Loop { return &Loop{o: o, kick: make(chan struct{}, 1)} }

// Start fetches for the first time, and then until ctx ends. It does not wait.
func (l *Loop) Start(ctx context.Context) {
	l.over = ctx.Done()
	l.Begin()
	go l.run(ctx)
}

// Poll has it fetched in the background when that is due.
func (l *Loop) Poll(now time.Time) {
	if now.UnixNano() < l.due.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.UnixNano() >= l.due.Load() {
		l.begin()
	}
}

// Begin returns the round that is under way, or a new one (own), due or not: how often
// that may be is for the caller to bound.
func (l *Loop) Begin() (r *Round, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begin()
}

// begin is Begin in a locked Loop.
func (l *Loop) begin() (r *Round, own bool) {
	if l.round != nil {
		return l.round, false
	}
	l.round = &Round{done: make(chan struct{})}
	l.kick <- struct{}{} // never blocks: one round, one kick
	return l.round, true
}

// UnderWay returns the round that is under way, or nil.
func (l *Loop) UnderWay() *Round {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.round
}

// Wait waits for the end of a round. The error is ctx's, or ErrEnded.
func (l *Loop) Wait(ctx context.Context, r *Round) error {
	select {
	case <-r.done:
		return nil
	case <-l.over:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Reason says why the last fetch failed. It is nil after a good one, and before the first.
func (l *Loop) Reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}

// run fetches when it is asked to, and looks at the clock when nobody asks.
func (l *Loop) run(ctx context.Context) {
	timer := time.NewTimer(watch)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			l.Poll(l.o.Now())
		case <-l.kick:
			ended, err := l.o.Fetch(ctx)
			if ctx.Err() != nil {
				return // that it failed is our doing, and who waits sees the end too
			}
			l.end(err)
			if ended != nil {
				ended()
			}
		}
		pause := time.Duration(l.due.Load() - l.o.Now().UnixNano())
		timer.Reset(min(max(pause, firstPause), watch))
	}
}

// end ends the round under way, and says when the next one is due.
func (l *Loop) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Sooner rather than later: the lifetime is a promise. A pause is none.
	pause := l.o.Lifetime - backoff.Part(l.o.Lifetime, 4)
	if err != nil {
		pause = backoff.Doubled(firstPause, longestPause, l.failures)
		pause += backoff.Part(pause, 4)
		l.failures++
	} else {
		l.failures = 0
	}
	l.due.Store(l.o.Now().Add(pause).UnixNano())
	l.reason = err
	close(l.round.done)
	l.round = nil
}
