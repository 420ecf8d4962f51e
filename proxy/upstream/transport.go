package upstream

import (
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
//
// The rule it guards: nobody gets the answer to another's request. HTTP/1.1 knows
// which answer belongs to which request by their order alone, so one answer too many
// would shift all that follow. A connection is kept only after an answer behind which
// nothing can come; it is looked at right before the next request is written; and it
// carries the requests of one person alone, since what comes between that look and
// the answer can't be told from the answer.
type catTransport struct {
	dial    dialFunc // a catDialer's
	address string
	timeout time.Duration // until the head of the answer
	cut     func()        // if set, told of new connections that end without a byte

	mu       sync.Mutex
	idle     []*catConn  // the newest last
	sweeping *time.Timer // nil while nothing waits
	closed   bool
}

const (
	connReadBuffer  = 8 << 10
	connWriteBuffer = 4 << 10
	maxInformative  = 5       // 1xx answers before the real one
	maxKeptBody     = 2 << 10 // of a request on a kept connection: with its head it is one write
)

var (
	errHeadTooLarge   = errors.New("the head of the Cat's answer is too large")
	errTooInformative = errors.New("the Cat sends too many 1xx answers")
	errNotQuiet       = errors.New("something lay on the kept connection to the Cat, or its end")
	errGivenUp        = errors.New("the Cat gave up the kept connection")
)

// RoundTrip sends the owner's request on a kept connection of theirs or a new one. A
// connection that the Cat had closed in the meantime costs nobody an error if the request
// can be repeated safely.
func (t *catTransport) RoundTrip(req *http.Request, owner string) (*http.Response, error) {
	for {
		c, err := t.take(req, owner)
		if err != nil {
			return nil, err
		}
		resp, err := t.exchange(c, req)
		if err == nil {
			return resp, nil
		}
		_ = c.Close()
		if req.Context().Err() != nil || isTimeout(err) {
			return nil, err
		}
		if t.cut != nil && !c.used && !c.began {
			t.cut()
		}
		if !c.again(req, err) {
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

// take returns a kept connection of the owner's, or a new one. A request that may
// take more than one write gets a new one: on it an early answer is its own.
func (t *catTransport) take(req *http.Request, owner string) (*catConn, error) {
	if req.ContentLength <= maxKeptBody {
		if c := t.kept(owner); c != nil {
			return c, nil
		}
	}
	conn, err := t.dial(req.Context(), "tcp", t.address)
	if err != nil {
		return nil, err
	}
	return newCatConn(conn, owner), nil
}

// kept takes the owner's newest connection out of those that wait.
func (t *catTransport) kept(owner string) *catConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, c := range slices.Backward(t.idle) {
		if c.owner == owner {
			if time.Since(c.since) >= upstreamIdle {
				return nil // and so are the older ones; the sweep closes them
			}
			t.idle = slices.Delete(t.idle, i, i+1)
			return c
		}
	}
	return nil
}

// give takes a connection back after a whole exchange.
func (t *catTransport) give(c *catConn) {
	c.used, c.since = true, time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = c.Close()
		return
	}
	if len(t.idle) >= upstreamPool {
		_ = t.idle[0].Close()
		t.idle = slices.Delete(t.idle, 0, 1)
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
	c.begin()
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
	keep := c.mayKeep(resp)
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
		resp, err := c.readHead(req)
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode >= http.StatusOK, resp.StatusCode == http.StatusSwitchingProtocols:
			return resp, nil
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

// Close before the end cuts the connection: reading on could take without an end.
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
