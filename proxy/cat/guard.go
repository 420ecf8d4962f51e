package cat

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/wait"
)

// How often the Cat's doors are tried: soon after it was found open or could not
// be reached, rarely once it has been found closed.
const (
	probeSoon = 2 * time.Second
	probeRare = time.Minute
)

// ErrNotProbed means that nobody knows yet whether the Cat is open.
var ErrNotProbed = errors.New("the Cat has not been looked at yet")

// Guard keeps the verdict of a Probe. Until the Cat has been found closed once,
// and whenever it is found open, nothing may be forwarded.
type Guard struct {
	probe *Probe
	log   *slog.Logger
	state atomic.Pointer[guardState]
	doubt chan struct{}
	// untried says that the key for WebSockets is to be tried with the next look. That
	// opens a socket at the Cat, so it is done at first, and while there is doubt.
	untried atomic.Bool

	loginPause time.Duration // before each default account is tried
	notes      atomic.Pointer[[]string]
	unmarked   atomic.Bool // documents are to be private, and no plugin marks them
}

type guardState struct {
	refuse error // why nothing may be forwarded
	ready  error // why readiness fails
}

// NewGuard makes a guard that lets nothing pass yet. A nil probe lets everything
// pass: the operator has said that the Cat may be open.
func NewGuard(probe *Probe, log *slog.Logger) *Guard {
	g := &Guard{probe: probe, log: log, doubt: make(chan struct{}, 1), loginPause: loginPause}
	g.untried.Store(true)
	g.state.Store(&guardState{refuse: ErrNotProbed, ready: ErrNotProbed})
	if probe == nil {
		g.state.Store(&guardState{})
	}
	return g
}

// Refuse returns why nothing may be forwarded now, or nil.
func (g *Guard) Refuse() error { return g.state.Load().refuse }

// Ready returns why Catflap is not ready because of the Cat, or nil.
func (g *Guard) Ready() error { return g.state.Load().ready }

// Doubt has the Cat looked at soon: it has refused what it had to take, or could not be
// reached.
func (g *Guard) Doubt() {
	g.untried.Store(true)
	select {
	case g.doubt <- struct{}{}:
	default:
	}
}

// Run probes until ctx ends, never more often than each probeSoon.
func (g *Guard) Run(ctx context.Context) {
	if g.probe == nil {
		return
	}
	var logins sync.WaitGroup
	defer logins.Wait()
	for tried := false; ; {
		closed := g.Look(ctx)
		if closed && !tried {
			tried = true
			logins.Go(func() { g.tryDefaults(ctx) })
		}
		if wait.For(ctx, probeSoon) != nil || closed && wait.Or(ctx, probeRare-probeSoon, g.doubt) != nil {
			return
		}
	}
}

// Look probes once and reports whether the Cat was found closed.
func (g *Guard) Look(ctx context.Context) bool {
	err := g.check(ctx)
	if ctx.Err() != nil {
		return false
	}
	old := g.state.Load()
	next := &guardState{refuse: err, ready: err}
	var open *OpenError
	if err != nil && !errors.As(err, &open) && (old.refuse == nil || refusesUs(err)) {
		// It was closed when last seen and can't be asked now: what can't be
		// reached is not open, and the transport says so to each request. Or it is
		// closed, to Catflap too.
		next.refuse = nil
	}
	g.state.Store(next)
	if text(old.ready) != text(err) {
		if err != nil {
			g.log.Error("not ready because of the Cat", "reason", err.Error())
		} else {
			g.log.Info("the Cat is closed to strangers")
		}
	}
	if err == nil && g.probe.Documents {
		g.lookForPlugin(ctx)
	}
	return err == nil
}

// check asks the probe, and tries the key for WebSockets where that is due.
func (g *Guard) check(ctx context.Context) error {
	err := g.probe.Check(ctx)
	if err != nil && !refusesUs(err) || !g.untried.Swap(false) {
		return err
	}
	wrong := g.probe.chatKeyDoor(ctx)
	if wrong != nil {
		g.untried.Store(true)
	}
	return errors.Join(err, wrong)
}

// refusesUs reports a Cat that is closed to strangers, and to some of what Catflap asks.
func refusesUs(err error) bool {
	return errors.As(err, new(*AccountError)) || errors.As(err, new(*ChatKeyError))
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
