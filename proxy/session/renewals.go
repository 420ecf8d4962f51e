package session

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// How long the provider is left alone after a fault, for each session: doubled with
// each one.
const (
	firstRest = 5 * time.Second
	longRest  = time.Minute
)

// renewals are those of this process that are under way, and what has failed lately.
type renewals struct {
	mu      sync.Mutex
	flights map[string]*renewal
	rests   *lru.Cache[string, rest]
}

// renewal is one for all who wait. Session and err are set before done is closed.
type renewal struct {
	done    chan struct{}
	session *Session
	err     error
}

type rest struct {
	length time.Duration
	until  time.Time
	err    error // why
}

func (r *renewals) init() error {
	r.flights = map[string]*renewal{}
	var err error
	r.rests, err = lru.New[string, rest](remembered)
	return err
}

// resting returns why the last attempt has failed, while it is too early for another.
func (r *renewals) resting(key string, now time.Time) error {
	if last, ok := r.rests.Get(key); ok && now.Before(last.until) {
		return last.err
	}
	return nil
}

// join returns the renewal that is under way, or a new one for the caller to run.
func (r *renewals) join(key string) (f *renewal, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.flights[key]; f != nil {
		return f, false
	}
	f = &renewal{done: make(chan struct{})}
	r.flights[key] = f
	return f, true
}

func (r *renewals) leave(key string, f *renewal, now time.Time, fault bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fault {
		last, _ := r.rests.Get(key)
		length := max(firstRest, min(2*last.length, longRest))
		r.rests.Add(key, rest{length, now.Add(length), f.err})
	} else {
		r.rests.Remove(key)
	}
	delete(r.flights, key)
	close(f.done)
}
