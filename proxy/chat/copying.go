package chat

import (
	"errors"
	"io"
	"time"

	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/attributes"
)

// copying is one message on its way through a tunnel.
type copying struct {
	t    *tunnel
	way  int
	kind int // of the next piece; 0 where it goes on
	from *wsconn.Conn
	r    io.Reader // where the message is read: from, or what attributes make of it

	buf      []byte
	n        int   // bytes of buf that have been read
	err      error // of the last reading; io.EOF at the end
	scan     typeScan
	text     wsconn.Text
	speaking bool // the tunnel's lock is held
}

// run copies until the message ends. An error ends the side that it came from.
func (c *copying) run() error {
	bad := !c.text.Write(c.buf[:c.n])
	for first := true; ; first = false {
		bad = bad || !c.fill()
		last := errors.Is(c.err, io.EOF)
		if done, err := c.refuse(bad, last); done {
			return err
		}
		if failed := c.from.Wait(func() error { return c.pass(first, last) }); failed != nil {
			c.t.unwritable(c.way, failed)
			if last {
				return nil
			}
			return c.from.Discard()
		}
		if c.way == toClient {
			c.t.hears(last && c.scan.found, c.buf[:c.n], first)
		}
		if last {
			c.t.towards[c.way].messages.Add(1)
			return nil
		}
		c.n, c.kind = 0, 0
	}
}

// fill reads a piece: as much as fits, or a frame that nothing has followed yet. False
// means that it is no text, which is told as soon as it is seen.
func (c *copying) fill() bool {
	for c.err == nil && c.n < len(c.buf) && (c.n == 0 || !c.from.Paused()) {
		m, err := c.r.Read(c.buf[c.n:])
		part := c.buf[c.n : c.n+m]
		c.n, c.err = c.n+m, err
		if c.way == toCat || c.text.On { // the Cat ends its turns with text
			c.scan.write(part)
		}
		if !c.text.Write(part) {
			return false
		}
	}
	return true
}

// refuse reports whether the message ends here, and why.
func (c *copying) refuse(bad, last bool) (done bool, err error) {
	switch {
	case c.scan.found && c.way == toCat:
		return true, c.t.tooLong(c.from)
	case errors.Is(c.err, attributes.ErrNotObject):
		return true, &EndedError{closeNotAnObject}
	case c.err != nil && !last:
		return true, c.err
	case bad, last && !c.text.End():
		return true, wsconn.ErrNotUTF8
	}
	return false, nil
}

// pass writes a piece, and the end of the message if it is the last. Both sides are alive
// if the writing had to wait and then went on: one has read, and the other was not read
// from in the meantime.
func (c *copying) pass(first, last bool) error {
	if first && c.way == toClient {
		c.t.speaking.Lock()
		c.speaking = true
	}
	if last && c.way == toCat && c.text.On && c.scan.isObject() {
		c.t.asks(c.buf[:c.n], first)
	}
	c.t.towards[c.way].bytes.Add(int64(c.n))
	late, err := c.t.conns[1-c.way].WritePart(c.kind, last, c.buf[:c.n], c.t.hub.times.stall)
	if late && err == nil {
		now := time.Now()
		for _, side := range c.t.conns {
			side.Alive(now)
		}
	}
	return err
}

// end gives the lock back, when the message has passed or has failed.
func (c *copying) end() {
	if c.speaking {
		c.t.speaking.Unlock()
	}
}
