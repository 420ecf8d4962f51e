package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/session"
)

// generation is everything that one configuration makes. The next one takes its
// place as a whole.
type generation struct {
	config  *config.Config
	handler *proxy.Handler
	trusted []netip.Prefix // the front proxies
	cats    *cats
	keys    [][]byte           // of the sessions
	told    *attributes.Signer // nil: plugins are told nothing
	restart []string           // what of the configuration is not in force
	judged  uint64             // the generation of the keys by which people were judged last
	end     context.CancelFunc // ends the background work of its handlers
}

// build makes a generation. It waits for nothing on the network.
func (a *app) build(ctx context.Context, c *config.Config) (_ *generation, err error) {
	if err := a.openSessions(ctx, c); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	defer func() {
		if err != nil {
			end()
		}
	}()
	g := &generation{config: c, end: end}
	if g.keys, err = sessionKeys(c.Sessions); err != nil {
		return nil, err
	}
	policy, err := permission.New(rules(c.Permissions))
	if err != nil {
		return nil, err
	}
	contract := contractOf(c.Cat)
	credentials, accounts, err := credentials(c.Cat, contract)
	if err != nil {
		return nil, err
	}
	if g.cats, err = a.cats(ctx, c.Cat, credentials, accounts); err != nil {
		return nil, err
	}
	users, err := catUsers(c, g.cats, credentials, accounts)
	if err != nil {
		return nil, err
	}
	chain, err := a.chain(ctx, c, g.keys, toldToo(c.Cat.Attributes, policy.Claims), users)
	if err != nil {
		return nil, err
	}
	if credentials, err = withOwnAccounts(c, credentials, contract); err != nil {
		return nil, err
	}
	if g.trusted, err = prefixes(c.TrustedProxies); err != nil {
		return nil, err
	}
	o := proxy.Options{
		Chain: chain, Policy: policy, Contract: contract, Credentials: credentials, Cats: g.cats.pool, Hub: a.hub, Passages: a.passages,
		PublicURL: c.PublicURL, HSTS: c.HSTS.Std(), Origins: c.Origins, PanelImages: c.Pages.PanelImages, TrustedProxies: g.trusted, ForwardCookies: c.Cat.ForwardCookies, ForwardHeaders: c.Cat.ForwardHeaders, AnswerHeaders: c.Cat.AnswerHeaders,
		QueryToken: c.WebSocket.QueryToken, VisibleRefusals: c.WebSocket.VisibleRefusals,
		MaxHeaders: c.Limits.Headers, MaxBody: int64(c.Limits.BodyBytes), MaxUpload: int64(c.Limits.UploadBytes), BodyIdle: c.Limits.BodyIdle.Std(),
		BodyUnread: c.Limits.HeaderTimeout.Std(), UnderWay: a.underWay, PerPerson: c.Limits.RequestsPerPerson, PerAddress: c.Limits.RequestsPerAddress,
		Certificates: a.certificates(),
		Observe:      a.observer(c.Log), Log: a.log, Now: time.Now,
	}
	if o.Attributes, err = a.attributes(c); err != nil {
		return nil, err
	}
	g.told = o.Attributes
	if o.People, err = a.provision(c, chain, users); err != nil {
		return nil, err
	}
	if err = a.signIn(c, chain, &o); err != nil {
		return nil, err
	}
	if g.handler, err = proxy.New(o); err != nil {
		return nil, err
	}
	a.follow(chain)
	return g, nil
}

// chain opens the handlers in their order.
func (a *app) chain(ctx context.Context, c *config.Config, keys [][]byte, claims func(handler string) []string, users authhandlers.CatUsers) (*authhandlers.Chain, error) {
	links := make([]authhandlers.Link, 0, len(c.Handlers))
	for _, h := range c.Handlers {
		settings, ok := h.Settings.(authhandlers.Config)
		if !ok {
			return nil, fmt.Errorf("handler %s: its type can't be opened", h.Name)
		}
		own, err := session.HandlerKeys(a.keysOfHandlers(keys), h.Name)
		if err != nil {
			return nil, err
		}
		opened, err := authhandlers.Open(ctx, settings, authhandlers.Env{
			Cookie: session.HandlerCookie(c.PublicURL, h.Name), Keys: own, Kept: a.keptFor(h),
			Name: h.Name, Log: a.log.With("handler", h.Name), HTTP: outbound(), Now: time.Now, Gate: a.gate, Claims: claims(h.Name), Certificates: a.certificates(),
			CachedTokens: c.Limits.CachedTokens, CatUsers: users, Observe: a.metrics.HandlerEvents(h.Name, eventsOf(settings)...),
		})
		if err != nil {
			return nil, err
		}
		l := authhandlers.Link{Name: h.Name, Alias: h.EffectiveAlias(), Handler: opened, Permissions: h.Permissions}
		links = append(links, l.Carried(settings))
	}
	all, err := authhandlers.NewChain(time.Now, links...)
	if err != nil || a.sessions == nil || a.started.login == "" { // where nobody has signed in, nobody has signed out
		return all, err
	}
	a.sessions.KeepLogouts(longestLife(c))
	return all.Denying(a.sessions.Denied), nil
}

