package authhandlers_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

func TestGateBoundsWhatRuns(t *testing.T) {
	const slots = 3
	g := authhandlers.NewGate(slots, 1000, time.Minute)
	var running, most, done atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			err := g.Do(t.Context(), func() {
				n := running.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				runtime.Gosched()
				running.Add(-1)
				done.Add(1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 100 || most.Load() > slots {
		t.Errorf("%d done, %d at one time; %d are allowed", done.Load(), most.Load(), slots)
	}
}

// hold occupies the only slot of a gate until the returned func is called.
func hold(t *testing.T, g *authhandlers.Gate) (release func()) {
	t.Helper()
	inside, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if err := g.Do(context.Background(), func() { close(inside); <-end }); err != nil {
			t.Error(err)
		}
	}()
	<-inside
	return func() { close(end); <-ended }
}

func TestGateRefuses(t *testing.T) {
	never := func() { t.Error("it ran") }

	g := authhandlers.NewGate(1, 0, time.Minute)
	release := hold(t, g)
	if err := g.Do(t.Context(), never); !errors.Is(err, authhandlers.ErrBusy) {
		t.Errorf("no room to wait: %v", err)
	}
	release()
	if err := g.Do(t.Context(), func() {}); err != nil {
		t.Errorf("free again: %v", err)
	}

	g = authhandlers.NewGate(1, 10, time.Millisecond)
	release = hold(t, g)
	if err := g.Do(t.Context(), never); !errors.Is(err, authhandlers.ErrBusy) {
		t.Errorf("waited too long: %v", err)
	}
	release()

	g = authhandlers.NewGate(1, 10, time.Minute)
	release = hold(t, g)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if err := g.Do(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("the client has left: %v", err)
	}
	release()
}

// TestGateSurvivesPanics holds that a verification that panics gives its slot back.
func TestGateSurvivesPanics(t *testing.T) {
	g := authhandlers.NewGate(1, 0, time.Minute)
	for range 3 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = g.Do(t.Context(), func() { panic("x") })
		}()
	}
	if err := g.Do(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
}

func TestGateHasASlot(t *testing.T) {
	for _, slots := range []int{-1, 0} {
		if err := authhandlers.NewGate(slots, 0, 0).Do(t.Context(), func() {}); err != nil {
			t.Errorf("%d slots: %v", slots, err)
		}
	}
}
