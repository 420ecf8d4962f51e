package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// The way to the Cat. It closes idle connections after 5.0 s, so ours must be
// given up before; and it closes after each 500 without saying so.
const (
	upstreamIdle    = 4 * time.Second
	upstreamPool    = 512
	upstreamHeaders = 128 << 10
	copyBuffer      = 128 << 10
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
	repeated *catTransport   // requests that can be sent again
	streamed *http.Transport // bodies that stream through
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
	dial := dialer.DialContext
	if o.Base.Scheme == "https" {
		dial = (&tls.Dialer{NetDialer: dialer, Config: &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}}).DialContext
	}
	u.repeated = &catTransport{dial: dial, address: authority(o.Base), timeout: o.ResponseTimeout}
	// A body that streams through can't be sent again, so it never meets a
	// connection that the Cat may have closed meanwhile.
	u.streamed = &http.Transport{
		DialContext: u.wide(dialer.DialContext), DisableKeepAlives: true, ResponseHeaderTimeout: o.ResponseTimeout, TLSHandshakeTimeout: o.ConnectTimeout,
		DisableCompression: true, MaxResponseHeaderBytes: upstreamHeaders,
	}
	return u
}

// Close gives up the idle connections; requests under way go on.
func (u *Upstream) Close() { u.repeated.close() }

// authority is the host and port to connect to.
func authority(base *url.URL) string {
	if base.Port() != "" {
		return base.Host
	}
	return net.JoinHostPort(base.Hostname(), map[string]string{"http": "80", "https": "443"}[base.Scheme])
}

func (u *Upstream) roundTrip(req *http.Request, streamed bool) (*http.Response, error) {
	if streamed {
		return u.streamed.RoundTrip(req)
	}
	return u.repeated.RoundTrip(req)
}

// Get and Put are the buffers for copying bodies (httputil.BufferPool).
func (u *Upstream) Get() []byte { return *u.buffers.Get().(*[]byte) }

// Put takes a buffer back.
func (u *Upstream) Put(b []byte) { u.buffers.Put(&b) }

// wideConn takes a body in large pieces: net/http's own are so small that half of
// an upload's cost is system calls.
type wideConn struct {
	net.Conn
	buffers *Upstream
}

func (u *Upstream) wide(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wideConn{c, u}, nil
	}
}

// ReadFrom implements io.ReaderFrom, which net/http looks for.
func (c wideConn) ReadFrom(r io.Reader) (int64, error) {
	b := c.buffers.Get()
	defer c.buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{c.Conn}, r, b)
}

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
