package oidc

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/keyset"
)

// ring is the provider's keys, wherever the discovery document says that they are.
// When it names another place, the old keys serve until the new ones have come, and
// are then gone, with everything that they vouched for.
type ring struct {
	options   keyset.Options
	discovery *discovery

	current atomic.Pointer[place]

	mu   sync.Mutex
	next *place // named, but without keys yet
}

// place is one address of keys.
type place struct {
	address string
	set     *keyset.Set
	before  uint64 // what the generations of the places before it add up to
	end     context.CancelFunc
}

// follow goes to the address, unless it is there already.
func (r *ring) follow(ctx context.Context, address string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.current.Load()
	switch {
	case r.next != nil && r.next.address == address:
		return nil
	case now != nil && now.address == address:
		r.drop()
		return nil
	}
	ctx, end := context.WithCancel(ctx)
	p := &place{address: address, end: end}
	o := r.options
	o.Observe = func(event string) {
		r.options.Observe(event)
		if event == "keys_changed" {
			r.arrive(p)
		}
	}
	set, err := keyset.OpenURL(ctx, address, o)
	if err != nil {
		end()
		return err
	}
	p.set = set
	r.drop()
	if now == nil {
		r.current.Store(p)
	} else {
		r.next = p
	}
	return nil
}

// drop gives up the place that has not become the current one. It needs r.mu.
func (r *ring) drop() {
	if r.next != nil {
		r.next.end()
		r.next = nil
	}
}

// arrive makes the next place the current one, now that it has keys.
func (r *ring) arrive(p *place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != p || p.set.Ready() != nil {
		return
	}
	old := r.current.Load()
	p.before = old.before + old.set.Generation() + 1
	r.next = nil
	r.current.Store(p)
	old.end()
	old.set.Retire()
}

// Poll looks whether the document or the keys are due.
func (r *ring) Poll(now time.Time) {
	r.discovery.poll(now)
	if p := r.current.Load(); p != nil {
		p.set.Poll(now)
	}
}

// Find returns the keys that a token names; see keyset.Set.
func (r *ring) Find(ctx context.Context, kid, algorithm string) ([]*keyset.Key, error) {
	if r.current.Load() == nil {
		if _, err := r.discovery.document(ctx); err != nil {
			return nil, err
		}
	}
	for {
		p := r.current.Load()
		k, err := p.set.Find(ctx, kid, algorithm)
		if err == nil || r.current.Load() == p {
			return k, err
		}
		// The place was given up while we looked there.
	}
}

// Present is Find among the keys that are there; see keyset.Set.
func (r *ring) Present(kid, algorithm string) ([]*keyset.Key, error) {
	if p := r.current.Load(); p != nil {
		return p.set.Present(kid, algorithm)
	}
	return nil, r.discovery.unavailable()
}

// Generation changes whenever the keys do.
func (r *ring) Generation() uint64 {
	if p := r.current.Load(); p != nil {
		return p.before + p.set.Generation()
	}
	return 0
}

// Ready reports that the document or the keys are not there.
func (r *ring) Ready() error {
	if p := r.current.Load(); p != nil {
		return p.set.Ready()
	}
	return r.discovery.unavailable()
}
