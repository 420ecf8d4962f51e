package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lifetime is the age at which the document is fetched again.
	lifetime = time.Hour
	// The pause after a fetch that failed grows from the first to the second.
	firstPause, longestPause = time.Second, time.Minute
	// watch is how often, at least, the clock is looked at while nobody asks.
	watch = time.Minute
)

// errUnavailable is wrapped by the error for a provider that has never been reached.
var errUnavailable = errors.New("the provider's discovery document is not available")

// discovery keeps the provider's document. One goroutine does all the fetching;
// whoever needs the first document waits for the round that is under way, everybody
// else goes on with the last good one.
//
// go-oidc's own NewProvider asks once, reads without a bound, and fetches keys by
// itself; what is fetched here must be bounded, kept, and fetched again.
type discovery struct {
	issuer  string
	way     *detour
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	observe func(string)
	ring    *ring

	current atomic.Pointer[metadata]
	due     atomic.Int64 // Unix nanoseconds
	kick    chan struct{}
	closed  <-chan struct{}

	mu       sync.Mutex
	round    chan struct{} // closed when the fetch under way has ended; nil without one
	failures int
	reason   error // why the last fetch failed
}

// start fetches for the first time, and then until ctx ends.
func (d *discovery) start(ctx context.Context) {
	d.kick, d.closed = make(chan struct{}, 1), ctx.Done()
	d.begin()
	go d.run(ctx)
}

// poll starts a round in the background when one is due.
func (d *discovery) poll(now time.Time) {
	if now.UnixNano() < d.due.Load() {
		return
	}
	d.begin()
}

func (d *discovery) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.round == nil && d.now().UnixNano() >= d.due.Load() {
		d.round = make(chan struct{})
		d.kick <- struct{}{} // never blocks: one round, one kick
	}
}

// document returns the last good document. Without one it waits for the fetch under
// way, as long as ctx lasts.
func (d *discovery) document(ctx context.Context) (*metadata, error) {
	d.poll(d.now())
	if m := d.current.Load(); m != nil {
		return m, nil
	}
	d.mu.Lock()
	round := d.round
	d.mu.Unlock()
	if round != nil {
		select {
		case <-round:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-d.closed:
			return nil, fmt.Errorf("%w: shutting down", errUnavailable)
		}
	}
	if m := d.current.Load(); m != nil {
		return m, nil
	}
	return nil, d.unavailable()
}

func (d *discovery) unavailable() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reason != nil {
		return fmt.Errorf("%w: %w", errUnavailable, d.reason)
	}
	return fmt.Errorf("%w yet", errUnavailable)
}

// run fetches when it is asked to, and looks at the clock when nobody asks.
func (d *discovery) run(ctx context.Context) {
	timer := time.NewTimer(watch)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			d.poll(d.now())
		case <-d.kick:
			m, err := d.get(ctx)
			if ctx.Err() != nil {
				return // that it failed is our doing, and who waits sees the end too
			}
			if err == nil {
				err = d.ring.follow(ctx, m.keys)
			}
			d.finish(m, err)
		}
		pause := time.Duration(d.due.Load() - d.now().UnixNano())
		timer.Reset(min(max(pause, firstPause), watch))
	}
}

func (d *discovery) get(ctx context.Context) (*metadata, error) {
	o, err := getObject(ctx, d.client, d.way.document(d.issuer), "")
	if err != nil {
		return nil, err
	}
	m, err := readMetadata(d.issuer, d.way, o)
	if err != nil {
		return nil, setup("%w", err)
	}
	return m, nil
}

// finish takes what the round brought, and ends it. The keys were followed before,
// so that whoever has the document has keys to wait for.
func (d *discovery) finish(m *metadata, err error) {
	old := d.current.Load()
	isNew := err == nil && (old == nil || *old != *m)
	if isNew {
		d.current.Store(m)
	}
	d.end(err)
	switch {
	case errors.Is(err, context.Canceled):
		d.log.Debug("the fetch of the discovery document was ended", "issuer", d.issuer) // its owner has
		return
	case err != nil:
		d.observe("discovery_failed")
		d.log.Warn("the provider's discovery document can't be used", "issuer", d.issuer, "last_good_kept", old != nil, "error", err)
		return
	case isNew:
		d.observe("discovery_changed")
		d.log.Info("the provider's discovery document is new", "issuer", d.issuer)
	}
	d.observe("discovery_fetched")
}

// end ends the round under way, and says when the next one is due.
func (d *discovery) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	pause := lifetime - upToQuarter(lifetime)
	if err != nil {
		pause = min(firstPause<<min(d.failures, 10), longestPause)
		pause += upToQuarter(pause)
		d.failures++
	} else {
		d.failures = 0
	}
	d.due.Store(d.now().Add(pause).UnixNano())
	d.reason = err
	close(d.round)
	d.round = nil
}

// upToQuarter returns up to a quarter of t, at random, so that many of us don't ask at one time.
func upToQuarter(t time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(t)/4 + 1)) //nolint:gosec // no secret hangs on it
}
