package chat

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// socket is one client with its socket at the Cat.
type socket struct {
	hub      *Hub
	joining  Joining
	settings Settings
	client   *websocket.Conn // nil until upgraded
	cat      *websocket.Conn
	opened   time.Time
	over     chan struct{} // closed when the socket at the Cat is closed completely
	left     func()        // says so, once

	mu       sync.Mutex
	serving  bool
	closing  *Closing // why it was ended from here, if it was
	first    *Closing // how it ended first
	cut      *time.Timer
	towards  [2]traffic // the Cat, the client
	lastSign [2]atomic.Int64
}

// traffic counts what has gone one way.
type traffic struct{ messages, bytes atomic.Int64 }

const (
	toCat = iota
	toClient
)

func newSocket(h *Hub, j Joining, settings Settings) *socket {
	return &socket{hub: h, joining: j, settings: settings, over: make(chan struct{})}
}

// serve relays until both sides have ended.
func (s *socket) serve() {
	h := s.hub
	s.opened = h.now()
	s.mu.Lock()
	s.serving = true
	early := s.closing
	s.mu.Unlock()
	h.register(s)
	h.observe(Event{Kind: EventOpen, User: s.joining.User, ID: s.joining.ID, Client: s.joining.Client})
	if s.settings.MaxMessage > 0 {
		s.client.SetReadLimit(s.settings.MaxMessage)
	}
	if early != nil {
		s.sendClose(*early) // ended while its handshake was under way
	}
	pings := s.startPings()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.relay(s.cat, s.client, toClient)
		// The Cat has closed. A client that does not answer its own close holds up
		// nobody who waits for the Cat.
		_ = s.cat.Close()
		s.left()
	}()
	s.relay(s.client, s.cat, toCat)
	<-done
	pings.stop()
	s.hangUp()
	h.unregister(s)
	s.tell()
}

// end closes the socket from here: both sides are told, and cut when they do not
// answer. The first reason counts.
func (s *socket) end(c Closing) {
	s.mu.Lock()
	if s.closing != nil {
		s.mu.Unlock()
		return
	}
	s.closing = &c
	serving := s.serving
	s.mu.Unlock()
	if serving {
		s.sendClose(c)
	}
}

// endedFromHere is why the socket was ended from here, or nil.
func (s *socket) endedFromHere() *Closing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *socket) sendClose(c Closing) {
	s.ended(c)
	if c.Code == websocket.CloseAbnormalClosure {
		s.abort()
		return
	}
	deadline := time.Now().Add(controlWait)
	// In the background: a client that does not read must not hold up whoever ends it.
	go func() {
		_ = s.client.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(c.Code, c.Reason), deadline)
	}()
	_ = s.cat.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
}

// ended notes the first reason, and sees to it that the connections are cut if
// the close handshakes take too long.
func (s *socket) ended(c Closing) {
	s.mu.Lock()
	if s.first == nil {
		s.first = &c
	}
	s.mu.Unlock()
	s.cutSoon()
}

func (s *socket) cutSoon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut == nil {
		s.cut = time.AfterFunc(closeWait, s.abort)
	}
}

// abort cuts both connections.
func (s *socket) abort() {
	_ = s.client.Close()
	_ = s.cat.Close()
}

// hangUp ends both connections once nothing is relayed any more. A client that
// was never upgraded leaves the Cat a proper close.
func (s *socket) hangUp() {
	s.mu.Lock()
	if s.cut != nil {
		s.cut.Stop()
	}
	s.mu.Unlock()
	if s.client == nil {
		deadline := time.Now().Add(controlWait)
		_ = s.cat.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
		_ = s.cat.SetReadDeadline(time.Now().Add(closeWait))
		for {
			if _, _, err := s.cat.NextReader(); err != nil {
				break
			}
		}
	} else {
		_ = s.client.Close()
	}
	_ = s.cat.Close()
}

func (s *socket) tell() {
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	s.hub.observe(Event{
		Kind: EventClose, User: s.joining.User, ID: s.joining.ID, Client: s.joining.Client, Code: first.Code, Reason: first.Reason,
		Duration:   s.hub.now().Sub(s.opened),
		FromClient: s.towards[toCat].messages.Load(), ToCat: s.towards[toCat].bytes.Load(),
		FromCat: s.towards[toClient].messages.Load(), ToClient: s.towards[toClient].bytes.Load(),
	})
}
