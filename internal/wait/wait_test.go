package wait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catflap/catflap/internal/wait"
)

func TestOr(t *testing.T) {
	silent := func() <-chan struct{} { return make(chan struct{}) }
	closed := func() <-chan struct{} { c := make(chan struct{}); close(c); return c }
	kicked := func() <-chan struct{} { c := make(chan struct{}, 1); c <- struct{}{}; return c }
	none := func() <-chan struct{} { return nil }
	for _, c := range []struct {
		name  string
		d     time.Duration
		ends  time.Duration // when the context does
		early func() <-chan struct{}
		took  time.Duration
		err   error
	}{
		{"the time", time.Minute, time.Hour, none, time.Minute, nil},
		{"no time", 0, time.Hour, none, 0, nil},
		{"less than no time", -time.Minute, time.Hour, none, 0, nil},
		{"the context", time.Hour, time.Minute, none, time.Minute, context.DeadlineExceeded},
		{"a closed channel", time.Hour, time.Minute, closed, 0, nil},
		{"a kick", time.Hour, time.Minute, kicked, 0, nil},
		{"the time before a kick", time.Minute, time.Hour, silent, time.Minute, nil},
		{"the context before a kick", time.Hour, time.Minute, silent, time.Minute, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.ends)
				defer cancel()
				start := time.Now()
				err := wait.Or(ctx, c.d, c.early())
				if took := time.Since(start); took != c.took || !errors.Is(err, c.err) {
					t.Errorf("%v after %v, want %v after %v", err, took, c.err, c.took)
				}
			})
		})
	}
}

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		if err := wait.For(ctx, time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		cancel()
		if err := wait.For(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context: %v", err)
		}
	})
}
