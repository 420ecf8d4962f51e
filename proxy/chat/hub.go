package chat

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// Mode says how a person's sockets share the Cat.
type Mode uint8

// The modes.
const (
	Shared   Mode = iota // one socket at the Cat for each person
	Separate             // one socket at the Cat for each client socket
)

// Settings can change while sockets are open; they hold for those that open next.
type Settings struct {
	Mode       Mode
	Ping       time.Duration // between pings to either side
	MaxMessage int64         // bytes of a message to the Cat; 0 means any size
	MaxSockets int           // in all; 0 means any number
	MaxPerUser int           // with Separate; 0 means any number
}

// Options are the parts of a Hub.
type Options struct {
	Settings
	Now     func() time.Time
	Observe func(Event)
}

// EventKind is what happened to a socket.
type EventKind string

// The kinds of event.
const (
	EventOpen  EventKind = "socket_open"
	EventClose EventKind = "socket_close"
)

// Event is one opening or closing, for the audit log and the metrics.
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

// Joining is a client that wants a socket.
type Joining struct {
	User   *authhandlers.AuthUserInfo
	ID     string
	Client netip.Addr
	// Dial opens the person's socket at the Cat, with a Dialer of the hub.
	Dial func(context.Context) (*websocket.Conn, error)
	// Upgrade answers the client's handshake, with an Upgrader of the hub.
	Upgrade func() (*websocket.Conn, error)
}

// Hub holds every live socket. It outlives configuration reloads.
type Hub struct {
	now     func() time.Time
	observe func(Event)
	buffers writeBuffers
	pieces  sync.Pool

	mu       sync.Mutex
	settings Settings
	stopping bool
	sockets  map[*socket]struct{}
	joining  int // places taken, open or not
	people   map[string]*person
	looking  bool
	idle     sync.WaitGroup
}

// NewHub makes a hub. It runs nothing while no socket is open.
func NewHub(o Options) *Hub {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	return &Hub{
		now: o.Now, observe: o.Observe, settings: o.Settings,
		sockets: map[*socket]struct{}{}, people: map[string]*person{},
		pieces: sync.Pool{New: func() any { b := make([]byte, piece); return &b }},
	}
}

// Reconfigure sets what holds for the sockets that open from now on.
func (h *Hub) Reconfigure(s Settings) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settings = s
}

// Join serves one client until its socket ends, and then returns nil. An error
// means that nothing was upgraded and that the caller answers over HTTP: it is or
// wraps ErrTooManySockets, ErrStopping, *DialError, *UpgradeError or ctx's error.
func (h *Hub) Join(ctx context.Context, j Joining) error {
	settings, p, err := h.reserve(j.User.ID)
	if err != nil {
		return err
	}
	defer h.release(p)
	s := newSocket(h, j, settings)
	if err := h.connect(ctx, s, p, settings.Mode); err != nil {
		return err
	}
	s.left = sync.OnceFunc(func() { p.left(s) })
	defer s.left()
	if s.client, err = j.Upgrade(); err != nil {
		s.hangUp()
		return &UpgradeError{err}
	}
	s.serve()
	return nil
}

// connect opens the socket at the Cat, in the person's turn.
func (h *Hub) connect(ctx context.Context, s *socket, p *person, mode Mode) (err error) {
	if mode == Shared {
		if err := p.takeTurn(ctx); err != nil {
			return err
		}
		defer p.giveTurn()
	}
	if s.cat, err = s.joining.Dial(ctx); err != nil {
		return &DialError{err}
	}
	p.joined(s)
	return nil
}

// reserve takes a place for a person's socket.
func (h *Hub) reserve(id string) (Settings, *person, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[id]
	switch set := &h.settings; {
	case h.stopping:
		return Settings{}, nil, ErrStopping
	case set.MaxSockets > 0 && h.joining >= set.MaxSockets:
		return Settings{}, nil, ErrTooManySockets
	case p != nil && set.Mode == Separate && set.MaxPerUser > 0 && p.places >= set.MaxPerUser:
		return Settings{}, nil, ErrTooManySockets
	case p != nil && set.Mode == Shared && p.places >= queue:
		return Settings{}, nil, ErrTooManySockets
	}
	if p == nil {
		p = newPerson(id)
		h.people[id] = p
	}
	p.places++
	h.joining++
	h.idle.Add(1)
	return h.settings, p, nil
}

// release gives the place back. The person is remembered until the Cat has
// settled, since their next socket must wait for that.
func (h *Hub) release(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.joining--
	p.places--
	if p.places == 0 {
		time.AfterFunc(settle, func() { h.forget(p) })
	}
	h.idle.Done()
}

func (h *Hub) forget(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.places == 0 && h.people[p.id] == p {
		delete(h.people, p.id)
	}
}

// Count returns how many sockets are open.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sockets)
}
