package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/upstream"
)

// cats are the ways of one configuration to its Cat, or to its several Cats.
type cats struct {
	settings config.Cat
	roots    *x509.CertPool // of cat.ca_file
	pool     *upstream.Pool
	ways     map[string]*upstream.Client
	watch    func()             // looks after them until unwatch
	unwatch  context.CancelFunc // the next configuration looks itself
}

// cats keeps the connections to each Cat that is still the same.
func (a *app) cats(ctx context.Context, c config.Cat, credentials cat.Credentials, accounts []cat.Account) (*cats, error) {
	if c.InsecureOpenCat {
		a.log.Warn("the Cat is not asked whether it is open: insecure_open_cat is set")
	}
	watched := len(c.URLs) > 0
	roots, err := c.CAFile.Certificates()
	if err != nil {
		return nil, fmt.Errorf("cat.ca_file: %w", err)
	}
	s := &cats{settings: c, roots: roots, ways: map[string]*upstream.Client{}}
	ctx, s.unwatch = context.WithCancel(ctx)
	var members []upstream.Member
	for _, address := range c.Addresses() {
		base, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("cat.url: %w", err)
		}
		m := upstream.Member{Client: a.upstreamFor(c, roots, address, base)}
		log := a.log
		if watched {
			log = log.With("cat", m.Client.Name())
		}
		m.Guard = guard(c, roots, base, credentials, accounts, log)
		s.ways[address] = m.Client
		members = append(members, m)
	}
	if s.pool, err = upstream.New(members, c.Failover == "next"); err != nil {
		return nil, err
	}
	s.watch = func() { s.pool.Run(ctx) }
	return s, nil
}

// close gives up what next, which may be nil, does not go on with.
func (s *cats) close(next *cats) {
	s.unwatch()
	for address, way := range s.ways {
		if next == nil || next.ways[address] != way {
			way.Close()
		}
	}
}

// upstreamFor keeps the connections to a Cat that is still the same.
func (a *app) upstreamFor(c config.Cat, roots *x509.CertPool, address string, base *url.URL) *upstream.Client {
	if g := a.current.Load(); g != nil {
		old := g.cats.settings
		if way := g.cats.ways[address]; way != nil && old.ConnectTimeout == c.ConnectTimeout && old.ResponseTimeout == c.ResponseTimeout &&
			(len(old.URLs) > 0) == (len(c.URLs) > 0) && g.cats.roots.Equal(roots) {
			return way
		}
	}
	return upstream.NewClient(upstream.ClientOptions{
		Base: base, ConnectTimeout: c.ConnectTimeout.Std(), ResponseTimeout: c.ResponseTimeout.Std(), Roots: roots, Watched: len(c.URLs) > 0, Log: a.log,
	})
}

// guard looks for a Cat's open doors, unless the operator has said that it may be
// open.
func guard(c config.Cat, roots *x509.CertPool, base *url.URL, credentials cat.Credentials, accounts []cat.Account, log *slog.Logger) *cat.Guard {
	if c.InsecureOpenCat {
		return cat.NewGuard(nil, log)
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	p := &cat.Probe{
		Base: base, Credentials: credentials, Accounts: accounts, Documents: c.Documents == "private", Now: time.Now, TLS: secure, HTTP: catClient(secure.Clone()),
	}
	switch own := credentials.(type) {
	case *cat.Minter:
		p.Credentials, p.Minter = nil, own
	case *cat.KeysAndTokens:
		p.Minter = own.Minter
	}
	return cat.NewGuard(p, log)
}

// catsUp tells the metrics of each of several Cats.
func (a *app) catsUp() map[string]bool {
	if g := a.current.Load(); g != nil {
		return g.cats.pool.Up()
	}
	return nil
}
