package keyset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// rememberedIDs bounds the unknown key ids that are remembered.
	rememberedIDs = 1000
	// The pause after a fetch that failed grows from the first to the second.
	firstPause, longestPause = time.Second, time.Minute
	// watch is how often, at least, the clock is looked at while nobody asks.
	watch = time.Minute
)

// remote fetches keys from an address. One goroutine does all the fetching, so
// that there is never a second fetch beside it and nobody fetches under a lock:
// whoever needs one waits for the round that is under way, everybody else goes on
// with the keys that are there.
type remote struct {
	set     *Set
	fetch   fetcher
	log     *slog.Logger
	observe func(string)
	o       Options
	kick    chan struct{}
	done    <-chan struct{} // the end of the set's own life

	due atomic.Int64 // Unix nanoseconds at which the keys are to be fetched again

	mu       sync.Mutex
	round    *round
	reopens  time.Time // no unknown key id causes a fetch before
	failures int
	reason   error  // why the last fetch failed
	told     string // of odd keys; the one goroutine's alone
	unknown  *lru.Cache[string, suspicion]
}

// round is one fetch, wanted or under way.
type round struct{ done chan struct{} }

// suspicion is a key id that was looked for in vain. Each further time doubles
// the wait, so that one broken client does not spend every cool-down while real
// keys come and go.
type suspicion struct {
	until time.Time
	wait  time.Duration
}

// OpenURL returns the set of the key set document at an address: https, or http
// on the loopback interface. It does not wait for the first fetch, and that it
// fails is no error: the set is then not ready, and tries again. The fetching ends
// with ctx.
func OpenURL(ctx context.Context, address string, o Options) (*Set, error) {
	o.complete()
	f, err := newFetcher(address, o.HTTP, o.Timeout)
	if err != nil {
		return nil, err
	}
	unknown, err := lru.New[string, suspicion](rememberedIDs)
	if err != nil {
		return nil, err
	}
	s := &Set{allowed: o.Algorithms, now: o.Now}
	r := &remote{
		set: s, fetch: f, o: o, observe: o.Observe, unknown: unknown,
		log:  o.Log.With("keys_from", f.host()),
		kick: make(chan struct{}, 1), done: ctx.Done(),
	}
	s.source = r
	r.mu.Lock()
	r.begin()
	r.mu.Unlock()
	go r.run(ctx)
	return s, nil
}

// poll starts a round in the background when the keys have reached their age.
func (r *remote) poll(now time.Time) {
	if now.UnixNano() < r.due.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.UnixNano() >= r.due.Load() {
		r.begin()
	}
}

// begin returns the round under way, or has one started. It needs r.mu.
func (r *remote) begin() *round {
	if r.round == nil {
		r.round = &round{done: make(chan struct{})}
		r.kick <- struct{}{} // never blocks: one round, one kick
	}
	return r.round
}

// find waits for a fetch that may bring the key, if one is under way or allowed.
func (r *remote) find(ctx context.Context, kid, algorithm string) ([]*Key, error) {
	for {
		rd, own := r.join(kid)
		if rd == nil {
			break
		}
		select {
		case <-rd.done:
		case <-r.done:
			return nil, fmt.Errorf("%w: shutting down", ErrUnavailable)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		k, settled, err := r.set.look(kid, algorithm)
		if settled {
			return k, err
		}
		if own {
			if errors.Is(err, ErrUnknownKey) {
				r.suspect(strings.Clone(kid)) // not the whole token with it
			}
			break
		}
		// That round may have asked before the issuer had the key.
	}
	k, _, err := r.set.look(kid, algorithm)
	return k, err
}

// join returns the round to wait for: one that is under way, or a new one (own)
// if the cool-down and the id's own record allow it, or nil.
func (r *remote) join(kid string) (rd *round, own bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.round != nil {
		return r.round, false
	}
	now := r.o.Now()
	if r.set.keys.Load() == nil || now.Before(r.reopens) {
		return nil, false
	}
	if s, ok := r.unknown.Get(kid); ok && now.Before(s.until) {
		return nil, false
	}
	r.reopens = now.Add(r.o.Cooldown + upToQuarter(r.o.Cooldown))
	return r.begin(), true
}

func (r *remote) suspect(kid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.unknown.Get(kid)
	s.wait = min(2*s.wait, max(r.o.Lifetime, r.o.Cooldown))
	if !ok {
		s.wait = r.o.Cooldown
	}
	s.until = r.o.Now().Add(s.wait)
	r.unknown.Add(kid, s)
}

// upToQuarter returns up to a quarter of d, at random, so that many of us don't ask at one time.
func upToQuarter(d time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(d)/4 + 1)) //nolint:gosec // no secret hangs on it
}

// run fetches when it is asked to, and looks at the clock when nobody asks.
func (r *remote) run(ctx context.Context) {
	timer := time.NewTimer(watch)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			r.poll(r.o.Now())
		case <-r.kick:
			r.finish(r.fetch.get(ctx, r.o.Algorithms))
		}
		pause := time.Duration(r.due.Load() - r.o.Now().UnixNano())
		timer.Reset(min(max(pause, firstPause), watch))
	}
}

// finish takes what the round brought, and ends it.
func (r *remote) finish(d *Document, err error) {
	now := r.o.Now()
	if errors.Is(err, context.Canceled) {
		// Its owner has ended, or has never begun: the keys are not to blame.
		r.log.Debug("the fetch of the keys was ended")
	} else if err != nil {
		r.observe("keys_fetch_failed")
		r.log.Warn("the keys can't be fetched", "error", err)
	} else {
		r.observe("keys_fetched")
		r.report(d)
		if r.set.adopt(d, now.Add(r.o.StaleIfError).UnixNano()) {
			r.observe("keys_changed")
			r.log.Info("the keys have changed", "keys", len(d.Keys))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Sooner rather than later: the lifetime is a promise. A pause is none.
	pause := r.o.Lifetime - upToQuarter(r.o.Lifetime)
	if err != nil {
		pause = min(firstPause<<min(r.failures, 10), longestPause)
		pause += upToQuarter(pause)
		r.failures++
	} else {
		r.failures = 0
	}
	r.due.Store(now.Add(pause).UnixNano())
	r.reason = err
	close(r.round.done)
	r.round = nil
}

// report tells of a document's oddities, once until they change.
func (r *remote) report(d *Document) {
	if odd := d.oddities(); odd != r.told {
		r.told = odd
		d.report(r.log)
	}
}

func (r *remote) ready() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, r.reason)
	}
	return fmt.Errorf("%w yet", ErrUnavailable)
}

// SameHost is the client, but it stays at the host that it was sent to: what the
// issuer's host has not said itself is not believed, and what was for it alone (a
// client secret, a code) goes nowhere else.
func SameHost(c *http.Client) *http.Client {
	own := *c
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		if req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
			return errRedirect
		}
		if len(via) > 3 {
			return errRedirects
		}
		return nil
	}
	return &own
}
