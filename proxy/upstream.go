package proxy

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// The way to the Cat. It closes idle connections after 5.0 s, so ours must be
// given up before; and it closes after each 500 without saying so.
const (
	upstreamIdle    = 4 * time.Second
	upstreamPool    = 512
	upstreamHeaders = 128 << 10
	copyBuffer      = 32 << 10
)

// UpstreamOptions say where the Cat is and how long it may take.
type UpstreamOptions struct {
	Base            *url.URL
	ConnectTimeout  time.Duration
	ResponseTimeout time.Duration
	Log             *slog.Logger
}

// Upstream is the connections to the Cat. It outlives the Handlers that use it as
// long as the Cat's address stays the same.
type Upstream struct {
	base     *url.URL
	pooled   *http.Transport
	single   *http.Transport
	errorLog *log.Logger
	buffers  sync.Pool
	timeout  time.Duration
}

// NewUpstream makes the transports; nothing is dialled yet.
func NewUpstream(o UpstreamOptions) *Upstream {
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 15 * time.Second}
	u := &Upstream{
		base: o.Base, errorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug), timeout: o.ConnectTimeout,
		buffers: sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }},
	}
	u.pooled = &http.Transport{
		DialContext:            watched(dialer.DialContext),
		MaxIdleConnsPerHost:    upstreamPool,
		IdleConnTimeout:        upstreamIdle,
		ResponseHeaderTimeout:  o.ResponseTimeout,
		TLSHandshakeTimeout:    o.ConnectTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: upstreamHeaders,
	}
	// A body that streams through can't be sent again, so it never meets a
	// connection that the Cat may have closed meanwhile.
	u.single = u.pooled.Clone()
	u.single.DialContext = dialer.DialContext
	u.single.DisableKeepAlives = true
	return u
}

// Close gives up the idle connections.
func (u *Upstream) Close() { u.pooled.CloseIdleConnections() }

func (u *Upstream) roundTrip(req *http.Request, streamed bool) (*http.Response, error) {
	if streamed {
		return u.single.RoundTrip(req)
	}
	return u.pooled.RoundTrip(req)
}

// Get and Put are the buffers for copying bodies (httputil.BufferPool).
func (u *Upstream) Get() []byte { return *u.buffers.Get().(*[]byte) }

// Put takes a buffer back.
func (u *Upstream) Put(b []byte) { u.buffers.Put(&b) }

// mapLocation makes an address of the Cat's own a path, so that no browser is
// ever sent to the Cat itself. Other hosts' addresses stay.
func (u *Upstream) mapLocation(h http.Header, name string) {
	text := h.Get(name)
	if text == "" {
		return
	}
	at, err := url.Parse(text)
	if err != nil {
		delete(h, name)
		return
	}
	if at.Host == "" || at.Host != u.base.Host {
		return
	}
	at.Scheme, at.Host, at.User = "", "", nil
	path := at.String()
	if len(path) > 1 && path[0] == '/' && (path[1] == '/' || path[1] == '\\') {
		path = "/" // a path that a browser would read as another host
	}
	h[name] = []string{path}
}

// errStale makes the transport take another connection: nothing has been written.
var errStale = errors.New("the Cat closes this connection")

// watchedConn refuses to carry another request once the Cat has answered one with
// a 5xx, since it closes the connection then without a Connection: close. The
// transport sends such a request again by itself, since no byte of it has left.
type watchedConn struct {
	net.Conn
	asked atomic.Bool // a request is under way: the next bytes read begin an answer
	dying atomic.Bool
}

func watched(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: c}, nil
	}
}

func (c *watchedConn) Write(p []byte) (int, error) {
	if c.dying.Load() {
		return 0, errStale
	}
	c.asked.Store(true)
	return c.Conn.Write(p)
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.asked.Swap(false) && bytes.HasPrefix(p[:n], []byte("HTTP/1.1 5")) {
		c.dying.Store(true)
	}
	return n, err
}
