package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
)

// servers are the public listener and the one for operators.
type servers struct {
	public, admin     *http.Server
	publicAt, adminAt net.Listener
	failed            chan error
}

// headerSlack is what net/http reads beyond MaxHeaderBytes.
const headerSlack = 4096

// adminConnections is what operators, probes and a scraper need, many times over.
const adminConnections = 128

// tlsWeight is how many times more memory a connection takes with TLS, of HTTP/2 above
// all: its records, frames and heads have buffers that stay.
const tlsWeight = 4

// The bounds of HTTP/2, which is spoken over TLS only.
const (
	maxStreams = 100
	pingAfter  = 30 * time.Second
	maxFrame   = 16 << 10  // the least that there is: a frame has its memory as soon as its head claims it
	maxUnread  = 128 << 10 // what a client may send ahead of what the Cat takes
)

// listen opens the listeners. An error names the field of the configuration.
func (a *app) listen(ctx context.Context, c *config.Config) (_ *servers, err error) {
	var open net.ListenConfig
	s := &servers{failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.publicAt, err = open.Listen(ctx, "tcp", c.Listen); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	weight := 1
	if c.TLS != nil {
		weight = tlsWeight
	}
	public := limitConnections(s.publicAt, connectionLimits{
		weight: weight, all: c.Limits.Connections, http: c.Limits.HTTPConnections, each: c.Limits.ConnectionsPerAddress, writeIdle: c.Limits.WriteIdle.Std(),
		exempt: a.fromFrontProxy, refused: a.metrics.ConnectionRefused,
	})
	s.publicAt = public
	errorLog := slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)
	s.public = &http.Server{
		Handler: boundStreams(a, c.Limits.WriteIdle.Std()), ConnState: public.state, ReadHeaderTimeout: c.Limits.HeaderTimeout.Std(), IdleTimeout: c.Limits.Idle.Std(),
		MaxHeaderBytes: max(int(c.Limits.HeaderBytes)-headerSlack, headerSlack), ErrorLog: errorLog, DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, SendPingTimeout: pingAfter, MaxReadFrameSize: maxFrame,
			MaxReceiveBufferPerConnection: maxUnread, MaxReceiveBufferPerStream: maxUnread,
		},
	}
	if c.TLS != nil {
		pair, err := newCertificate(string(c.TLS.CertFile), string(c.TLS.KeyFile), a.log, time.Now)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		a.certificate = pair
		s.public.TLSConfig = serverTLS(pair)
		if a.clients != nil {
			clientTLS(s.public.TLSConfig, a.clients, c.TLS.ClientCertificates == "required")
		}
	}
	if c.AdminListen == "off" {
		return s, nil
	}
	if s.adminAt, err = open.Listen(ctx, "tcp", c.AdminListen); err != nil {
		return nil, fmt.Errorf("admin_listen: %w", err)
	}
	admin := limitConnections(s.adminAt, connectionLimits{all: adminConnections, http: adminConnections, each: adminConnections, writeIdle: c.Limits.WriteIdle.Std()})
	s.adminAt = admin
	s.admin = &http.Server{
		Handler: proxy.BoundBodies(a.adminHandler(), c.Limits.HeaderTimeout.Std()), ConnState: admin.state,
		ReadHeaderTimeout: c.Limits.HeaderTimeout.Std(), IdleTimeout: c.Limits.Idle.Std(), ErrorLog: errorLog, DisableGeneralOptionsHandler: true,
	}
	return s, nil
}

// fromFrontProxy reports an address that trusted_proxies lists: it carries many
// people's requests, each of which counts for the address that the proxy names.
func (a *app) fromFrontProxy(ip netip.Addr) bool {
	return slices.ContainsFunc(a.current.Load().trusted, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func (s *servers) publicAddr() net.Addr { return s.publicAt.Addr() }

func (s *servers) adminAddr() net.Addr {
	if s.adminAt == nil {
		return nil
	}
	return s.adminAt.Addr()
}

func (s *servers) serve() {
	go func() {
		if s.public.TLSConfig != nil {
			s.fail(s.public.ServeTLS(s.publicAt, "", ""))
			return
		}
		s.fail(s.public.Serve(s.publicAt))
	}()
	if s.admin != nil {
		go func() { s.fail(s.admin.Serve(s.adminAt)) }()
	}
}

func (s *servers) fail(err error) {
	if !errors.Is(err, http.ErrServerClosed) {
		s.failed <- err
	}
}

// shutdown waits for the public requests; the admin listener answers to the end.
func (s *servers) shutdown(ctx context.Context) error {
	err := s.public.Shutdown(ctx)
	if err != nil {
		_ = s.public.Close() // cut: the grace is over
	}
	if s.admin != nil {
		_ = s.admin.Close() // nothing of it needs an end
	}
	return err
}

func (s *servers) close() {
	for _, l := range []net.Listener{s.publicAt, s.adminAt} {
		if l != nil {
			_ = l.Close() // was just opened
		}
	}
}

// caught, deferred, turns a panic of a request into its broken-off answer.
func (a *app) caught() {
	if p := recover(); p != nil {
		a.tellPanic(p)
		panic(http.ErrAbortHandler)
	}
}

// caughtSocket, deferred, has a panic cost the one socket that it came from.
func (a *app) caughtSocket() {
	if p := recover(); p != nil {
		a.tellPanic(p)
	}
}

// tellPanic logs a panic's place, but not its value, which may be anything.
func (a *app) tellPanic(p any) {
	if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		a.log.Error("a fault of ours: it panicked", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
	}
}
