package session

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/internal/flight"
)

// How long the provider is left alone after a fault, for each session: doubled with
// each one.
const (
	firstRest = 5 * time.Second
	longRest  = time.Minute
)

// renewals are those of this process that are under way, and what has failed lately.
type renewals struct {
	flights flight.Group[string, *Session]
	rests   *lru.Cache[string, rest]
}

// renewal is one for all who wait.
type renewal = flight.Flight[*Session]

type rest struct {
	length time.Duration
	until  time.Time
	err    error // why
}

func (r *renewals) init() (err error) {
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

// land ends a renewal, and notes a fault before anybody hears of it.
func (r *renewals) land(key string, f *renewal, s *Session, err error, now time.Time, fault bool) {
	if fault {
		last, _ := r.rests.Get(key)
		length := max(firstRest, min(2*last.length, longRest))
		r.rests.Add(key, rest{length, now.Add(length), err})
	} else {
		r.rests.Remove(key)
	}
	r.flights.Land(key, f, s, err)
}
