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
	late  []owed  // turns of earlier sockets, whose answers may still come
	early []*said // what came while the client's handshake was held
	heard time.Time
	dog   *time.Timer
}

// outwait holds the handshake of a client, whose person has left a turn running, until
// that has ended, or for a while. It listens for the answer over a socket of its own,
// which is closed again, and keeps what it hears for the client.
func (s *socket) outwait(ctx context.Context, j *Joining) error {
	p := s.person
	rest := p.takeOwed()
	if !slices.ContainsFunc(rest, func(o owed) bool { return !o.late }) {
		s.mu.Lock()
		s.running.late = rest
		s.mu.Unlock()
		return nil // it was waited for
	}
	conn, err := j.Dial(ctx)
	if err != nil {
		p.rest()
		if !errors.Is(err, syscall.ECONNREFUSED) {
			p.owe(rest)
		}
		return &DialError{err}
	}
	set := s.hub.settings.Load()
	pr := newPeer(s.hub, conn, toClient, set.MaxReply, set.Ping)
	pr.in.restless = true
	end := func() { pr.end(closeFresh) }
	bound := time.AfterFunc(s.hub.times.patience, end)
	defer bound.Stop()
	defer context.AfterFunc(ctx, end)()
	pr.receive(func(kind int) error {
		data, held, err := pr.whole(p, kind)
		if err != nil {
			p.drop(held)
			return err
		}
		m := ofCat(kind, data)
		m.adopt(held)
		if others(rest) {
			m.letGo(p)
		} else {
			s.running.early = append(s.running.early, m)
		}
		if ends := m.what == cat.FrameChat || m.what == cat.FrameError; ends && len(rest) > 0 {
			if rest = rest[1:]; len(rest) == 0 {
				bound.Reset(settle)
			}
		}
		return nil
	}, nil)
	p.rest()
	if err := p.settled(ctx, nil); err != nil {
		p.owe(rest)
		s.forgetEarly()
		return err
	}
	s.mu.Lock()
	s.running.late = rest
	s.mu.Unlock()
	return nil
}

// tellEarly gives a client what came before it was there.
func (s *socket) tellEarly() {
	for _, m := range s.running.early {
		s.said[toCat].Lock()
		_, _ = s.outputs[toCat].message(m.kind, m.data, s.hub.times.stall) // the reader finds out what is wrong
		s.said[toCat].Unlock()
	}
	s.forgetEarly()
}

func (s *socket) forgetEarly() {
	for _, m := range s.running.early {
		m.letGo(s.person)
	}
	s.running.early = nil
}

// asks notes a message to the Cat, an object, which has this end, or is all of this.
func (s *socket) asks(end []byte, all bool) {
	m := message{kind: websocket.TextMessage, data: []byte("{")} // its text is not known
	if all {
		m.data = end
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.running.turns.begin(m, now)
	s.running.heard = now
	if s.inDoubt(now) && s.running.dog == nil && !s.ended {
		s.running.dog = time.AfterFunc(2*s.hub.silence(now), s.bark)
	}
}

// inDoubt reports whether a turn may run that this process knows nothing of.
func (s *socket) inDoubt(now time.Time) bool { return now.Sub(s.hub.born) < s.hub.times.turn }

// bark looks whether the Cat has forgotten a socket in doubt.
func (s *socket) bark() {
	s.mu.Lock()
	r, now := &s.running, time.Now()
	r.dog = nil
	owes := r.turns.next() >= 0 && !s.ended
	silent := owes && now.Sub(r.heard) >= 2*s.hub.silence(now)
	if owes && !silent {
		r.dog = time.AfterFunc(2*s.hub.silence(now), s.bark)
	}
	s.mu.Unlock()
	if silent {
		s.end(closeStale)
	}
}

// hears notes a piece of the Cat's; the end of a message may end a turn.
func (s *socket) hears(endsTurn bool, piece []byte, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, now := &s.running, time.Now()
	if i := r.turns.next(); i >= 0 {
		s.hub.pace.note(now.Sub(later(r.turns.list[i].at, r.heard)), now)
	}
	r.heard = now
	if !endsTurn {
		return
	}
	stale := len(r.late) > 0 && (!all || !r.turns.isNext(piece))
	if stale {
		s.hub.pace.note(now.Sub(r.late[0].at), now)
		r.late = r.late[1:]
	} else if _, own := r.turns.answered(); !own && s.inDoubt(now) {
		stale = s.person.isStrange()
	}
	if stale && len(r.late) == 0 {
		time.AfterFunc(settle, func() { s.end(closeStale) })
	}
}

// leftRunning are the turns that end behind the socket.
func (s *socket) leftRunning() []owed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running.dog != nil {
		s.running.dog.Stop()
	}
	list := s.running.late
	for i := range list {
		list[i].late = true
	}
	return append(list, asOwed(s.running.turns.lost(time.Now()))...)
}

// isStrange reports whether an answer that nobody has asked for is taken for a sign: a
// plugin may send such frames all the time.
func (p *person) isStrange() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strange++
	return p.strange <= maxStrangers
}
