package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/attributes"
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

// attributes is what plugins are told of the client as it is now, signed; empty where they
// are told nothing.
func (s *client) attributes() (string, error) {
	if s.hub.o.Attributes == nil {
		return "", nil
	}
	token, err := s.hub.o.Attributes(s.user.Load())
	if err != nil {
		return "", &EndedError{wsconn.ClosingFault}
	}
	return token, nil
}

// attributed puts a token into a whole message. It writes over the message.
func (s *client) attributed(message []byte, token string) ([]byte, error) {
	if token == "" {
		return message, nil
	}
	message, err := attributes.Rewrite(message, token)
	if err == nil && s.limit > 0 && int64(len(message)) > s.limit {
		return nil, websocket.ErrReadLimit // the Cat would close the socket of them all
	}
	return message, err
}

// attributing does the same with a message that streams through, of which begun has been
// read; ended is whether that is all. It returns what is to be read in its place, or nil.
func (s *client) attributing(begun []byte, ended bool, rest io.Reader) (io.Reader, error) {
	token, err := s.attributes()
	if err != nil || token == "" {
		return nil, err
	}
	whole := io.Reader(bytes.NewReader(bytes.Clone(begun)))
	if !ended {
		whole = io.MultiReader(whole, rest)
	}
	return attributes.NewReader(whole, token), nil
}

// opened tells of the opening.
func (s *client) opened() {
	s.since = s.hub.o.Now()
	s.hub.o.Observe(Event{Kind: EventOpen, User: s.user.Load(), ID: s.id, Client: s.addr})
}

// closed tells of the closing, when nothing is relayed any more.
func (s *client) closed(how Closing) {
	s.hub.o.Observe(Event{
		Kind: EventClose, User: s.user.Load(), ID: s.id, Client: s.addr, Code: how.Code, Reason: how.Reason,
		Duration:   s.hub.o.Now().Sub(s.since),
		FromClient: s.towards[toCat].messages.Load(), ToCat: s.towards[toCat].bytes.Load(),
		FromCat: s.towards[toClient].messages.Load(), ToClient: s.towards[toClient].bytes.Load(),
	})
}

// reauthenticate has a token frame verified, in the reader's goroutine: what the
// client sends next waits for it. It returns the answer, or why the socket ends.
func (s *client) reauthenticate(frame []byte) ([]byte, *Closing) {
	var f struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}
	frame = bytes.TrimPrefix(frame, []byte("\xef\xbb\xbf"))
	if err := json.Unmarshal(frame, &f); err != nil || f.Type != tokenType || f.Token == "" {
		return nil, &closeBadToken
	}
	h := s.hub
	if h.o.Reauthenticate == nil {
		return tokenAnswer{Error: "new tokens are not taken here"}.bytes(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), reauthWait)
	defer cancel()
	before := s.user.Load()
	since := h.Mark()
	u, err := h.o.Reauthenticate(ctx, before, f.Token)
	if err == nil {
		err = h.become(s, since, before, u)
	}
	switch c := ending(err, closeRefused); {
	case c != nil:
		return nil, c
	case err != nil:
		return tokenAnswer{Error: "the token can't be verified at the moment"}.bytes(), nil
	}
	return accepted(u).bytes(), nil
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
		w := &localSubscriber{cancel: cancel}
		w.in.maxBytes, w.in.maxCount = set.queue()
		if j.Page {
			w.in.reader.kind = pageReads
		}
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

// Due implements deadline.Item.
func (s *client) Due() time.Time { return s.due }

// Place implements deadline.Item.
func (s *client) Place() *int { return &s.expiry }
