package keyset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/internal/backoff"
	"github.com/catflap/catflap/internal/refresh"
)

// rememberedIDs bounds the unknown key ids that are remembered.
const rememberedIDs = 1000

// remote fetches keys from an address. Who needs a fetch waits for the round that is
// under way, everybody else goes on with the keys that are there.
type remote struct {
	set     *Set
	fetch   fetcher
	log     *slog.Logger
	observe func(string)
	o       Options
	loop    *refresh.Loop
	told    string // of odd keys; the loop's alone

	mu      sync.Mutex // before the loop's own
	reopens time.Time  // no unknown key id causes a fetch before
	unknown *lru.Cache[string, suspicion]
}

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
		log: o.Log.With("keys_from", f.host()),
	}
	r.loop = refresh.New(refresh.Options{Lifetime: o.Lifetime, Now: o.Now, Fetch: r.get})
	s.source = r
	r.loop.Start(ctx)
	return s, nil
}

// poll starts a round in the background when the keys have reached their age.
func (r *remote) poll(now time.Time) { r.loop.Poll(now) }

// find waits for a fetch that may bring the key, if one is under way or allowed.
func (r *remote) find(ctx context.Context, kid, algorithm string) ([]*Key, error) {
	for {
		rd, own := r.join(kid)
		if rd == nil {
			break
		}
		err := r.loop.Wait(ctx, rd)
		if errors.Is(err, refresh.ErrEnded) {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if err != nil {
			return nil, err
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
func (r *remote) join(kid string) (rd *refresh.Round, own bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rd := r.loop.UnderWay(); rd != nil {
		return rd, false
	}
	now := r.o.Now()
	if r.set.keys.Load() == nil || now.Before(r.reopens) {
		return nil, false
	}
	if s, ok := r.unknown.Get(kid); ok && now.Before(s.until) {
		return nil, false
	}
	if rd, own = r.loop.Begin(); own {
		r.reopens = now.Add(r.o.Cooldown + backoff.Part(r.o.Cooldown, 4))
	}
	return rd, own
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

// get fetches the keys, and keeps them.
func (r *remote) get(ctx context.Context) (ended func(), err error) {
	d, err := r.fetch.get(ctx, r.o.Algorithms)
	switch {
	case errors.Is(err, context.Canceled):
		// Its owner has ended, or has never begun: the keys are not to blame.
		r.log.Debug("the fetch of the keys was ended")
		return nil, err
	case err != nil:
		return func() {
			r.observe("keys_fetch_failed")
			r.log.Warn("the keys can't be fetched", "error", err)
		}, err
	}
	changed := r.set.adopt(d, r.o.Now().Add(r.o.StaleIfError).UnixNano())
	return func() {
		r.observe("keys_fetched")
		r.report(d)
		if changed {
			r.observe("keys_changed")
			r.log.Info("the keys have changed", "keys", len(d.Keys))
		}
	}, nil
}

// report tells of a document's oddities, once until they change.
func (r *remote) report(d *Document) {
	if odd := d.oddities(); odd != r.told {
		r.told = odd
		d.report(r.log)
	}
}

func (r *remote) ready() error {
	if reason := r.loop.Reason(); reason != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, reason)
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
