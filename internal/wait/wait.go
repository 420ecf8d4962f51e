// Package wait waits for a time, unless something ends the wait before.
//
// The rule it guards: a wait never outlasts the context it is for. A caller learns
// whether the context has ended, and does nothing more then.
//
// It starts no goroutine and holds no lock. The caller is blocked, so it must hold none
// that somebody else needs.
package wait

import (
	"context"
	"time"
)

// For waits for d. The error is that of ctx, if ctx has ended first.
func For(ctx context.Context, d time.Duration) error { return Or(ctx, d, nil) }

// Or waits for d, or until early has something to receive or is closed. The error is that
// of ctx, if ctx has ended first. A nil channel never ends the wait.
func Or(ctx context.Context, d time.Duration, early <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-early:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
