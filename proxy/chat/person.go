package chat

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/wait"
)

// atCat is something of a person's that is open at the Cat.
type atCat interface {
	end(Closing)
	isEnding() bool
	done() <-chan struct{} // closed when it is over at the Cat completely
}

// person is the sockets of one person: of one subject of one issuer, under one id at
// the Cat. Somebody else under the same id is another person, with a room of their own.
type person struct {
	*place
	hub   *Hub
	name  string  // the Key of the AuthUserInfo
	seats []*seat // guarded by the hub
	room  room
	held  atomic.Int64 // bytes of their messages that are in memory
}

// place is one user id at the Cat, which knows one socket of it. Those who open one
// there take turns: whoever finds one that ends waits until its close is complete and
// the Cat has settled, and only then opens the next.
type place struct {
	id     string
	turn   chan struct{}
	people []*person // guarded by the hub; more than one after a change of the issuer

	mu    sync.Mutex
	atCat []atCat   // what is not closed completely; with Shared, at most one
	ended time.Time // when the last socket at the Cat was closed completely
	owed  []owed    // turns that the last socket has left running
	// strange counts answers that nobody has asked for, over sockets of clients' own.
	strange int
}

// newPerson makes a person under an id at the Cat. The hub is locked.
func newPerson(h *Hub, name, id string) *person {
	if h.places[id] == nil {
		h.places[id] = &place{id: id, turn: make(chan struct{}, 1)}
	}
	p := &person{place: h.places[id], hub: h, name: name}
	p.room.hub, p.room.person = h, p
	p.place.people = append(p.place.people, p)
	return p
}

// takeTurn waits for the person's turn. Without an error, giveTurn must follow.
func (p *place) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // a client that has left takes no turn
	}
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *place) giveTurn() { <-p.turn }

// clear ends what the person has at the Cat, and waits for that. Whoever gives up
// here leaves the rest of the waiting to the next in turn.
func (p *place) clear(ctx context.Context, c Closing) error {
	if err := ctx.Err(); err != nil {
		return err // a client that has left ends nothing
	}
	p.mu.Lock()
	before := slices.Clone(p.atCat)
	p.mu.Unlock()
	for _, s := range before {
		s.end(c)
	}
	return p.settled(ctx, before)
}

// settled waits until what the person had is over at the Cat, and it can hear a new
// socket.
func (p *place) settled(ctx context.Context, before []atCat) error {
	for _, s := range before {
		select {
		case <-s.done(): // within closeWait, whatever its two ends do
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	rest := p.unsettled()
	if rest <= 0 {
		return nil
	}
	return wait.For(ctx, rest)
}

// unsettled is how much longer the Cat needs after the person's last socket.
func (p *place) unsettled() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return settle - time.Since(p.ended)
}

// ending returns what has begun to close.
func (p *place) ending() []atCat {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []atCat
	for _, s := range p.atCat {
		if s.isEnding() {
			list = append(list, s)
		}
	}
	return list
}

// lines returns the lines for all that are not over.
func (p *place) lines() []line {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []line
	for _, s := range p.atCat {
		if l, ok := s.(line); ok {
			list = append(list, l)
		}
	}
	return list
}

// rest makes whoever comes next wait until the Cat has settled.
func (p *place) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
}

func (p *place) joined(s atCat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.atCat = append(p.atCat, s)
}

// left notes that something is over at the Cat; the caller closes its done then,
// which lets whoever waits for it go on.
func (p *person) left(s atCat) {
	p.mu.Lock()
	p.ended = time.Now()
	if i := slices.Index(p.atCat, s); i >= 0 {
		p.atCat = slices.Delete(p.atCat, i, i+1)
	}
	p.mu.Unlock()
	p.forgetSoon()
}

// forgetSoon has those of the place forgotten when the Cat has settled, if nothing of
// theirs is left then. Whatever ends later has it tried again.
func (p *person) forgetSoon() { time.AfterFunc(settle, func() { p.hub.forget(p.place) }) }

func (h *Hub) forget(pl *place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if pl.unsettled() > 0 || pl.isAtCat() {
		return
	}
	if owing := pl.owing(h.times.turn); owing > 0 {
		time.AfterFunc(owing, func() { h.forget(pl) })
		return
	}
	pl.people = slices.DeleteFunc(pl.people, func(p *person) bool {
		over := len(p.seats) == 0 && p.room.isEmpty()
		if over {
			delete(h.people, p.name)
		}
		return over
	})
	if len(pl.people) == 0 {
		delete(h.places, pl.id)
	}
}

func (p *place) isAtCat() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.atCat) > 0
}
