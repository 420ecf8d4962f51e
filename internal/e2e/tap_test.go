package e2e

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
)

// tap stands between Catflap and the Cat and keeps every byte that Catflap sends.
// It can be shut, as a Cat that is down.
type tap struct {
	t    testing.TB
	addr string
	cat  string

	mu       sync.Mutex
	listener net.Listener
	conns    []*tapped
	seen     int // requests that take has returned, for names
}

// tapped is one connection. Bytes are kept before they are passed on: when an
// answer has come back, the request is here.
type tapped struct {
	client, server net.Conn
	buf            []byte
	parsed         int
	frames         bool // the rest are frames of a WebSocket
}

func newTap(t testing.TB, cat string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{t: t, addr: l.Addr().String(), cat: cat, listener: l}
	go p.serve(l)
	t.Cleanup(p.shut)
	return p
}

func (p *tap) serve(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go p.join(client)
	}
}

func (p *tap) join(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.cat)
	if err != nil {
		return
	}
	defer server.Close()
	c := &tapped{client: client, server: server}
	p.mu.Lock()
	p.conns = append(p.conns, c)
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.copy(client, server, nil)
		_ = client.Close() // both ways end together
	}()
	p.copy(server, client, c)
	_ = server.Close()
	<-done
}

// copy passes bytes on, and keeps them if c is given.
func (p *tap) copy(to, from net.Conn, c *tapped) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if c != nil && n > 0 {
			p.mu.Lock()
			c.buf = append(c.buf, b[:n]...)
			p.mu.Unlock()
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// shut ends the listener and all connections.
func (p *tap) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.listener.Close()
	for _, c := range p.conns {
		_ = c.client.Close()
		_ = c.server.Close()
	}
}

// open listens again at the same address.
func (p *tap) open() {
	p.t.Helper()
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
	go p.serve(l)
}

// take returns the whole requests that came since the last time. Bytes which are
// no well-formed request fail the test: whatever a client sends, Catflap itself
// must write nothing doubtful. Catflap's own probes are left out.
func (p *tap) take() []arrival {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []arrival
	for _, c := range p.conns {
		for !c.frames && c.parsed < len(c.buf) {
			a, n, err := parseArrival(c.buf[c.parsed:])
			if errors.Is(err, errIncomplete) {
				break
			}
			if err != nil {
				p.t.Errorf("doubtful bytes to the Cat: %v: %q", err, clip(c.buf[c.parsed:], 600))
				c.frames = true
				break
			}
			c.parsed += n
			c.frames = a.upgrades()
			if !a.isProbe() {
				all = append(all, a)
			}
		}
	}
	p.seen += len(all)
	return all
}

// bytes is everything that Catflap ever sent to the Cat.
func (p *tap) bytes() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all bytes.Buffer
	for _, c := range p.conns {
		all.Write(c.buf)
		all.WriteByte('\n')
	}
	return all.Bytes()
}

func clip(b []byte, n int) []byte { return b[:min(n, len(b))] }
