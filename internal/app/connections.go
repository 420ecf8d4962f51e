package app

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/pace"
)

// connections is a listener that has no more than so many connections open at once,
// with a share for each network; more wait until there is a place. Where places are
// short, kept connections that do nothing go first. A connection that has become a
// WebSocket costs less, and counts in all only: its person has a bound of their own.
type connections struct {
	net.Listener
	o connectionLimits

	// waiting is set before idle connections are looked for, so that one which
	// becomes idle is seen there, or sees it.
	waiting atomic.Bool

	mu      sync.Mutex
	changed sync.Cond // a place may have come free, or a connection idle
	closed  bool
	open    int
	http    int // of these, no WebSockets
	origins map[netip.Addr]*origin
}

// connectionLimits are the bounds of a listener.
type connectionLimits struct {
	all  int
	http int // that are no WebSockets
	each int // of these, of one network
	// weight is how many places of http and each a connection takes; 0 means one.
	weight int
	// writeIdle is how long a write may make no progress.
	writeIdle time.Duration
	// exempt reports an address without a share: a front proxy's. Nil: there is none.
	exempt func(netip.Addr) bool
	// refused, if set, is told of each connection that its network has no place for.
	refused func()
}

// origin is one network's connections that are no WebSockets.
type origin struct {
	network netip.Addr
	first   *connection
	open    int
	exempt  bool
}

func limitConnections(l net.Listener, o connectionLimits) *connections {
	weight := max(1, o.weight)
	o.http = max(1, min(o.http/weight, o.all))
	o.each = max(1, min(o.each/weight, o.http/2)) // no network can have it all
	c := &connections{Listener: l, o: o, origins: map[netip.Addr]*origin{}}
	c.changed.L = &c.mu
	return c
}

// Accept waits for a connection, and for its place.
func (l *connections) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: conn, l: l}
		ok, err := l.enter(c)
		if ok {
			return c, nil
		}
		if err == nil && l.o.refused != nil {
			l.o.refused()
		}
		_ = conn.Close()
		if err != nil {
			return nil, err
		}
	}
}

func (l *connections) Close() error {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// enter gives the connection a place; false without an error means that its network
// has its share.
func (l *connections) enter(c *connection) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	address := remoteAddress(c.Conn)
	from := l.origins[pace.Network(address)]
	if from == nil {
		from = &origin{network: pace.Network(address), exempt: l.o.exempt != nil && l.o.exempt(address)}
	}
	if from.open >= l.o.each && !from.exempt {
		oldest := from.oldestIdle()
		if oldest == nil {
			return false, nil
		}
		l.drop(oldest)
	}
	defer l.waiting.Store(false)
	for (l.open >= l.o.all || l.http >= l.o.http) && !l.closed {
		l.waiting.Store(true)
		if oldest := l.oldestIdle(); oldest != nil {
			l.drop(oldest)
			continue
		}
		l.changed.Wait()
	}
	if l.closed {
		return false, net.ErrClosed
	}
	l.add(c, from)
	return true, nil
}

func (l *connections) add(c *connection, from *origin) {
	if known := l.origins[from.network]; known != nil {
		from = known // it came while this one waited
	}
	l.origins[from.network] = from
	l.open++
	l.http++
	from.open++
	c.from, c.next = from, from.first
	if from.first != nil {
		from.first.previous = c
	}
	from.first = c
}

// leave takes the connection from its network.
func (l *connections) leave(c *connection) {
	from := c.from
	if from == nil {
		return
	}
	if c.previous != nil {
		c.previous.next = c.next
	} else {
		from.first = c.next
	}
	if c.next != nil {
		c.next.previous = c.previous
	}
	c.from, c.next, c.previous = nil, nil, nil
	l.http--
	l.changed.Broadcast()
	if from.open--; from.open == 0 {
		delete(l.origins, from.network)
	}
}

// drop closes a connection to make place for another.
func (l *connections) drop(c *connection) {
	l.end(c)
	_ = c.Conn.Close() // it is idle: nobody is told
}

// end gives the connection's place back, once.
func (l *connections) end(c *connection) {
	if c.ended {
		return
	}
	c.ended = true
	l.leave(c)
	l.open--
	l.changed.Broadcast()
}

// oldestIdle is the longest idle connection of the network that has most, of those
// that have any idle. Front proxies come last.
func (l *connections) oldestIdle() *connection {
	var best *connection
	most := -1
	for _, from := range l.origins {
		open := from.open
		if from.exempt {
			open = 0
		}
		if open <= most {
			continue
		}
		if c := from.oldestIdle(); c != nil {
			best, most = c, open
		}
	}
	return best
}

func (o *origin) oldestIdle() *connection {
	var oldest *connection
	var since int64
	for c := o.first; c != nil; c = c.next {
		if at := c.idleSince.Load(); at != 0 && (oldest == nil || at < since) {
			oldest, since = c, at
		}
	}
	return oldest
}

// state is told by net/http what a connection does.
func (l *connections) state(conn net.Conn, s http.ConnState) {
	if over, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = over.NetConn()
	}
	c, ok := conn.(*connection)
	if !ok {
		return
	}
	switch s {
	case http.StateIdle:
		c.idleSince.Store(time.Now().UnixNano())
		if l.waiting.Load() {
			l.mu.Lock()
			l.changed.Broadcast()
			l.mu.Unlock()
		}
	case http.StateActive:
		c.idleSince.Store(0)
	case http.StateHijacked:
		c.idleSince.Store(0)
		c.handOver()
		l.mu.Lock()
		l.leave(c)
		l.mu.Unlock()
	}
}

func remoteAddress(c net.Conn) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
