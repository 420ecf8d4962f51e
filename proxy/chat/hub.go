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
	// Caught, if set, is deferred in each goroutine that serves a socket: it may
	// recover, and then a fault costs that one socket.
	Caught func()
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
	caught  func()
	buffers writeBuffers
	pieces  sync.Pool
	stall   time.Duration

	mu       sync.Mutex
	settings Settings
	judge    func(*authhandlers.AuthUserInfo) *Closing // of the last Rejudge
	stopping bool
	sockets  map[*socket]struct{} // each holds a place, served already or not
	serving  int
	people   map[string]*person
	ends     expiries
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
	if o.Caught == nil {
		o.Caught = func() {}
	}
	return &Hub{
		now: o.Now, observe: o.Observe, caught: o.Caught, settings: o.Settings,
		stall: stall, sockets: map[*socket]struct{}{}, people: map[string]*person{},
		pieces: sync.Pool{New: func() any { b := make([]byte, piece); return &b }},
	}
}

// Reconfigure sets what holds for the sockets that open from now on.
func (h *Hub) Reconfigure(s Settings) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settings = s
}

// Join opens a socket for one client and returns; the hub serves it from then on,
// without the caller's goroutine, which would cost each idle socket more than
// the rest. An error means that nothing was upgraded and that the caller answers
// over HTTP: it is or wraps ErrTooManySockets, ErrStopping, *EndedError,
// *DialError, *UpgradeError or ctx's error. An ended ctx ends the waiting, but not
// the socket.
func (h *Hub) Join(ctx context.Context, j Joining) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, mode, err := h.reserve(&j, cancel)
	if err != nil {
		return err
	}
	if err := s.open(ctx, &j, mode); err != nil {
		h.release(s)
		return err
	}
	s.serve()
	return nil
}

// reserve takes a place for a person's socket. From here on, whatever ends that
// person's access ends this, too.
func (h *Hub) reserve(j *Joining, cancel context.CancelCauseFunc) (*socket, Mode, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[j.User.ID]
	switch set := &h.settings; {
	case h.stopping:
		return nil, 0, ErrStopping
	case set.MaxSockets > 0 && len(h.sockets) >= set.MaxSockets && !p.takesOver(set.Mode):
		return nil, 0, ErrTooManySockets
	case p != nil && set.Mode == Separate && set.MaxPerUser > 0 && p.places >= set.MaxPerUser:
		return nil, 0, ErrTooManySockets
	case p != nil && set.Mode == Shared && p.places >= queue:
		return nil, 0, ErrTooManySockets
	}
	// The caller has judged this person, but by rules that may have changed since.
	if h.judge != nil {
		if c := h.judge(j.User); c != nil {
			return nil, 0, &EndedError{*c}
		}
	}
	if p == nil {
		p = newPerson(j.User.ID)
		h.people[j.User.ID] = p
	}
	p.places++
	s := newSocket(h, p, j, cancel)
	h.sockets[s] = struct{}{}
	h.idle.Add(1)
	h.watch(s)
	return s, h.settings.Mode, nil
}

// release gives the place back. The person is remembered until the Cat has
// settled, since their next socket must wait for that.
func (h *Hub) release(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
	h.ends.remove(s)
	if s.isServed {
		h.serving--
	}
	p := s.person
	p.places--
	if p.places == 0 {
		time.AfterFunc(settle, func() { h.forget(p) })
	}
	h.idle.Done()
}

// served notes that the socket is open at both ends.
func (h *Hub) served(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.isServed = true
	h.serving++
}

// forget drops a person without sockets, unless the Cat has not settled: then another
// socket has ended since, and the timer of its own release comes later.
func (h *Hub) forget(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.places == 0 && p.unsettled() <= 0 && h.people[p.id] == p {
		delete(h.people, p.id)
	}
}

// Count returns how many sockets are open.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.serving
}
