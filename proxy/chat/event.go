package chat

import (
	"net/netip"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// EventKind is what happened to a socket.
type EventKind string

// The kinds of event.
const (
	EventOpen  EventKind = "socket_open"
	EventClose EventKind = "socket_close"
)

// Event is one opening or closing, for the audit log and the metrics. Each
// opening is followed by one closing.
type Event struct {
	Kind              EventKind
	User              *authhandlers.AuthUserInfo
	ID                string // the request id of the handshake
	Client            netip.Addr
	Code              int    // of the close; 1006 where there was none
	Reason            string // why it was closed from here, or "closed by the client", "closed by the Cat"
	Duration          time.Duration
	FromClient, ToCat int64 // messages and bytes towards the Cat
	FromCat, ToClient int64 // messages and bytes towards the client
}

// traffic counts what has gone one way.
type traffic struct{ messages, bytes int64 }

// opened tells of the opening.
func (s *socket) opened() {
	s.since = s.hub.now()
	s.hub.observe(Event{Kind: EventOpen, User: s.user, ID: s.id, Client: s.addr})
}

// closed tells of the closing, when nothing is relayed any more.
func (s *socket) closed() {
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	s.hub.observe(Event{
		Kind: EventClose, User: s.user, ID: s.id, Client: s.addr, Code: first.Code, Reason: first.Reason,
		Duration:   s.hub.now().Sub(s.since),
		FromClient: s.towards[toCat].messages, ToCat: s.towards[toCat].bytes,
		FromCat: s.towards[toClient].messages, ToClient: s.towards[toClient].bytes,
	})
}
