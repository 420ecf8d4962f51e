package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/gorilla/websocket"
)

// The way to the Cat. It closes idle connections after 5.0 s, so ours must be
// given up before; and it closes after each 500 without saying so.
const (
	upstreamIdle    = 4 * time.Second
	upstreamPool    = 512
	upstreamHeaders = 128 << 10
	copyBuffer      = 128 << 10
)

// ClientOptions say where the Cat is and how long it may take.
type ClientOptions struct {
	Base            *url.URL
	ConnectTimeout  time.Duration
	ResponseTimeout time.Duration
	// Roots vouch for the Cat's certificate; nil: the system's.
	Roots *x509.CertPool
	// Watched keeps an eye on whether the Cat can be reached: for one of several.
	Watched bool
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Client is the connections to the Cat. It outlives the Handlers that use it as
// long as the Cat's address stays the same.
type Client struct {
	base     *url.URL
	name     string          // host and port, for operators
	repeated *catTransport   // requests that can be sent again
	streamed *http.Transport // bodies that stream through
	errorLog *log.Logger
	buffers  sync.Pool
	timeout  time.Duration
	dial     dialFunc
	plain    *net.Dialer
	tls      *tls.Config // nil without TLS
	health   *health     // nil unless watched, and so are the seats
	seats    *seats
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// NewClient makes the transports; nothing is dialled yet.
func NewClient(o ClientOptions) *Client {
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 15 * time.Second}
	u := &Client{
		base: o.Base, name: strings.ToLower(Authority(o.Base)), plain: dialer, errorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug), timeout: o.ConnectTimeout,
		buffers: sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }},
	}
	var config *tls.Config
	if o.Base.Scheme == "https" {
		config = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, RootCAs: o.Roots}
	}
	u.tls = config
	u.dial = catDialer(dialer, config)
	dial, streamed := u.dial, dialer.DialContext
	if o.Watched {
		u.watch(o)
		dial, streamed = u.noticing(dial), u.noticing(streamed)
	}
	u.repeated = &catTransport{dial: dial, address: Authority(o.Base), timeout: o.ResponseTimeout}
	if o.Watched {
		u.repeated.cut = u.health.suspect
	}
	// A body that streams through can't be sent again, so it never meets a
	// connection that the Cat may have closed in the meantime.
	u.streamed = &http.Transport{
		DialContext: u.wide(streamed), DisableKeepAlives: true, ResponseHeaderTimeout: o.ResponseTimeout, TLSHandshakeTimeout: o.ConnectTimeout,
		TLSClientConfig: config, DisableCompression: true, MaxResponseHeaderBytes: upstreamHeaders,
	}
	return u
}

// Base is the Cat's address. It must not be changed.
func (u *Client) Base() *url.URL { return u.base }

// ErrorLog takes what goes wrong while an answer is copied.
func (u *Client) ErrorLog() *log.Logger { return u.errorLog }

// Name is the Cat's host and port, for operators.
func (u *Client) Name() string { return u.name }

// Close gives up the idle connections; requests under way go on.
func (u *Client) Close() { u.repeated.close() }

// Authority is the host and port to connect to.
func Authority(base *url.URL) string {
	if base.Port() != "" {
		return base.Host
	}
	return net.JoinHostPort(base.Hostname(), map[string]string{"http": "80", "https": "443"}[base.Scheme])
}

// RoundTrip sends the owner's request; streamed is for a body that can't be sent again.
// What one owner's connection has carried is followed by nobody else's request.
func (u *Client) RoundTrip(req *http.Request, owner string, streamed bool) (resp *http.Response, err error) {
	if streamed {
		resp, err = u.streamed.RoundTrip(req)
	} else {
		resp, err = u.repeated.RoundTrip(req, owner)
	}
	if err == nil && u.health != nil {
		u.health.answered()
	}
	return resp, err
}

// watch makes what one of several Cats has as well.
func (u *Client) watch(o ClientOptions) {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	u.health = newHealth(o.Log.With("cat", u.name), now, u.lookAt)
	u.seats = &seats{taken: map[string]int{}}
}

// noticing tells health of connections that are not made, unless the one who
// wanted it has left by then.
func (u *Client) noticing(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil && ctx.Err() == nil {
			u.health.failed(err)
		}
		return c, err
	}
}

// Get and Put are the buffers for copying bodies (httputil.BufferPool).
func (u *Client) Get() []byte { return *u.buffers.Get().(*[]byte) }

// Put takes a buffer back.
func (u *Client) Put(b []byte) { u.buffers.Put(&b) }

// wideConn takes a body in large pieces: net/http's own are so small that half of
// an upload's cost is system calls.
type wideConn struct {
	net.Conn
	buffers *Client
}

func (u *Client) wide(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wideConn{c, u}, nil
	}
}

// Check looks once whether a Cat that is watched can be reached.
func (u *Client) Check(ctx context.Context) { u.health.looked(u.lookAt(ctx)) }

// Faults is how many failures in a row count against a Cat that is watched.
func (u *Client) Faults() int64 { return u.health.failures.Load() }

// lookAt asks the Cat for / over a connection of its own. Any answer is good, a
// refusal too.
func (u *Client) lookAt(ctx context.Context) error {
	c, err := u.dial(ctx, "tcp", Authority(u.base))
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // nothing is left to be written
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.base.String()+"/", nil)
	if err != nil {
		return err
	}
	cat.SetIdentity(req.Header, cat.AnonymousID)
	if err = req.Write(c); err == nil {
		_, err = bufio.NewReader(c).ReadByte()
	}
	var timeout net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &timeout) && timeout.Timeout():
		return errUndecided
	}
	return errors.Join(errNoByte, err)
}

// HasSocket reports a person with an open socket at a Cat that is watched.
func (u *Client) HasSocket(id string) bool { return u.seats.has(id) }

// Dialer opens a person's socket at the Cat.
func (u *Client) Dialer(id string) *websocket.Dialer {
	return wsconn.Dialer(u.timeout, u.dialSocket(id), u.tls)
}

// dialSocket returns how a person's socket is connected: nil, the usual way, unless
// this is one of several Cats.
func (u *Client) dialSocket(id string) wsconn.Dial {
	if u.health == nil {
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := u.noticing(u.plain.DialContext)(ctx, network, address)
		if err != nil {
			return nil, err
		}
		u.health.answered()
		if tcp, ok := c.(*net.TCPConn); ok {
			return seatedConn{tcp, u.seats.take(id)}, nil
		}
		return c, nil
	}
}

// ReadFrom implements io.ReaderFrom, which net/http looks for.
func (c wideConn) ReadFrom(r io.Reader) (int64, error) {
	b := c.buffers.Get()
	defer c.buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{c.Conn}, r, b)
}
