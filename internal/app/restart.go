package app

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
)

// restartNeeded names what a reload could not put in force.
type restartNeeded struct{ fields []string }

func (r *restartNeeded) Error() string {
	return "the rest is in force; this needs a restart: " + strings.Join(r.fields, ", ")
}

// startedWith is what only a start, or the first sign-in handler, decides.
type startedWith struct {
	config   *config.Config
	sessions *config.Sessions // those that the store was opened with; nil without one
	login    string           // the public_url that the cookies are made for
	files    [3]string        // what the Redis's secrets held
}

// sessionPlace is where and how sessions are kept. What a reload applies is left out.
func sessionPlace(s config.Sessions) string {
	s.Idle, s.Lifetime, s.AfterLogout, s.MaxPerUser, s.Keys = 0, 0, "", 0, nil
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

// opened notes with what the store is opened.
func (a *app) opened(s config.Sessions) (err error) {
	a.started.sessions = &s
	a.started.files, err = redisFiles(s)
	return err
}

// redisFiles are fingerprints of the password, the authorities and the key pair.
func redisFiles(s config.Sessions) (prints [3]string, err error) {
	if s.Store != "redis" || s.Redis == nil {
		return prints, nil
	}
	var contents [3][]byte
	if !s.Redis.Password.IsZero() {
		if contents[0], err = s.Redis.Password.Read(); err != nil {
			return prints, fmt.Errorf("sessions.redis.password: %w", err)
		}
	}
	if t := s.Redis.TLS; t != nil {
		for _, f := range []struct {
			path value.Path
			to   *[]byte
		}{{t.CAFile, &contents[1]}, {t.CertFile, &contents[2]}, {t.KeyFile, &contents[2]}} {
			if f.path == "" {
				continue
			}
			b, err := value.ReadFile(string(f.path), 1<<20)
			if err != nil {
				return prints, fmt.Errorf("sessions.redis.tls: %w", err)
			}
			*f.to = append(*f.to, b...)
		}
	}
	for i, b := range contents {
		prints[i] = fmt.Sprintf("%x", sha256.Sum256(b))
	}
	return prints, nil
}

// needsRestart names what a reload can't change, against what this process runs with:
// a second reload names it again.
func (a *app) needsRestart(c *config.Config) ([]string, error) {
	old := a.started.config
	var fields []string
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
		{"public_url", a.started.login != "" && c.SignsIn() && a.started.login != c.PublicURL},
		{"log.level", old.Log.Level != c.Log.Level},
		{"log.format", old.Log.Format != c.Log.Format},
	} {
		if f.changed {
			fields = append(fields, f.field)
		}
	}
	sessions, err := a.storeNeedsRestart(c)
	return append(fields, sessions...), err
}

// storeNeedsRestart looks at the store of the sessions, if this configuration or the
// running process has a use for one.
func (a *app) storeNeedsRestart(c *config.Config) ([]string, error) {
	const store = "sessions.store"
	if shared := c.Sessions.Store == "redis"; shared != (a.started.config.Sessions.Store == "redis") {
		if shared || c.KeepsSessions() {
			return []string{store}, nil
		}
		return nil, nil
	}
	if a.started.sessions == nil || c.Sessions.Store != "redis" && !c.KeepsSessions() {
		return nil, nil
	}
	if sessionPlace(*a.started.sessions) != sessionPlace(c.Sessions) {
		return []string{store}, nil
	}
	files, err := redisFiles(c.Sessions)
	if err != nil {
		return nil, err
	}
	var fields []string
	for i, field := range []string{"sessions.redis.password", "sessions.redis.tls.ca_file", "sessions.redis.tls.cert_file"} {
		if files[i] != a.started.files[i] {
			fields = append(fields, field)
		}
	}
	return fields, nil
}

// adopt puts in force what a generation says of the sessions, which outlive it.
func (a *app) adopt(g *generation) error {
	if f := a.others.Load(); f != nil && len(g.keys) > 0 {
		if err := f.Rekey(g.keys); err != nil {
			return err
		}
	}
	if a.sessions == nil || !g.config.KeepsSessions() {
		return nil
	}
	s := g.config.Sessions
	a.sessions.Reconfigure(s.Idle.Std(), s.Lifetime.Std())
	a.sessions.Share(share(s))
	return a.sessions.Rekey(g.keys)
}
