package chat

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// EventKind is what happened.
type EventKind string

// The kinds of event.
const (
	EventOpen  EventKind = "socket_open"
	EventClose EventKind = "socket_close"
	// The Cat's side of a shared session. A loss is followed by a return or by an end.
	EventCatOpen EventKind = "cat_socket_open"
	EventCatLost EventKind = "cat_socket_lost"
	EventCatBack EventKind = "cat_socket_back"
	EventCatEnd  EventKind = "cat_socket_close"
	// EventMoved is a person's way to the Cat that was found again while clients waited:
	// another process's socket, or this one's in the place of another's.
	EventMoved EventKind = "cat_socket_moved"
	// EventAnswer is the first word of an answer; Duration is how long it took.
	EventAnswer EventKind = "answer"
	// EventUndelivered is a message whose sender was told that it may be lost.
	EventUndelivered EventKind = "undelivered"
	// EventMissed is a message of the Cat that nobody was there to hear, dropped.
	EventMissed EventKind = "missed"
	// EventRefused is a message that was refused for coming too fast.
	EventRefused EventKind = "refused"
)

// Event is something that happened to a socket, for the audit log and the metrics.
// Each EventOpen is followed by one EventClose, and each EventCatOpen by one
// EventCatEnd.
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
type traffic struct{ messages, bytes atomic.Int64 }

// Stats are the sockets of this moment.
type Stats struct {
	Clients      int   // open to clients
	CatOpen      int   // upstreams open at the Cat, for shared sessions
	CatLost      int   // upstreams that wait for a Cat that has gone
	Lingering    int   // of those, with no client
	Relayed      int   // people whose socket at the Cat another process has
	Guests       int   // other processes' sessions over sockets of this one
	BytesInQueue int64 // of messages that are in memory
	TurnsAtCat   int   // turns under way, where they are bounded
	TurnsWaiting int   // turns that wait for a place there
}

// counts are what Stats shows of the upstreams.
type counts struct{ open, lost, lingering atomic.Int64 }

// Stats returns the numbers of this moment.
func (h *Hub) Stats() Stats {
	relayed, guests := h.router.counts()
	under, waiting := 0, 0
	h.eachGate(func(g *gate) {
		u, w := g.counts()
		under, waiting = under+u, waiting+w
	})
	return Stats{
		TurnsAtCat: under, TurnsWaiting: waiting,
		Relayed: relayed, Guests: guests,
		Clients: h.Count(), CatOpen: int(h.counts.open.Load()), CatLost: int(h.counts.lost.Load()),
		Lingering: int(h.counts.lingering.Load()), BytesInQueue: h.held.Load(),
	}
}
