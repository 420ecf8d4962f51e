package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/signin"
)

// openSessions makes the sessions, which outlive every reload, if anybody signs in or
// gets tickets. It waits for nothing on the network.
func (a *app) openSessions(ctx context.Context, c *config.Config) error {
	if !c.KeepsSessions() {
		return nil
	}
	public := "" // without a browser there is none to be held to
	if c.SignsIn() {
		public = c.PublicURL
	}
	if a.sessions != nil {
		return a.takeCookies(public)
	}
	var err error
	if a.store == nil {
		if a.store, err = a.sessionStore(c.Sessions); err != nil {
			return err
		}
	}
	keys, err := sessionKeys(c.Sessions)
	if err != nil {
		return err
	}
	ctx, a.endSessions = context.WithCancel(context.WithoutCancel(ctx))
	a.sessions, err = session.New(ctx, session.Options{
		Store: a.store, Keys: keys, Idle: c.Sessions.Idle.Std(), Lifetime: c.Sessions.Lifetime.Std(), PerPerson: share(c.Sessions), PublicURL: public, TicketsOnly: public == "",
		Now: time.Now, Log: a.log, Observe: a.metrics.SessionEvents(), Revoked: a.revoke, Resync: a.resync,
	})
	a.started.login = public
	return err
}

// takeCookies has the first browsers sign in where there were tickets alone.
func (a *app) takeCookies(public string) error {
	if public == "" || a.started.login != "" {
		return nil
	}
	a.started.login = public
	return a.sessions.TakeCookies(public)
}

// share is how many sessions one person may have. In memory, where there is a bound
// on all, some are left for others.
func share(c config.Sessions) int {
	if c.Store == "redis" {
		return c.MaxPerUser
	}
	return min(c.MaxPerUser, max(1, c.Max/4))
}

// closeSessions ends what is under way. A renewal has to reach its end, or the person's
// new refresh token is lost.
func (a *app) closeSessions() {
	if a.sessions != nil {
		a.endSessions()
		a.sessions.Wait()
	}
	if a.store != nil {
		_ = a.store.Close() // nothing is on its way any more
	}
}

func (a *app) sessionStore(c config.Sessions) (session.Store, error) {
	if err := a.opened(c); err != nil {
		return nil, err
	}
	if c.Store != "redis" {
		return session.NewMemory(time.Now, c.Max), nil
	}
	o := session.RedisOptions{URL: c.Redis.URL, Username: c.Redis.Username}
	if !c.Redis.Password.IsZero() {
		password, err := c.Redis.Password.Read()
		if err != nil {
			return nil, fmt.Errorf("sessions.redis.password: %w", err)
		}
		o.Password = string(password)
	}
	var err error
	if o.TLS, err = redisTLS(c.Redis.TLS); err != nil {
		return nil, err
	}
	return session.NewRedis(o)
}

func redisTLS(c *config.RedisTLS) (*tls.Config, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // the store's default
	}
	roots, err := c.CAFile.Certificates()
	if err != nil {
		return nil, fmt.Errorf("sessions.redis.tls.ca_file: %w", err)
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(string(c.CertFile), string(c.KeyFile))
		if err != nil {
			return nil, fmt.Errorf("sessions.redis.tls: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// signIn makes the way in for people with a browser, if the configuration has one.
func (a *app) signIn(c *config.Config, chain *authhandlers.Chain, o *proxy.Options) error {
	if a.sessions == nil || !c.KeepsSessions() {
		return nil
	}
	o.Sessions = a.sessions
	if !c.SignsIn() {
		return nil
	}
	logo, err := c.Pages.Logo()
	if err != nil {
		return fmt.Errorf("pages.logo_file: %w", err)
	}
	theme := page.Theme{Title: c.Pages.Title, Logo: logo}
	pages, err := page.New(proxy.PagePrefix, theme)
	if err != nil {
		return err
	}
	o.Pages = pages
	own := func(path string) bool {
		return cat.OwnLogin(path) || strings.HasPrefix(path+"/", proxy.PagePrefix)
	}
	o.SignIn, err = signin.New(signin.Options{
		Chain: chain, Sessions: a.sessions, Pages: pages, PublicURL: c.PublicURL, Origins: c.Origins, Prefix: proxy.PagePrefix,
		Home: c.Pages.Home, AfterLogout: c.Sessions.AfterLogout, ClearCookies: []http.Cookie{proxy.PanelCookie(c.PublicURL)},
		Own: own, Bounds: a.bounds, Now: time.Now, Log: a.log,
	})
	return err
}
