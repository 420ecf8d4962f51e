package chat

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// The two ways through a socket. A way is also the name of the side that it comes
// from: what goes to the Cat comes from the client.
const (
	toCat = iota
	toClient
)

// socket is one client with its socket at the Cat.
type socket struct {
	hub    *Hub
	person *person
	user   *authhandlers.AuthUserInfo
	id     string
	addr   netip.Addr
	ping   time.Duration
	limit  int64
	expiry int // the place in the hub's expiries, guarded by the hub

	over     chan struct{} // closed when the socket at the Cat is closed completely
	isServed bool          // guarded by the hub
	since    time.Time
	running  atomic.Int32 // relays under way
	towards  [2]traffic   // each is its relay's own until that has ended
	sides    [2]side

	mu      sync.Mutex
	conns   [2]*websocket.Conn      // the client, nil until upgraded; the Cat, nil until dialled
	cancel  context.CancelCauseFunc // ends the waiting before that
	closing *Closing                // why it was ended from here, if it was
	first   *Closing                // how it ended first
	cut     *time.Timer
	pinging *time.Timer
	ended   bool // nothing more is to be started
}

func newSocket(h *Hub, p *person, j *Joining, cancel context.CancelCauseFunc) *socket {
	return &socket{
		hub: h, person: p, user: j.User, id: j.ID, addr: j.Client, ping: h.settings.Ping, limit: h.settings.MaxMessage,
		expiry: noExpiry, over: make(chan struct{}), cancel: cancel,
	}
}

// open opens both ends: the Cat's in the person's turn, and only then the client's.
func (s *socket) open(ctx context.Context, j *Joining, mode Mode) error {
	if err := s.dial(ctx, j, mode); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	client, err := j.Upgrade()
	if err != nil {
		s.hangUp()
		return &UpgradeError{err}
	}
	s.mu.Lock()
	s.conns[toCat] = client
	s.cancel = nil
	s.mu.Unlock()
	return nil
}

// dial opens the socket at the Cat.
func (s *socket) dial(ctx context.Context, j *Joining, mode Mode) error {
	p := s.person
	if mode == Shared {
		if err := p.takeTurn(ctx); err != nil {
			return err
		}
		defer p.giveTurn()
	} else if err := p.settled(ctx, p.ending()); err != nil {
		return err
	}
	cat, err := j.Dial(ctx)
	if err != nil {
		p.rest() // the Cat may have seen it come and go
		return &DialError{err}
	}
	s.mu.Lock()
	s.conns[toClient] = cat
	s.mu.Unlock()
	p.joined(s)
	return nil
}

// hangUp leaves the Cat a proper close when there is no client to serve.
func (s *socket) hangUp() {
	cat := s.conns[toClient]
	deadline := time.Now().Add(closeWait)
	_ = cat.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
	_ = cat.SetReadDeadline(deadline)
	if properClose(discard(cat)) != nil {
		s.drain(cat)
	}
	_ = cat.Close()
	s.person.left(s)
}

// serve starts relaying both ways, in goroutines of its own whose stacks have never
// grown; whichever ends last tidies up.
func (s *socket) serve() {
	if s.limit > 0 {
		s.conns[toCat].SetReadLimit(s.limit)
	}
	for way := range s.conns {
		s.answerClose(way)
	}
	s.opened()
	s.hub.served(s)
	s.startPings()
	if early := s.endedFromHere(); early != nil {
		s.sendClose(*early) // ended while its handshake was under way
	}
	s.running.Store(2)
	go s.run(toCat)
	go s.run(toClient)
}

func (s *socket) run(way int) {
	defer s.hub.caught()
	defer s.done(way)
	s.passEnd(way, s.copyMessages(way))
}

// done follows a relay's end, also one by a panic.
func (s *socket) done(way int) {
	_ = s.conns[way].Close()
	if way == toClient {
		s.person.left(s)
	}
	if s.running.Add(-1) > 0 {
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
	defer s.hub.release(s)
	s.note(closeFault) // never the first, unless a panic came before any
	s.closed()
}
