package chat

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/internal/wsconn"
)

const (
	// clientPart is the part of either bound, in quarters, that what clients send may
	// fill. The rest is for what the Cat says.
	clientPart = 3
	// assured is what a person may hold also when the others hold all the rest, so that
	// nobody's ordinary answers are lost over somebody else.
	assured = 64 << 10
)

// fits reports whether so much may be held; a bound of 0 is none.
func fits(held, most int64, from int) bool {
	if from == toCat {
		most = most / 4 * clientPart
	}
	return most <= 0 || held <= most
}

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
	hub     *Hub
	name    string    // the Key of the AuthUserInfo
	clients []*client // guarded by the hub
	room    room
	held    atomic.Int64 // bytes of their messages that are in memory
}

// place is one user id at the Cat, which knows one socket of it. Those who open one
// there take turns: one who finds one that ends waits until its close is complete and
// the Cat has settled, and only then opens the next.
type place struct {
	id       string
	dialLock chan struct{}
	people   []*person // guarded by the hub; more than one after a change of the issuer

	mu    lock.Of[place]
	atCat []atCat   // what is not closed completely; with Shared, at most one
	ended time.Time // when the last socket at the Cat was closed completely
	owed  []owed    // turns that the last socket has left running
	// strange counts answers that nobody has asked for, over sockets of clients' own.
	strange int
}

// newPerson makes a person under an id at the Cat. The hub is locked.
func newPerson(h *Hub, name, id string) *person {
	if h.places[id] == nil {
		h.places[id] = &place{id: id, dialLock: make(chan struct{}, 1)}
	}
	p := &person{place: h.places[id], hub: h, name: name}
	p.room.hub, p.room.person, p.room.log.person = h, p, p
	p.people = append(p.people, p)
	return p
}

// lockDial waits for the person's turn. Without an error, giveTurn must follow.
func (p *place) lockDial(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // a client that has left takes no turn
	}
	select {
	case p.dialLock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *place) unlockDial() { <-p.dialLock }

// clear ends what the person has at the Cat, and waits for that. One who gives up
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
	return catSettleDelay - time.Since(p.ended)
}

// ending returns what has begun to close. Whether it has is asked without the lock: a
// tunnel that is asked may be about to take it.
func (p *place) ending() []atCat {
	p.mu.Lock()
	list := slices.Clone(p.atCat)
	p.mu.Unlock()
	return slices.DeleteFunc(list, func(s atCat) bool { return !s.isEnding() })
}

// upstreams returns the upstreams for all that are not over.
func (p *place) upstreams() []upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []upstream
	for _, s := range p.atCat {
		if l, ok := s.(upstream); ok {
			list = append(list, l)
		}
	}
	return list
}

// markEnded makes the next who comes wait until the Cat has settled.
func (p *place) markEnded() {
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
// which lets those who wait for it go on.
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
func (p *person) forgetSoon() { time.AfterFunc(catSettleDelay, func() { p.hub.forget(p.place) }) }

// inDoubt is the doubt that a new catSocket begins with.
func (p *person) inDoubt(now time.Time) doubt {
	h := p.hub
	d := doubt{owed: p.takeOwed(), wait: h.times.patience / 4, strangers: h.born.Add(h.times.turn), uncertain: h.born.Add(h.times.turn)}
	if h.o.Fleet != nil { // another process may have had the person a moment ago
		d.strangers = now.Add(h.times.turn)
	}
	d.holding = d.waits()
	return d
}

// hold counts bytes of a person's messages that are in memory, by the side that they come
// from. With a reason they are too many, of this person or of all, and are not counted.
func (p *person) hold(n int64, from int) *Closing {
	set := p.hub.settings.Load()
	mine := p.held.Add(n)
	if !fits(mine, set.MaxHeldPerUser, from) {
		p.held.Add(-n) // somebody who has too much does not touch what is for all
		return &closeOwnFull
	}
	if all := p.hub.held.Add(n); !fits(all, set.MaxHeld, from) && mine > assured {
		p.drop(n)
		return &closeFull
	}
	return nil
}

// read reads a message that is taken from a side into memory. What it holds is counted;
// the caller drops it, also with an error.
func (p *person) read(c *wsconn.Conn, from, kind int, spare int) (data []byte, held int64, err error) {
	return c.ReadMessage(kind, int64(spare), func(n int64) error {
		if c := p.hold(n, from); c != nil {
			return &EndedError{*c}
		}
		return nil
	})
}

// mustHold counts what is bounded otherwise.
func (p *person) mustHold(n int64) {
	p.held.Add(n)
	p.hub.held.Add(n)
}

func (p *person) drop(n int64) {
	p.held.Add(-n)
	p.hub.held.Add(-n)
}

// owe remembers the turns that a socket has left running at the Cat, for the person's
// next one.
func (p *person) owe(list []owed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for _, o := range list {
		o.told, o.ref = true, 0 // a name among processes that is no more
		if o.asker == nil {
			o.asker = p
		}
		p.owed = append(p.owed, o)
	}
	p.owed = slices.DeleteFunc(p.owed, func(o owed) bool { return now.Sub(o.at) >= p.hub.times.turn })
	p.owed = p.owed[max(0, len(p.owed)-maxTurns):]
}

// takeOwed hands over what an earlier socket has left running.
func (p *person) takeOwed() []owed {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.owed
	p.owed = nil
	for i := range list {
		if list[i].asker == p {
			list[i].asker = nil
		}
	}
	return list
}

// relevel looks at what the person's sockets at the Cat were opened with, after rights
// may have changed.
func (p *person) relevel() {
	p.room.lowered()
	p.mu.Lock()
	var over []*tunnel
	for _, l := range p.atCat {
		if s, ok := l.(*tunnel); ok && !s.fits() {
			over = append(over, s)
		}
	}
	p.mu.Unlock()
	for _, s := range over {
		go s.end(closeChanged)
	}
}

// isStrange reports whether an answer that nobody has asked for is taken for a sign: a
// plugin may send such frames all the time.
func (p *person) isStrange() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strange++
	return p.strange <= maxStrangers
}

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
		over := len(p.clients) == 0 && p.room.isEmpty()
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

// owing is how much longer a turn of an earlier socket's may run.
func (p *place) owing(turn time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.owed) == 0 {
		return 0
	}
	last := slices.MaxFunc(p.owed, func(a, b owed) int { return a.at.Compare(b.at) })
	return turn - time.Since(last.at)
}
