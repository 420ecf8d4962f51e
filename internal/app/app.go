package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/clientcert"
	"github.com/catflap/catflap/internal/telemetry"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/fleet"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/signin"
)

// Options say what to run.
type Options struct {
	ConfigFile string
	Handlers   authhandlers.Registry
	Version    string
	// MemoryLimit is how many bytes the process may use, for the log; 0 means any number.
	MemoryLimit uint64
	// Stderr gets the log.
	Stderr io.Writer
	// Signals are SIGHUP (reload), SIGTERM and SIGINT (stop; a second one cuts).
	Signals <-chan os.Signal
	// Ready, if not nil, is called once with the listeners' addresses; admin is nil
	// when that listener is off.
	Ready func(public, admin net.Addr)
}

// app is what outlives a reload.
type app struct {
	o       Options
	lines   *telemetry.Writer
	log     *slog.Logger
	metrics *telemetry.Metrics
	audit   atomic.Pointer[telemetry.Audit]
	gate    *authhandlers.Gate
	hub     *chat.Hub
	// underWay is counted across reloads.
	underWay *proxy.UnderWay
	// passages are the requests beside the hub's sockets.
	passages *proxy.Passages
	// sessions are those of people with a browser; nil until a configuration signs
	// somebody in.
	sessions    *session.Manager
	store       session.Store
	others      atomic.Pointer[fleet.Fleet] // nil without a Redis
	signs       *attributes.Keys            // made here, where the configuration has none; nil until then
	endSessions context.CancelFunc
	handlers    handlerState
	bounds      *signin.Bounds // of what strangers can have done
	people      *proxy.PeopleMemory
	certificate *certificate // Catflap's own; nil without TLS
	// clients are the authorities of client certificates; nil where none are asked for.
	clients *clientcert.Authorities
	current atomic.Pointer[generation]
	started startedWith
	// requested carries reloads, each with the place for its answer.
	requested chan chan error
	// missed has everybody judged again who is connected.
	missed   chan struct{}
	stopping atomic.Bool
}

// The bounds of the queue of verifications: enough for a burst of sign-ins, short
// enough that nobody waits in vain.
const (
	verificationQueue = 512
	verificationWait  = 3 * time.Second
)

// Run serves until ctx ends or a signal says so. Its error is about starting or
// about a listener that failed; a stop that was asked for is none.
func Run(ctx context.Context, o Options) error {
	c, warnings, err := Load(o.ConfigFile, o.Handlers)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &app{o: o, handlers: handlerState{kept: map[handlerPlace]any{}}, lines: telemetry.NewWriter(o.Stderr), metrics: telemetry.NewMetrics(o.Version), requested: make(chan chan error), missed: make(chan struct{}, 1), underWay: proxy.NewUnderWay(), bounds: signin.NewBounds(time.Now), people: proxy.NewPeopleMemory()}
	defer a.lines.Flush() //nolint:errcheck // there is nowhere left to say so
	a.started.config = c
	a.log = telemetry.NewLogger(a.lines, c.Log)
	a.audit.Store(telemetry.NewAudit(a.lines, c.Log))
	a.gate = authhandlers.NewGate(c.Limits.Verifications, verificationQueue, verificationWait)
	serving := false
	defer func() {
		if !serving {
			a.closeSessions()
		}
	}()
	if err := a.openCertificates(c); err != nil {
		return err
	}
	others, err := a.openFleet(c)
	if err != nil {
		return err
	}
	defer a.closeFleet() // where it has not been stopped
	a.hub = a.newHub(c, others)
	a.passages = proxy.NewPassages(a.hub)
	for _, w := range warnings {
		a.log.Warn("configuration", "at", w.String())
	}
	g, err := a.build(ctx, c)
	if err != nil {
		return err
	}
	a.current.Store(g)
	a.metrics.Cats(a.catsUp)
	a.metrics.Certificate(func() time.Time { return a.certificate.ends() })
	a.metrics.Guests(func() int { return a.current.Load().handler.Guests() })
	a.metrics.Ready(a.readyNow)
	a.metrics.Reloaded(true, float64(time.Now().Unix()))
	s, err := a.listen(ctx, c)
	if err != nil {
		return err
	}
	serving = true
	go g.cats.watch()
	s.serve()
	a.log.Info("catflap serves", "version", o.Version, "listen", s.publicAddr().String(), "cat", strings.Join(c.Cat.Addresses(), " "), "handlers", len(c.Handlers), "memory_limit", o.MemoryLimit)
	if o.Ready != nil {
		o.Ready(s.publicAddr(), s.adminAddr())
	}
	return errors.Join(a.loop(ctx, s), a.stop(s))
}

