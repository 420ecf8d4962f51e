package chat

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

// The two ways through a socket. A way is also the name of the side that it comes
// from: what goes to the Cat comes from the client.
const (
	toCat = iota
	toClient
)

// socket is one client with a socket at the Cat of its own.
type socket struct {
	seat

	over   chan struct{} // closed when the socket at the Cat is closed completely
	rights cat.Permissions
	relays atomic.Int32 // under way
	sides  [2]side
	// said is held while a message is written to a side, so that a word of ours
	// does not come in the middle of it.
	said [2]sync.Mutex

	mu      sync.Mutex
	running running
	inputs  [2]*input               // the client, nil until upgraded; the Cat, nil until dialled
	outputs [2]*output              // the same
	cancel  context.CancelCauseFunc // ends the waiting before that
	closing *Closing                // why it was ended from here, if it was
	first   *Closing                // how it ended first
	cut     *time.Timer
	pinging *time.Timer
	ended   bool // nothing more is to be started
}

// open opens both ends: the Cat's in the person's turn, and only then the client's.
func (s *socket) open(ctx context.Context, j *Joining) error {
	if err := s.dial(ctx, j); err != nil {
		return err
	}
	client, err := j.Upgrade()
	if err != nil {
		s.hangUp()
		return &UpgradeError{err}
	}
	s.mu.Lock()
	s.inputs[toCat], s.outputs[toCat] = s.hub.take(client, toCat)
	s.cancel = nil
	s.mu.Unlock()
	return nil
}

// dial opens the socket at the Cat.
func (s *socket) dial(ctx context.Context, j *Joining) error {
	p := s.person
	if err := p.takeTurn(ctx); err != nil {
		return err
	}
	for _, l := range p.lines() { // from before a change of the mode
		l.end(closeChanged)
	}
	err := p.settled(ctx, p.ending())
	if err == nil {
		err = s.outwait(ctx, j)
	}
	p.giveTurn() // others may open theirs meanwhile
	if err != nil {
		return err
	}
	s.rights = s.hub.rightsOf(j.User)
	conn, err := j.Dial(context.WithValue(ctx, withinKey{}, s.rights))
	if err != nil {
		p.rest() // the Cat may have seen it come and go
		return &DialError{err}
	}
	s.mu.Lock()
	s.inputs[toClient], s.outputs[toClient] = s.hub.take(conn, toClient)
	s.mu.Unlock()
	p.joined(s)
	if !s.fits() { // the rules have changed meanwhile
		s.end(closeChanged)
	}
	return nil
}

func (s *socket) done() <-chan struct{} { return s.over }

// leave notes that the socket at the Cat is over.
func (s *socket) leave() {
	s.person.owe(s.leftRunning())
	s.person.left(s)
	close(s.over)
}

// hangUp leaves the Cat a proper close when there is no client to serve.
func (s *socket) hangUp() {
	hangUp(s.inputs[toClient], s.outputs[toClient])
	s.leave()
}

// hangUp closes a socket at the Cat that nothing reads from.
func hangUp(in *input, out *output) {
	_ = out.control(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), closeWait)
	in.restless, in.within = true, 0 // for that little while
	_ = in.conn.SetReadDeadline(time.Now().Add(closeWait))
	in.ping, in.pong, in.closed = func([]byte) {}, func([]byte) {}, func(int) {}
	if properClose(discard(in)) != nil {
		drain(in.conn)
	}
	in.close()
}

// serve starts relaying both ways, in goroutines of its own whose stacks have never
// grown; whichever ends last tidies up.
func (s *socket) serve() {
	s.mu.Lock()
	for way := range s.inputs {
		s.answerClose(way)
	}
	s.mu.Unlock()
	s.inputs[toCat].limit, s.inputs[toCat].within = s.limit, s.within
	s.opened()
	s.hub.served(&s.seat)
	s.startPings()
	if early := s.endedFromHere(); early != nil {
		s.sendClose(*early) // ended while its handshake was under way
	}
	s.relays.Store(2)
	go s.run(toCat)
	go s.run(toClient)
}

func (s *socket) run(way int) {
	defer s.hub.o.Caught()
	parked := false
	defer func() {
		if !parked {
			s.ran(way)
		}
	}()
	if way == toClient {
		s.tellEarly()
	}
	err := s.copyMessages(way)
	if parked = err == errParked; !parked { //nolint:errorlint // never wrapped
		s.passEnd(way, err)
	}
}

// ran follows a relay's end, also one by a panic.
func (s *socket) ran(way int) {
	s.inputs[way].close()
	if way == toClient {
		s.leave()
	}
	if s.relays.Add(-1) > 0 {
		s.cutSoon()
		return
	}
	s.mu.Lock()
	s.ended = true
	for _, t := range []*time.Timer{s.cut, s.pinging} {
		if t != nil {
			t.Stop()
		}
	}
	s.mu.Unlock()
	defer s.hub.release(&s.seat)
	s.note(closeFault) // never the first, unless a panic came before any
	s.mu.Lock()
	how := *s.first
	s.mu.Unlock()
	s.closed(how)
}
