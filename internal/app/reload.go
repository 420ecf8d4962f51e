package app

import (
	"context"
	"time"

	"github.com/catflap/catflap/internal/telemetry"
)

// outlive is how long the handlers of the configuration before may still work for
// requests that are under way.
const outlive = time.Minute

// reload reads the file again. Without an error it is in force as a whole; with a
// *restartNeeded all of it is but for what that names; with any other the last good
// one is. One at a time.
func (a *app) reload(ctx context.Context) error {
	g, err := a.next(ctx)
	if err != nil {
		a.metrics.Reloaded(false, 0)
		a.log.Error("the configuration was not reloaded; the last good one stays in force", "err", err.Error())
		return err
	}
	a.demandOne(g.config)
	before := a.current.Swap(g)
	if err := a.adopt(g); err != nil {
		a.log.Error("the session keys were not replaced", "err", err.Error()) // they have been read and measured
	}
	a.audit.Store(telemetry.NewAudit(a.lines, g.config.Log))
	a.hub.Reconfigure(sockets(g.config))
	a.rejudge(g)
	a.hub.Resync() // what became of their sessions
	time.AfterFunc(outlive, before.end)
	before.cats.close(g.cats)
	a.metrics.Reloaded(len(g.restart) == 0, float64(time.Now().Unix()))
	if len(g.restart) > 0 {
		err := &restartNeeded{g.restart}
		a.log.Error("the configuration was reloaded in part", "err", err.Error(), "fields", g.restart)
		return err
	}
	a.log.Info("the configuration was reloaded")
	return nil
}

// next builds the next generation and looks at the Cat once, so that a Cat which
// is closed is served on without a gap.
func (a *app) next(ctx context.Context) (*generation, error) {
	c, warnings, err := Load(a.o.ConfigFile, a.o.Handlers)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		a.log.Warn("configuration", "at", w.String())
	}
	restart, err := a.needsRestart(c)
	if err != nil {
		return nil, err
	}
	g, err := a.build(ctx, c)
	if err != nil {
		return nil, err
	}
	g.restart = restart
	if !c.Cat.InsecureOpenCat {
		g.cats.pool.Look(ctx)
	}
	go g.cats.watch()
	return g, nil
}