// loop waits for what may happen, one thing at a time.
func (a *app) loop(ctx context.Context, s *servers) error {
	keys := time.NewTicker(keysWatched)
	defer keys.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-keys.C:
			a.watchKeys()
			if a.certificate != nil {
				a.certificate.watch()
			}
		case <-a.missed:
			a.rejudge(a.current.Load())
		case err := <-s.failed:
			return err
		case answer := <-a.requested:
			answer <- a.reload(ctx)
		case sig := <-a.o.Signals:
			if sig != syscall.SIGHUP {
				a.log.Info("stopping", "signal", sig.String())
				return nil
			}
			_ = a.reload(ctx) // said in the log and in the metrics
		}
	}
}

// stop drains: no new connections, requests may end, sockets are closed with
// 1001. What is left after the grace, or at a second signal, is cut.
func (a *app) stop(s *servers) error {
	a.stopping.Store(true)
	grace, cancel := context.WithTimeout(context.Background(), a.current.Load().config.Limits.StopGrace.Std())
	defer cancel()
	go func() {
		select {
		case <-a.o.Signals:
			cancel()
		case <-grace.Done():
		}
	}()
	sockets := make(chan error, 1)
	go func() { sockets <- a.hub.Shutdown(grace) }()
	if err := s.shutdown(grace); err != nil {
		a.log.Warn("requests were cut at the end of stop_grace")
	}
	if err := <-sockets; err != nil {
		a.log.Warn("sockets were cut at the end of stop_grace")
	}
	g := a.current.Load()
	g.end()
	g.cats.close(nil)
	a.closeFleet()
	a.closeSessions()
	a.log.Info("stopped")
	return nil
}

// observer tells audit and metrics of each exchange.
func (a *app) observer(c config.Log) func(*proxy.Record) {
	audit := telemetry.NewAudit(a.lines, c)
	return func(r *proxy.Record) {
		a.metrics.Exchange(r)
		audit.Exchange(r)
	}
}

// newHub makes what holds the live sockets. What it needs of the configuration it
// asks the one in force for.
func (a *app) newHub(c *config.Config, others chat.Fleet) *chat.Hub {
	h := chat.NewHub(chat.Options{
		Settings: sockets(c), Now: time.Now, Observe: a.observeSocket, Caught: a.caughtSocket, Fleet: others,
		Redial: func(ctx context.Context, u *authhandlers.AuthUserInfo) (*websocket.Conn, error) {
			return a.current.Load().handler.DialCat(ctx, u)
		},
		CatOf: func(id string) string { return a.current.Load().handler.CatOf(id) },
		Attributes: func(u *authhandlers.AuthUserInfo) (string, error) {
			return a.current.Load().handler.Told(u)
		},
		Rights: func(u *authhandlers.AuthUserInfo) cat.Permissions { return a.current.Load().handler.Rights(u) },
		Renew: func(ctx context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
			return a.current.Load().handler.Renew(ctx, u)
		},
		Confirm: func(ctx context.Context, u *authhandlers.AuthUserInfo) error {
			return a.current.Load().handler.Confirm(ctx, u)
		},
		Reauthenticate: func(ctx context.Context, u *authhandlers.AuthUserInfo, token string) (*authhandlers.AuthUserInfo, error) {
			return a.current.Load().handler.Reauthenticate(ctx, u, token)
		},
	})
	a.metrics.Sockets(h.Stats)
	return h
}

func (a *app) observeSocket(e chat.Event) {
	a.metrics.Socket(e)
	a.audit.Load().Socket(e)
}

// ServeHTTP hands a request to the configuration in force. A panic is a fault of
// ours: it costs this one request, and is told with its place but not its value.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer a.caught()
	a.current.Load().handler.ServeHTTP(w, r)
}
