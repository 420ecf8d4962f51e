package chat

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// atCat is something of a person's that is open at the Cat.
type atCat interface {
	end(Closing)
	isEnding() bool
	done() <-chan struct{} // closed when it is over at the Cat completely
}

// person is the sockets of one user id. Those who open one at the Cat take turns:
// whoever finds one that ends waits until its close is complete and the Cat has
// settled, and only then opens the next.
type person struct {
	hub   *Hub
	id    string
	seats []*seat // guarded by the hub
	turn  chan struct{}
	room  room
	held  atomic.Int64 // bytes of their messages that are in memory

	mu    sync.Mutex
	atCat []atCat   // what is not closed completely; with Shared, at most one
	ended time.Time // when the last socket at the Cat was closed completely
	owed  []owed    // turns that the last socket has left running
	// strange counts answers that nobody has asked for, over sockets of clients' own.
	strange int
}

func newPerson(h *Hub, id string) *person {
	p := &person{hub: h, id: id, turn: make(chan struct{}, 1)}
	p.room.hub, p.room.person = h, p
	return p
}

// takeTurn waits for the person's turn. Without an error, giveTurn must follow.
func (p *person) takeTurn(ctx context.Context) error {
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

func (p *person) giveTurn() { <-p.turn }

// clear ends what the person has at the Cat, and waits for that. Whoever gives up
// here leaves the rest of the waiting to the next in turn.
func (p *person) clear(ctx context.Context, c Closing) error {
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
func (p *person) settled(ctx context.Context, before []atCat) error {
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
	t := time.NewTimer(rest)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unsettled is how much longer the Cat needs after the person's last socket.
func (p *person) unsettled() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return settle - time.Since(p.ended)
}

// ending returns what has begun to close.
func (p *person) ending() []atCat {
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
func (p *person) lines() []line {
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
func (p *person) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
}

func (p *person) joined(s atCat) {
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

// forgetSoon has the person forgotten when the Cat has settled, if nothing of
// theirs is left then. Whatever ends later has it tried again.
func (p *person) forgetSoon() { time.AfterFunc(settle, func() { p.hub.forget(p) }) }

func (h *Hub) forget(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(p.seats) > 0 || p.unsettled() > 0 || p.isAtCat() || !p.room.isEmpty() || h.people[p.id] != p {
		return
	}
	if owing := p.owing(); owing > 0 {
		time.AfterFunc(owing, func() { h.forget(p) })
		return
	}
	delete(h.people, p.id)
}

func (p *person) isAtCat() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.atCat) > 0
}