// longestLife is how long a token may live that a logout means.
func longestLife(c *config.Config) time.Duration {
	longest := session.DefaultTokenLife
	for _, h := range c.Handlers {
		if l, ok := h.Settings.(authhandlers.Lifetimer); ok {
			longest = max(longest, l.LongestLife())
		}
	}
	return longest
}

// eventsOf are the events that handlers of a type can have, if it says so.
func eventsOf(settings authhandlers.Config) []string {
	if c, ok := settings.(interface{ Events() []string }); ok {
		return c.Events()
	}
	return nil
}

func rules(p config.Permissions) permission.Rules {
	r := permission.Rules{Everyone: p.Everyone, Sets: p.Sets, Public: p.Public}
	for _, g := range p.Grants {
		r.Grants = append(r.Grants, permission.Grant{From: g.From, Groups: g.Groups, Claims: g.Claims, Users: g.Users, Allow: g.Allow, Deny: g.Deny})
	}
	for _, e := range p.Endpoints {
		r.Endpoints = append(r.Endpoints, permission.Endpoint{Match: e.Match, Needs: e.Needs, Own: e.Own})
	}
	return r
}

// contractOf is the Cat's contract, with what the configuration says of its documents.
func contractOf(c config.Cat) *cat.Contract {
	if c.Documents == "private" {
		return cat.V1().PrivateDocuments()
	}
	return cat.V1()
}

// credentials reads the secrets for the Cat.
func credentials(c config.Cat, contract *cat.Contract) (cat.Credentials, []cat.Account, error) {
	if c.Credential == "minted" {
		minter, accounts, err := minter(c, contract)
		return minter, accounts, err
	}
	keys, err := keys(c)
	if err != nil || len(c.ServiceAccounts) == 0 {
		return keys, nil, err
	}
	minter, accounts, err := minter(c, contract)
	return &cat.KeysAndTokens{Keys: keys, Minter: minter}, accounts, err
}

func keys(c config.Cat) (*cat.Keys, error) {
	http, err := readSecret(c.APIKey)
	if err != nil {
		return nil, fmt.Errorf("cat.api_key: %w", err)
	}
	chat, err := readSecret(c.APIKeyWS)
	if err != nil {
		return nil, fmt.Errorf("cat.api_key_ws: %w", err)
	}
	return cat.NewKeys(http, chat), nil
}

func minter(c config.Cat, contract *cat.Contract) (*cat.Minter, []cat.Account, error) {
	secret, err := c.JWTSecret.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("cat.jwt_secret: %w", err)
	}
	var accounts []cat.Account
	for i, s := range c.ServiceAccounts {
		account, err := account(s)
		if err != nil {
			return nil, nil, fmt.Errorf("cat.service_accounts[%d]: %w", i, err)
		}
		accounts = append(accounts, account)
	}
	minter, err := cat.NewMinter(secret, accounts, contract, time.Now)
	return minter, accounts, err
}

func readSecret(s value.Secret) (string, error) {
	if s.IsZero() { // allowed with insecure_open_cat only
		return "", nil
	}
	b, err := s.Read()
	return string(b), err
}

func account(s config.ServiceAccount) (cat.Account, error) {
	a := cat.Account{ID: s.ID.Literal}
	if a.ID == "" {
		id, err := s.ID.From.Read()
		if err != nil {
			return cat.Account{}, err
		}
		a.ID = string(id)
	}
	var err error
	a.Permissions, err = accountPermissions(s)
	return a, err
}

func accountPermissions(s config.ServiceAccount) (cat.Permissions, error) {
	var all cat.Permissions
	for _, name := range s.Permissions {
		set, err := cat.ParsePermissions(name)
		if err != nil {
			return 0, err
		}
		all |= set
	}
	return all, nil
}

func prefixes(texts []string) ([]netip.Prefix, error) {
	var l []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
		l = append(l, p)
	}
	return l, nil
}

func sockets(all *config.Config) chat.Settings {
	c := all.WebSocket
	s := chat.Settings{
		MaxTurns: all.Cat.MaxTurns,
		Mode:     chat.Shared, Ping: c.Ping.Std(), MaxMessage: int64(c.MaxMessage), MaxSockets: c.MaxSockets, MaxPerUser: c.MaxSocketsPerUser,
		MessageRate: c.MessageRate, Linger: c.Linger.Std(), ReconnectFor: c.ReconnectFor.Std(), DeliverWithin: c.DeliverWithin.Std(),
		MaxReply: int64(c.MaxReply), MaxQueue: int64(c.MaxQueue), MaxQueued: c.MaxQueueMessages, MaxHeld: int64(c.MaxHeld), MaxHeldPerUser: int64(c.MaxHeldPerUser),
		MessageTimeout: c.MessageTimeout.Std(),
	}
	if c.Session == "separate" {
		s.Mode = chat.Separate
	}
	return s
}

// follow carries the handlers' revocations to the live sockets.
func (a *app) follow(chain *authhandlers.Chain) {
	for _, l := range chain.Links() {
		r, ok := l.Handler.(authhandlers.Revoker)
		if !ok {
			continue
		}
		go func() {
			for revoked := range r.Revocations() {
				a.revoke(revoked)
			}
		}()
	}
}

var errNothingRuns = errors.New("nothing runs yet")
