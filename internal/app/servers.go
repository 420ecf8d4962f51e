package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/catflap/catflap/config"
)

// servers are the public listener and the one for operators.
type servers struct {
	public, admin     *http.Server
	publicAt, adminAt net.Listener
	failed            chan error
}

// headerSlack is what net/http reads beyond MaxHeaderBytes.
const headerSlack = 4096

// The bounds of HTTP/2, which is spoken over TLS only.
const (
	maxStreams = 250
	pingAfter  = 30 * time.Second
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
	s.publicAt = limitConnections(s.publicAt, c.Limits.Connections)
	errorLog := slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)
	s.public = &http.Server{
		Handler: a, ReadHeaderTimeout: c.Limits.HeaderTimeout.Std(), IdleTimeout: c.Limits.Idle.Std(),
		MaxHeaderBytes: max(int(c.Limits.HeaderBytes)-headerSlack, headerSlack), ErrorLog: errorLog, DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: pingAfter, WriteByteTimeout: pingAfter},
	}
	if c.TLS != nil {
		pair, err := newCertificate(string(c.TLS.CertFile), string(c.TLS.KeyFile), a.log)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		s.public.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	}
	if c.AdminListen == "off" {
		return s, nil
	}
	if s.adminAt, err = open.Listen(ctx, "tcp", c.AdminListen); err != nil {
		return nil, fmt.Errorf("admin_listen: %w", err)
	}
	s.admin = &http.Server{Handler: a.adminHandler(), ReadHeaderTimeout: c.Limits.HeaderTimeout.Std(), IdleTimeout: c.Limits.Idle.Std(), ErrorLog: errorLog}
	return s, nil
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
