// Package flight does a thing once for all who want it at one time.
//
// The rule it guards: nobody fails because somebody else has left. Either the one who
// leads works under its own context, and another leads when it goes ([Group.Do]); or the
// work belongs to nobody who waits, and runs in a goroutine of the owner's ([Group.Join],
// [Group.Land]). Who waits can leave at any time.
//
// golang.org/x/sync/singleflight has no such rule: the waiters share the context of the
// first, none of them can leave its Do, and a panic under its DoChan ends the process.
//
// It starts no goroutine. A Group has one lock, held to look a key up and no longer; the
// work runs without it. Wait and Do block the caller.
package flight

import (
	"context"
	"errors"
	"sync"
)

// errAbandoned is the outcome of a flight whose leader has left, or has panicked, which
// says nothing about the thing.
var errAbandoned = errors.New("flight: its leader has left")

// Group has one flight at most for each key. The zero value has none.
type Group[K comparable, V any] struct {
	mu    sync.Mutex
	under map[K]*Flight[V]
}

// Flight is one piece of work under way.
type Flight[V any] struct {
	done chan struct{}
	// The outcome, once done is closed.
	value V
	err   error
}

// Do works once for all callers that ask for the key at one time. work gets the ctx of
// the caller who runs it; when that one leaves, another of the callers runs its own. A
// caller whose ctx ends while it waits gets the error of its ctx.
func (g *Group[K, V]) Do(ctx context.Context, k K, work func(context.Context) (V, error)) (V, error) {
	for {
		f, lead := g.Join(k)
		if lead {
			return g.lead(ctx, k, f, work)
		}
		if v, err := f.Wait(ctx); err != errAbandoned { //nolint:errorlint // it is told bare, and never to others
			return v, err
		}
	}
}

func (g *Group[K, V]) lead(ctx context.Context, k K, f *Flight[V], work func(context.Context) (V, error)) (v V, err error) {
	var told V
	reason := errAbandoned
	defer func() { g.Land(k, f, told, reason) }() // also when work panics
	v, err = work(ctx)
	if err == nil || ctx.Err() == nil {
		told, reason = v, err
	}
	return v, err
}

// Join returns the flight of the key that is under way, or a new one (own). Who gets a
// new one has to see to the work, and must call Land when it is over.
func (g *Group[K, V]) Join(k K) (f *Flight[V], own bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.under[k]; f != nil {
		return f, false
	}
	if g.under == nil {
		g.under = map[K]*Flight[V]{}
	}
	f = &Flight[V]{done: make(chan struct{})}
	g.under[k] = f
	return f, true
}

// UnderWay returns the flight of the key that is under way, or nil.
func (g *Group[K, V]) UnderWay(k K) *Flight[V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.under[k]
}

// Land ends a flight, and tells the outcome to all who wait.
func (g *Group[K, V]) Land(k K, f *Flight[V], v V, err error) {
	g.mu.Lock()
	delete(g.under, k)
	g.mu.Unlock()
	f.value, f.err = v, err
	close(f.done)
}

// Wait returns the outcome, or the error of ctx if that ends first.
func (f *Flight[V]) Wait(ctx context.Context) (V, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// Done is closed when the flight has landed.
func (f *Flight[V]) Done() <-chan struct{} { return f.done }

// Err is the error of the outcome. It is not to be read before Done is closed.
func (f *Flight[V]) Err() error { return f.err }
