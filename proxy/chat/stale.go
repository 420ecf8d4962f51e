package chat

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

// running is what a client's own socket knows of the turns at the Cat. The socket guards
// it. Where an earlier socket's turn ends late, the Cat forgets the new one: then the
// client is closed, and comes back with another.
type running struct {
	turns turns
	late  []owed      // turns of earlier sockets, whose answers may still come
	early []*outbound // what came while the client's handshake was held
	heard time.Time
	dog   *time.Timer
}

// outwait holds the handshake of a client, whose person has left a turn running, until
// that has ended, or for a while. It listens for the answer over a socket of its own,
// which is closed again, and keeps what it hears for the client.
func (t *tunnel) outwait(ctx context.Context, j *Joining) error {
	p := t.person
	rest := p.takeOwed()
	if !slices.ContainsFunc(rest, func(o owed) bool { return !o.late }) {
		t.mu.Lock()
		t.running.late = rest
		t.mu.Unlock()
		return nil // it was waited for
	}
	ws, err := j.Dial(ctx)
	if err != nil {
		p.markEnded()
		if !errors.Is(err, syscall.ECONNREFUSED) {
			p.owe(rest)
		}
		return &DialError{err}
	}
	c := t.hub.catConn(ws, t.hub.settings.Load())
	end := func() { c.End(closeFresh) }
	bound := time.AfterFunc(t.hub.times.patience, end)
	defer bound.Stop()
	defer context.AfterFunc(ctx, end)()
	c.Receive(func(kind int) error {
		data, held, err := p.read(c, toClient, kind, 0)
		if err != nil {
			p.drop(held)
			return err
		}
		m := ofCat(kind, data)
		m.adopt(held)
		if others(rest) {
			m.letGo(p)
		} else {
			t.running.early = append(t.running.early, m)
		}
		if ends := m.what == cat.FrameChat || m.what == cat.FrameError; ends && len(rest) > 0 {
			if rest = rest[1:]; len(rest) == 0 {
				bound.Reset(catSettleDelay)
			}
		}
		return nil
	}, nil)
	c.Stop()
	p.markEnded()
	if err := p.settled(ctx, nil); err != nil {
		p.owe(rest)
		t.forgetEarly()
		return err
	}
	t.mu.Lock()
	t.running.late = rest
	t.mu.Unlock()
	return nil
}

// tellEarly gives a client what came before it was there.
func (t *tunnel) tellEarly() {
	for _, m := range t.running.early {
		t.speaking.Lock()
		_, _ = t.conns[toCat].WriteMessage(m.kind, m.data, t.hub.times.stall) // the reader finds out what is wrong
		t.speaking.Unlock()
	}
	t.forgetEarly()
}

func (t *tunnel) forgetEarly() {
	for _, m := range t.running.early {
		m.letGo(t.person)
	}
	t.running.early = nil
}

// asks notes a message to the Cat, an object, which has this end, or is all of this.
func (t *tunnel) asks(end []byte, all bool) {
	m := inbound{kind: websocket.TextMessage, data: []byte("{")} // its text is not known
	if all {
		m.data = end
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.running.turns.begin(m, now)
	t.running.heard = now
	if t.inDoubt(now) && t.running.dog == nil && !t.ended {
		t.running.dog = time.AfterFunc(2*t.hub.silence(now), t.bark)
	}
}

// inDoubt reports whether a turn may run that this process knows nothing of.
func (t *tunnel) inDoubt(now time.Time) bool { return now.Sub(t.hub.born) < t.hub.times.turn }

// bark looks whether the Cat has forgotten a socket in doubt.
func (t *tunnel) bark() {
	t.mu.Lock()
	r, now := &t.running, time.Now()
	r.dog = nil
	owes := r.turns.next() >= 0 && !t.ended
	silent := owes && now.Sub(r.heard) >= 2*t.hub.silence(now)
	if owes && !silent {
		r.dog = time.AfterFunc(2*t.hub.silence(now), t.bark)
	}
	t.mu.Unlock()
	if silent {
		t.end(closeStale)
	}
}

// hears notes a piece of the Cat's; the end of a message may end a turn.
func (t *tunnel) hears(endsTurn bool, piece []byte, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, now := &t.running, time.Now()
	if i := r.turns.next(); i >= 0 {
		t.hub.pace.note(now.Sub(later(r.turns.list[i].at, r.heard)), now)
	}
	r.heard = now
	if !endsTurn {
		return
	}
	stale := len(r.late) > 0 && (!all || !r.turns.isNext(piece))
	if stale {
		t.hub.pace.note(now.Sub(r.late[0].at), now)
		r.late = r.late[1:]
	} else if _, own := r.turns.answered(); !own && t.inDoubt(now) {
		stale = t.person.isStrange()
	}
	if stale && len(r.late) == 0 {
		time.AfterFunc(catSettleDelay, func() { t.end(closeStale) })
	}
}

// leftRunning are the turns that end behind the socket.
func (t *tunnel) leftRunning() []owed {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running.dog != nil {
		t.running.dog.Stop()
	}
	list := t.running.late
	for i := range list {
		list[i].late = true
	}
	return append(list, asOwed(t.running.turns.lost(time.Now()))...)
}

// isStrange reports whether an answer that nobody has asked for is taken for a sign: a
// plugin may send such frames all the time.
func (p *person) isStrange() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strange++
	return p.strange <= maxStrangers
}
