package app

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// connection is one of the listener's. It gives its place back when it is closed,
// and bounds its writes: one that makes no progress for the listener's writeIdle
// ends the connection. Unlike the library's limited connections it can still be asked
// for its descriptor, without which an idle socket costs twice as much.
type connection struct {
	net.Conn
	l *connections

	// Of the listener, under its mutex. from is nil once it no longer counts for its
	// network.
	from           *origin
	next, previous *connection
	ended          bool

	idleSince atomic.Int64 // Unix nanoseconds; 0 while it is not idle
	bounded   atomic.Int64 // when the write deadline was last moved, in Unix nanoseconds
	deadlines atomic.Int32 // who sees to the write deadline
}

// The ones who can see to a connection's write deadline.
const (
	oursNow   int32 = iota
	theirsNow       // until they take it off
	theirs          // for good
)

// boundEvery is how often, at most, a write deadline is moved.
const boundEvery = time.Second

// Write is bounded by progress, not in all: who reads slowly is served to the end.
func (c *connection) Write(p []byte) (int, error) {
	if c.deadlines.Load() != oursNow {
		return c.Conn.Write(p)
	}
	if now := time.Now(); now.UnixNano()-c.bounded.Load() > int64(min(boundEvery, c.slice()/2)) {
		if err := c.bound(now); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Write(p)
	if err == nil {
		return n, nil
	}
	return c.writeOn(p, n, err)
}

// writeOn goes on behind a deadline while the client takes something: bytes of this
// write, or of those before that still wait in the kernel.
func (c *connection) writeOn(p []byte, n int, err error) (int, error) {
	for before := -1; errors.Is(err, os.ErrDeadlineExceeded) && c.deadlines.Load() == oursNow; {
		waiting := unsent(c)
		if before >= 0 && waiting >= before {
			return n, err
		}
		before = waiting
		if err := c.bound(time.Now()); err != nil {
			return n, err
		}
		var more int
		more, err = c.Conn.Write(p[n:])
		if n += more; more > 0 {
			before = -1
		}
	}
	return n, err
}

// slice is the time after which a write that stands is looked at: at the second
// look in a row without progress it has stood for as long as it may.
func (c *connection) slice() time.Duration { return c.l.o.writeIdle / 2 }

func (c *connection) bound(now time.Time) error {
	c.bounded.Store(now.UnixNano())
	return c.Conn.SetWriteDeadline(now.Add(c.slice()))
}

// SetWriteDeadline leaves the deadline to who sets one, until it is taken off: then
// writes are bounded here again.
func (c *connection) SetWriteDeadline(t time.Time) error {
	if t.IsZero() && c.deadlines.Load() == oursNow {
		return nil // the next write moves it
	}
	c.bounded.Store(0)
	if t.IsZero() {
		c.deadlines.CompareAndSwap(theirsNow, oursNow)
	} else {
		c.deadlines.CompareAndSwap(oursNow, theirsNow)
	}
	return c.Conn.SetWriteDeadline(t)
}

// handOver leaves the connection's deadlines to who has taken it over.
func (c *connection) handOver() { c.deadlines.Store(theirs) }

func (c *connection) Close() error {
	c.l.mu.Lock()
	c.l.end(c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

var errNoDescriptor = errors.New("the connection has no descriptor")

// SyscallConn is for who waits for many connections at once.
func (c *connection) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errNoDescriptor
}

// CloseWrite closes our half of the connection.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errNoDescriptor
}
