package authtest

import (
	"sync"
	"testing"
	"time"
)

// Events counts what a handler observes, and waits for it. It is used by many goroutines
// at once.
type Events struct {
	mu   sync.Mutex
	seen map[string]int
	wake chan struct{}
}

// NewEvents has counted nothing yet.
func NewEvents() *Events { return &Events{seen: map[string]int{}, wake: make(chan struct{})} }

// Observe counts one event. It is for authhandlers.Env.Observe.
func (e *Events) Observe(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen[name]++
	close(e.wake)
	e.wake = make(chan struct{})
}

// Count returns how often an event was counted.
func (e *Events) Count(name string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[name]
}

// Wait waits until an event was counted n times, and fails the test after 20 seconds.
func (e *Events) Wait(t testing.TB, name string, n int) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		e.mu.Lock()
		enough, wake := e.seen[name] >= n, e.wake
		e.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-wake:
		case <-limit:
			t.Fatalf("%s was not seen %d times", name, n)
		}
	}
}
