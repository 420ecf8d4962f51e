package tokencache

import (
	"context"
	"time"
)

// Do verifies the token of k, once for all callers that ask at one time, and
// remembers the outcome. verify gets the ctx of the caller who runs it; when that
// one leaves, another of the callers runs its own verify, so nobody fails for
// somebody else. A caller whose ctx ends while it waits gets the error of its ctx.
func (c *Cache[E]) Do(ctx context.Context, k Key, now time.Time, verify func(context.Context) (E, error)) (E, error) {
	return c.flights.Do(ctx, k, func(ctx context.Context) (E, error) {
		// The caller's miss may be older than the end of the last flight.
		if e, err := c.Get(k, now); err != ErrMiss { //nolint:errorlint // Get returns it bare
			return e, err
		}
		generation := c.generation()
		e, err := verify(ctx)
		if err == nil || ctx.Err() == nil { // else it says nothing about the token
			c.remember(k, now, generation, e, err)
		}
		return e, err
	})
}
