package inquiry

import (
	"context"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/internal/tokencache"
)

const (
	// refusedTime is how long a refusal is remembered.
	refusedTime = 10 * time.Second
	// share is how many credentials an address may have under way and refused at one time.
	share = 64
	// shareTurns is how many of the strangers' turns an address may have at one time.
	shareTurns = 4
	// addresses is how many addresses are known at once.
	addresses = 1024
)

// strangers remembers refusals, each for the address that it was given to. It bounds by
// this how many questions an address causes: a place is taken with the question.
type strangers struct {
	turns *authhandlers.Gate // of all of them

	mu  sync.Mutex
	all *lru.LRU[string, *stranger] // by whose share it is
}

// stranger is one share.
type stranger struct {
	places map[tokencache.Key]*place
	turns  *authhandlers.Gate
}

// place is one credential of one address.
type place struct {
	asking int
	err    error     // the refusal
	until  time.Time // of which it is remembered
}

func newStrangers(patience time.Duration) (*strangers, error) {
	all, err := lru.NewLRU[string, *stranger](addresses, nil)
	return &strangers{turns: authhandlers.NewGate(strangerTurns, strangerQueue, patience), all: all}, err
}

// of returns somebody's share.
func (s *strangers) of(whose string, patience time.Duration) *stranger {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, ok := s.all.Get(whose)
	if !ok {
		own = &stranger{map[tokencache.Key]*place{}, authhandlers.NewGate(shareTurns, share, patience)}
		s.all.Add(whose, own)
	}
	return own
}

// in has ask done when it is this stranger's turn: first among their own, then among all.
func (s *strangers) in(own *stranger) turn {
	return func(ctx context.Context, ask func()) (err error) {
		if busy := own.turns.Do(ctx, func() { err = s.turns.Do(ctx, ask) }); busy != nil {
			return busy
		}
		return err
	}
}

// enter takes a place for a question, or returns a refusal that is remembered. Somebody
// known needs no place. leave must follow, with the outcome. first says that nobody of the
// share asks the same already.
func (s *strangers) enter(own *stranger, k tokencache.Key, known bool, now time.Time) (leave func(error), first bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := own.places[k]
	if p != nil && p.err != nil {
		if now.Before(p.until) {
			return nil, false, p.err
		}
		p.err = nil
	}
	if p == nil {
		if full := len(own.places) >= share && !own.sweep(now); full && known {
			return func(error) {}, false, nil
		} else if full {
			return nil, false, authhandlers.ErrBusy
		}
		p = &place{}
		own.places[k] = p
	}
	p.asking++
	return func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p.asking--
		if _, refused := errors.AsType[*authhandlers.Rejection](err); refused {
			p.err, p.until = err, now.Add(refusedTime)
		}
		if p.asking == 0 && p.err == nil && own.places[k] == p {
			delete(own.places, k)
		}
	}, p.asking == 1, nil
}

// sweep reports whether a place has become free.
func (s *stranger) sweep(now time.Time) bool {
	for k, one := range s.places {
		if one.asking == 0 && !now.Before(one.until) {
			delete(s.places, k)
		}
	}
	return len(s.places) < share
}

// shareOf tells whose share a request counts for: that of the network, or of the person
// whose socket it came over. Requests without an address have one together.
func shareOf(r *authhandlers.Request) string {
	if r.Current != nil {
		return "person " + r.Current.Key()
	}
	return pace.Network(r.ClientIP).String()
}
