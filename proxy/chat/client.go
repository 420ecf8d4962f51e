package chat

import (
	"context"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
)

// client is one client's place in the hub, and what is known of the client.
type client struct {
	hub      *Hub
	person   *person
	endpoint endpoint
	n        uint64 // tells it from every other
	id       string
	addr     netip.Addr
	ping     time.Duration
	limit    int64
	within   time.Duration // for a message to come whole
	rate     pace.Allowance
	since    time.Time

	user    atomic.Pointer[authhandlers.AuthUserInfo] // changes when the credential is renewed
	towards [2]traffic

	// Guarded by the hub:
	due      time.Time // when its credential is looked at next
	expiry   int       // the place in the hub's expiries
	asking   bool      // a renewal waits or is under way
	askAgain bool      // something has happened since the renewal that is under way began
	isServed bool
}

// newClient makes a place for a client, in the mode in force. The hub is locked.
func newClient(h *Hub, p *person, j *Joining, cancel context.CancelCauseFunc) *client {
	h.serial++
	set := h.settings.Load()
	var s *client
	if set.Mode == Separate {
		t := &tunnel{cancel: cancel, over: make(chan struct{})}
		s, t.endpoint = &t.client, t
	} else {
		w := &subscriber{cancel: cancel, page: j.Page}
		w.maxBytes, w.maxCount = set.queue()
		s, w.endpoint = &w.client, w
	}
	s.hub, s.person, s.n, s.id, s.addr, s.expiry = h, p, h.serial, j.ID, j.Client, noExpiry
	s.ping, s.limit, s.rate = set.Ping, set.MaxMessage, pace.NewAllowance(set.MessageRate)
	s.within = set.MessageTimeout
	s.user.Store(j.User)
	return s
}

// release gives the place back. The person is remembered until the Cat has
// settled, since their next socket must wait for that.
func (h *Hub) release(s *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, s)
	h.groups.remove(s)
	h.ends.remove(s)
	if s.isServed {
		h.serving--
	}
	p := s.person
	if i := slices.Index(p.clients, s); i >= 0 {
		p.clients = slices.Delete(p.clients, i, i+1)
	}
	if len(p.clients) == 0 {
		p.forgetSoon()
	}
	h.idle.Done()
}

// served notes that the socket is open at both ends.
func (h *Hub) served(s *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.isServed = true
	h.serving++
}

// Count returns how many sockets are open.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.serving
}

// SocketInfo is one open socket, for its owner to see.
type SocketInfo struct {
	ID      string // the request id of the handshake
	Session string // the browser session by which it came, if it did
	Client  netip.Addr
	Since   time.Time
	Handler string
}

// Sockets lists a person's open sockets, in the order of their opening.
func (h *Hub) Sockets(u *authhandlers.AuthUserInfo) []SocketInfo {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[u.Key()]
	if p == nil {
		return nil
	}
	var list []SocketInfo
	for _, s := range p.clients {
		if s.isServed {
			u := s.user.Load()
			list = append(list, SocketInfo{ID: s.id, Session: u.Session, Client: s.addr, Since: s.since, Handler: u.Handler})
		}
	}
	return list
}
