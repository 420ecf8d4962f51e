package tokencache

import (
	"context"
	"time"
)

// flight is one verification under way.
type flight[E Entry] struct {
	done chan struct{}
	// The outcome, once done is closed. An abandoned flight has none: the one who
	// led it left, or panicked, and that says nothing about the token.
	entry     E
	err       error
	abandoned bool
}

// Do verifies the token of k, once for all callers that ask at one time, and
// remembers the outcome. verify gets the ctx of the caller who runs it; when that
// one leaves, another of the callers runs its own verify, so nobody fails for
// somebody else. A caller whose ctx ends while it waits gets the error of its ctx.
func (c *Cache[E]) Do(ctx context.Context, k Key, now time.Time, verify func(context.Context) (E, error)) (E, error) {
	for {
		c.mu.Lock()
		f, under := c.flights[k]
		if !under {
			f = &flight[E]{done: make(chan struct{}), abandoned: true}
			c.flights[k] = f
		}
		c.mu.Unlock()
		if !under {
			return c.lead(ctx, k, now, f, verify)
		}
		select {
		case <-f.done:
			if !f.abandoned {
				return f.entry, f.err
			}
		case <-ctx.Done():
			var none E
			return none, ctx.Err()
		}
	}
}

func (c *Cache[E]) lead(
	ctx context.Context, k Key, now time.Time, f *flight[E], verify func(context.Context) (E, error),
) (E, error) {
	defer func() { // also when verify panics
		c.mu.Lock()
		delete(c.flights, k)
		c.mu.Unlock()
		close(f.done)
	}()
	// The caller's miss may be older than the end of the last flight.
	if e, err := c.Get(k, now); err != ErrMiss { //nolint:errorlint // Get returns it bare
		f.entry, f.err, f.abandoned = e, err, false
		return e, err
	}
	generation := c.generation()
	e, err := verify(ctx)
	f.entry, f.err = e, err
	f.abandoned = err != nil && ctx.Err() != nil
	if !f.abandoned {
		c.remember(k, now, generation, e, err)
	}
	return e, err
}
