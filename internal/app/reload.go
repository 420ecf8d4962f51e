package app

import (
	"context"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/telemetry"
	"github.com/catflap/catflap/proxy/chat"
)

// outlive is how long the handlers of the configuration before may still work for
// requests that are under way.
const outlive = time.Minute

// reload reads the file again. Without an error it is in force; otherwise the
// last good one is. One at a time.
func (a *app) reload(ctx context.Context) error {
	g, err := a.next(ctx)
	if err != nil {
		a.metrics.Reloaded(false, 0)
		a.log.Error("the configuration was not reloaded; the last good one stays in force", "err", err.Error())
		return err
	}
	before := a.current.Swap(g)
	a.audit.Store(telemetry.NewAudit(a.lines, g.config.Log))
	a.hub.Reconfigure(sockets(g.config.WebSocket))
	a.hub.Rejudge(func(u *authhandlers.AuthUserInfo) *chat.Closing {
		if err := g.handler.Judge(u); err != nil {
			return &chat.Closing{Code: chat.CodeForbidden, Reason: "you may no longer chat"}
		}
		return nil
	})
	time.AfterFunc(outlive, before.end)
	before.cats.close(g.cats)
	a.metrics.Reloaded(true, float64(time.Now().Unix()))
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
	a.needsRestart(c)
	g, err := a.build(ctx, c)
	if err != nil {
		return nil, err
	}
	if !c.Cat.InsecureOpenCat {
		g.cats.look(ctx)
	}
	go g.cats.watch()
	return g, nil
}

// sessionPlace is where and how sessions are kept, which only a start decides.
func sessionPlace(c *config.Config) string {
	s := c.Sessions
	s.Idle, s.Lifetime, s.AfterLogout, s.MaxPerUser = 0, 0, "", 0
	redis, tls := config.Redis{}, config.RedisTLS{}
	if s.Redis != nil {
		redis = *s.Redis
	}
	if redis.TLS != nil {
		tls = *redis.TLS
	}
	s.Redis, redis.TLS = nil, nil
	return fmt.Sprintf("%+v %+v %+v", s, redis, tls)
}

// needsRestart names what a reload can't change.
func (a *app) needsRestart(c *config.Config) {
	old := a.current.Load().config
	for _, f := range []struct {
		field   string
		changed bool
	}{
		{"listen", old.Listen != c.Listen},
		{"admin_listen", old.AdminListen != c.AdminListen},
		{"tls", fmt.Sprint(old.TLS) != fmt.Sprint(c.TLS) && (old.TLS == nil || c.TLS == nil || *old.TLS != *c.TLS)},
		{"limits.connections", old.Limits.Connections != c.Limits.Connections},
		{"limits.http_connections", old.Limits.HTTPConnections != c.Limits.HTTPConnections},
		{"limits.connections_per_address", old.Limits.ConnectionsPerAddress != c.Limits.ConnectionsPerAddress},
		{"limits.write_idle", old.Limits.WriteIdle != c.Limits.WriteIdle},
		{"limits.header_bytes", old.Limits.HeaderBytes != c.Limits.HeaderBytes},
		{"limits.header_timeout", old.Limits.HeaderTimeout != c.Limits.HeaderTimeout},
		{"limits.idle", old.Limits.Idle != c.Limits.Idle},
		{"limits.verifications", old.Limits.Verifications != c.Limits.Verifications},
		{"public_url", c.SignsIn() && old.SignsIn() && old.PublicURL != c.PublicURL},
		{"sessions.store", (c.SignsIn() && old.SignsIn() || old.Sessions.Store == "redis" || c.Sessions.Store == "redis") && sessionPlace(old) != sessionPlace(c)},
		{"log.level", old.Log.Level != c.Log.Level},
		{"log.format", old.Log.Format != c.Log.Format},
	} {
		if f.changed {
			a.log.Warn("this change needs a restart", "field", f.field)
		}
	}
}
