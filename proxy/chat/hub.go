package chat

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
)

// Options are the parts of a Hub.
type Options struct {
	Settings
	Now     func() time.Time
	Observe func(Event)
	// Caught, if set, is deferred in each goroutine that serves a socket: it may
	// recover, and then a fault costs that one socket.
	Caught func()
	// Redial, if set, opens a person's socket at the Cat again, as the configuration in
	// force has it. Without it the newest client's own Dial is used.
	Redial func(context.Context, *authhandlers.AuthUserInfo) (*websocket.Conn, error)
	// Rights, if set, are what the Cat may believe of a person at their socket, as the
	// configuration in force has it. Those who share one have it opened with what each of
	// them has: Within says so to Dial and Redial. It must not call the hub.
	Rights func(*authhandlers.AuthUserInfo) cat.Permissions
	// CatOf, if set, names a person's Cat, of several. It must not call the hub.
	CatOf func(id string) string
	// Fleet, if set, is the other processes before the same Cat. Without it this one
	// is alone.
	Fleet Fleet
	// Renew, if set, is asked for a later Expiry of somebody who came by a session,
	// before theirs comes. A *authhandlers.Rejection ends the socket at once; any other
	// error is a fault, and the socket stays until its Expiry.
	Renew func(context.Context, *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error)
	// Confirm, if set, is asked whether somebody is still let in who has a place by now,
	// so that whatever has ended their access before is known, also where nobody has
	// told of it yet. A *authhandlers.Rejection means no; any other error is a fault.
	Confirm func(context.Context, *authhandlers.AuthUserInfo) error
	// Attributes, if set, returns what the Cat's plugins are told of a person, signed; it
	// goes with each message. An empty one means that they are told nothing.
	Attributes func(*authhandlers.AuthUserInfo) (token string, err error)
	// Reauthenticate, if set, verifies a new token that a client has sent over its
	// socket, with errors as those of Renew.
	Reauthenticate func(ctx context.Context, current *authhandlers.AuthUserInfo, token string) (*authhandlers.AuthUserInfo, error)
}

// Joining is a client that wants a socket.
type Joining struct {
	User   *authhandlers.AuthUserInfo
	ID     string
	Client netip.Addr
	// Group, if not empty, names the people who come by one credential. Together they have
	// half of the clients.
	Group string
	// Page says that a browser's page has asked, whose script may be stopped before its
	// socket is closed.
	Page bool
	// Since is when the caller began to find out who the User is: whatever has ended
	// their access after that holds for this socket, too.
	Since Mark
	// Dial opens the person's socket at the Cat, with a Dialer of the hub. It may be
	// called after Join has returned, and should hold nothing of the request. [Within]
	// of its ctx bounds what the socket may be opened with.
	Dial func(context.Context) (*websocket.Conn, error)
	// Upgrade answers the client's handshake, with an Upgrader of the hub.
	Upgrade func() (*websocket.Conn, error)
}

// Hub holds every live socket. It outlives configuration reloads.
type Hub struct {
	o       Options
	born    time.Time
	poller  *wsconn.Poller
	pieces  sync.Pool
	times   times
	held    atomic.Int64 // bytes of messages that are in memory
	pace    catPace
	counts  counts
	router  router
	remotes atomic.Uint64 // ever; their numbers
	gates   gates

	settings atomic.Pointer[Settings]
	stopping atomic.Bool // set while the hub is locked

	mu       sync.Mutex
	judge    Judge         // of the last Rejudge
	judged   atomic.Uint64 // how many there were
	lately   revocations
	clients  map[*client]struct{} // each holds a place, served already or not
	serving  int
	serial   uint64
	people   map[string]*person
	places   map[string]*place
	groups   groups
	ends     expiries
	looking  bool
	renewals renewals
	idle     sync.WaitGroup // places, and upstreams
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
	h := &Hub{
		o: o, born: time.Now(), times: defaultTimes(), clients: map[*client]struct{}{}, people: map[string]*person{}, places: map[string]*place{},
		poller: wsconn.NewPoller(parkAfter),
		pieces: sync.Pool{New: func() any { b := make([]byte, copyBufferSize); return &b }},
	}
	h.settings.Store(&o.Settings)
	if o.Fleet != nil {
		o.Fleet.Listen(h)
	}
	return h
}

// Reconfigure sets what holds for the sockets that open from now on.
func (h *Hub) Reconfigure(s Settings) {
	h.settings.Store(&s)
	h.eachGate((*gate).changed)
}

// endpoint is somebody with a place, whichever way it is served.
type endpoint interface {
	open(context.Context, *Joining) error // opens what it needs at the Cat, then the client's side
	serve()                               // starts serving, and returns
	end(Closing)                          // closes it from here; before it is open, it never opens
	abort()                               // cuts it
}

// Join opens a socket for one client and returns; the hub serves it from then on,
// without the caller's goroutine, which would cost each idle socket more than
// the rest. An error means that nothing was upgraded and that the caller answers
// over HTTP: it is or wraps ErrTooManySockets, ErrStopping, *EndedError, *DialError, *ClaimError,
// *UnsureError, *UpgradeError or ctx's error. An ended ctx ends the waiting, but not
// the socket.
func (h *Hub) Join(ctx context.Context, j Joining) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := h.reserve(&j, cancel)
	if err != nil {
		return err
	}
	if err := h.confirm(ctx, s); err != nil {
		h.release(s)
		return err
	}
	if err := s.endpoint.open(ctx, &j); err != nil {
		h.release(s)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	s.endpoint.serve()
	return nil
}

// reserve takes a place for a person's socket. From here on, whatever ends that
// person's access ends this, too.
func (h *Hub) reserve(j *Joining, cancel context.CancelCauseFunc) (*client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := j.User.Key()
	p := h.people[name]
	switch set := h.settings.Load(); {
	case h.stopping.Load():
		return nil, ErrStopping
	case set.MaxSockets > 0 && len(h.clients) >= set.MaxSockets:
		return nil, ErrTooManySockets
	case h.groups.full(j.Group, set.MaxSockets):
		return nil, ErrTooManySockets
	case p != nil && set.MaxPerUser > 0 && len(p.clients) >= set.MaxPerUser:
		return nil, ErrTooManySockets
	}
	u, c := h.since(j.Since, j.User)
	if c != nil {
		return nil, &EndedError{*c}
	}
	j.User = u
	if p == nil {
		p = newPerson(h, name, j.User.ID)
		h.people[name] = p
	}
	s := newClient(h, p, j, cancel)
	p.clients = append(p.clients, s)
	h.clients[s] = struct{}{}
	h.groups.add(s, j.Group)
	h.idle.Add(1)
	h.watch(s)
	return s, nil
}
