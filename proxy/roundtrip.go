package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// catTransport is the way to one Cat over HTTP/1.1: what http.Transport does, for
// one host, on the goroutine of the request, without two more to hand over to. It
// carries requests that can be sent again (without a body, or with GetBody);
// others go by http.Transport. What is written and read on the wire is net/http's
// own (Request.Write, ReadResponse).
type catTransport struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	address string
	timeout time.Duration // until the head of the answer
	cut     func()        // if set, told of new connections that end without a byte

	mu       sync.Mutex
	idle     []*catConn  // the newest last
	sweeping *time.Timer // nil while nothing waits
	closed   bool
}

// catConn is one connection. Between requests it waits in idle.
type catConn struct {
	net.Conn
	in    *bufio.Reader
	out   *bufio.Writer
	left  int64 // bytes that may still be read of an answer's head; below 0: no bound
	since time.Time
	used  bool // it has carried a request before
	began bool // a byte of the present answer has come
}

const (
	connReadBuffer  = 8 << 10
	connWriteBuffer = 4 << 10
	maxInformative  = 5 // 1xx answers before the real one
)

var (
	errHeadTooLarge   = errors.New("the head of the Cat's answer is too large")
	errTooInformative = errors.New("the Cat sends too many 1xx answers")
)

// Read bounds the head of an answer, and notes that one has begun.
func (c *catConn) Read(p []byte) (int, error) {
	if c.left >= 0 {
		if c.left == 0 {
			return 0, errHeadTooLarge
		}
		p = p[:min(int64(len(p)), c.left)]
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.began = true
		if c.left > 0 {
			c.left -= int64(n)
		}
	}
	return n, err
}

// RoundTrip sends the request on an idle connection or a new one. A connection
// that the Cat had closed meanwhile costs nobody an error if the request can be
// repeated safely.
func (t *catTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		c, err := t.take(req)
		if err != nil {
			return nil, err
		}
		reused := c.used
		resp, err := t.exchange(c, req)
		if err == nil {
			return resp, nil
		}
		_ = c.Close()
		if t.cut != nil && !reused && !c.began && req.Context().Err() == nil && !isTimeout(err) {
			t.cut()
		}
		if !reused || c.began || !repeatable(req) || req.Context().Err() != nil || isTimeout(err) {
			return nil, err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// repeatable reports an idempotent request (RFC 9110 §9.2.2).
func repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// take returns an idle connection, or a new one. For a request that must not be
// sent twice it looks first whether the Cat has closed the connection.
func (t *catTransport) take(req *http.Request) (*catConn, error) {
	now, look := time.Now(), !repeatable(req)
	for {
		t.mu.Lock()
		n := len(t.idle)
		if n == 0 {
			t.mu.Unlock()
			break
		}
		c := t.idle[n-1]
		t.idle[n-1] = nil
		t.idle = t.idle[:n-1]
		t.mu.Unlock()
		if now.Sub(c.since) < upstreamIdle && (!look || stillOpen(c.Conn)) {
			return c, nil
		}
		_ = c.Close()
	}
	conn, err := t.dial(req.Context(), "tcp", t.address)
	if err != nil {
		return nil, err
	}
	c := &catConn{Conn: conn}
	c.in, c.out = bufio.NewReaderSize(c, connReadBuffer), bufio.NewWriterSize(conn, connWriteBuffer)
	return c, nil
}

// give takes a connection back after a whole exchange.
func (t *catTransport) give(c *catConn) {
	c.used, c.since = true, time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.idle) >= upstreamPool {
		_ = c.Close()
		return
	}
	t.idle = append(t.idle, c)
	if t.sweeping == nil {
		t.sweeping = time.AfterFunc(upstreamIdle, t.sweep)
	}
}

// sweep closes what has waited for so long that the Cat closes it, too. It comes
// again while anything waits.
func (t *catTransport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.idle = slices.DeleteFunc(t.idle, func(c *catConn) bool {
		old := now.Sub(c.since) >= upstreamIdle
		if old {
			_ = c.Close()
		}
		return old
	})
	t.sweeping = nil
	if len(t.idle) > 0 {
		t.sweeping = time.AfterFunc(upstreamIdle-now.Sub(t.idle[0].since), t.sweep)
	}
}

// close gives up the idle connections, and each that comes back later.
func (t *catTransport) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, c := range t.idle {
		_ = c.Close()
	}
	t.idle = nil
	if t.sweeping != nil {
		t.sweeping.Stop()
		t.sweeping = nil
	}
}

// exchange writes the request and reads the head of its answer.
func (t *catTransport) exchange(c *catConn, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	// A client that leaves ends the wait, and with the connection the work at the Cat.
	leave := context.AfterFunc(ctx, func() { _ = c.Close() })
	c.left, c.began = upstreamHeaders, false
	if err := c.SetDeadline(time.Now().Add(t.timeout)); err != nil {
		leave()
		return nil, err
	}
	resp, err := t.ask(c, req)
	if err != nil {
		leave()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	c.left = -1
	if err := c.SetDeadline(time.Time{}); err != nil {
		leave()
		return nil, err
	}
	// After a 5xx the Cat closes without saying so.
	keep := !resp.Close && resp.StatusCode < http.StatusInternalServerError && resp.StatusCode != http.StatusSwitchingProtocols
	body := &catBody{ReadCloser: resp.Body, done: func(whole bool) {
		if leave() && whole && keep && c.in.Buffered() == 0 {
			t.give(c)
			return
		}
		_ = c.Close()
	}}
	if resp.Body == http.NoBody || resp.ContentLength == 0 {
		body.finish(true)
	}
	resp.Body = body
	return resp, nil
}

func (t *catTransport) ask(c *catConn, req *http.Request) (*http.Response, error) {
	if err := req.Write(c.out); err != nil {
		return nil, err
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	for range maxInformative {
		resp, err := http.ReadResponse(c.in, req)
		if err != nil || resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
	return nil, errTooInformative
}

// catBody gives the connection back at the end of the answer, or closes it.
type catBody struct {
	io.ReadCloser
	done  func(whole bool)
	ended bool
}

func (b *catBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.finish(err == io.EOF)
	}
	return n, err
}

// Close before the end cuts the connection: reading on could take for ever.
func (b *catBody) Close() error {
	b.finish(false)
	return nil
}

func (b *catBody) finish(whole bool) {
	if !b.ended {
		b.ended = true
		b.done(whole)
	}
}
