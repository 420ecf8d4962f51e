package oidc

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset"
)

type handler struct {
	bearers jwt.Handler

	way         *detour // nil: as browsers go
	issuer      string
	title       string
	ownCallback bool
	clientID    string
	terms       string
	secret      string
	tokenAuth   string
	scopes      []string
	params      map[string]string
	askUserInfo bool
	lookUp      bool   // overage: userinfo or graph
	graph       *graph // overage: microsoft_graph
	subject     bool   // the user id is sub
	services    []string
	leeway      time.Duration
	maxLifetime time.Duration
	algorithms  []string

	now       func() time.Time
	log       *slog.Logger
	client    *http.Client
	discovery *discovery
	ring      *ring
	reader    *jwt.Reader
	granting  jwt.Granting // the outermost claims that permissions hang on
}

// Open makes the handler. The provider's document and keys are fetched in the
// background, until ctx ends.
func (c *Config) Open(ctx context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	authorities, err := c.CAFile.Certificates()
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	if env.HTTP, err = keyset.Trusting(env.HTTP, authorities); err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	way, err := newDetour(c.Issuer, c.DiscoveryURL)
	if err != nil {
		return nil, err
	}
	env.HTTP = way.client(env.HTTP)
	h := &handler{
		way: way, issuer: c.Issuer, title: c.Title, ownCallback: c.Callback == "own",
		clientID: c.ClientID, terms: c.tokens().PersonClaim() + " " + c.ClientID, tokenAuth: c.TokenAuth, scopes: slices.Clone(c.Scopes), params: maps.Clone(c.AuthorizeParams),
		askUserInfo: c.UserInfo, lookUp: c.Overage == "userinfo" || c.Overage == "microsoft_graph", subject: c.UserID == "sub",
		services: slices.Clone(c.ServiceAccounts),
		leeway:   c.Leeway.Std(), maxLifetime: c.MaxLifetime.Std(), algorithms: c.tokens().Allowed(),
		now: env.Now, log: env.Log, client: keyset.SameHost(env.HTTP),
	}
	if c.Overage == "microsoft_graph" {
		h.graph = &graph{handler: h, address: c.GraphURL}
	}
	if h.title == "" {
		h.title = env.Name
	}
	if !c.ClientSecret.IsZero() {
		secret, err := c.ClientSecret.Read()
		if err != nil {
			return nil, err
		}
		h.secret = string(secret)
	}
	if h.granting, err = jwt.NewGranting(c.Groups.All(), env.Claims); err != nil {
		return nil, err
	}
	return h, h.open(ctx, c, env)
}

func (h *handler) open(ctx context.Context, c *Config, env authhandlers.Env) error {
	observe := env.Observe
	if observe == nil {
		observe = func(string) {}
	}
	h.ring = &ring{options: keyset.Options{
		Algorithms: h.algorithms, Now: env.Now, Log: env.Log, Observe: observe, HTTP: env.HTTP,
		Lifetime: c.Keys.Lifetime.Std(), Cooldown: c.Keys.Cooldown.Std(), StaleIfError: c.Keys.StaleIfError.Std(),
	}}
	h.discovery = &discovery{issuer: c.Issuer, way: h.way, client: h.client, now: env.Now, log: env.Log, observe: observe, ring: h.ring}
	h.ring.discovery = h.discovery
	tokens := c.tokens()
	var err error
	if h.reader, err = jwt.NewReader(tokens, env, h.ring); err != nil {
		return err
	}
	rules := jwt.Rules{Keys: h.ring, IDAudiences: []string{c.ClientID}, Check: h.checkBearer}
	if len(c.Audiences) == 0 && !c.AcceptIDTokens {
		rules.Closed = &authhandlers.Rejection{
			Code: authhandlers.CodeBearerNotAccepted,
			Hint: "tokens of this issuer are not taken here; sign in in the browser",
		}
	}
	if h.lookUp {
		rules.Complete = h.completeBearer
	}
	if h.bearers, err = jwt.New(tokens, env, rules); err != nil {
		return err
	}
	h.discovery.start(ctx)
	return nil
}

// Authenticate takes bearer tokens.
func (h *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return h.bearers.Authenticate(ctx, r)
}

// Ready reports that the provider's document or keys are not there.
func (h *handler) Ready(context.Context) error { return h.ring.Ready() }

// Rejudge judges the person of a bearer token again.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	return h.bearers.Rejudge(u)
}

// Generation changes with the provider's keys.
func (h *handler) Generation() uint64 { return h.bearers.Generation() }

// SharedIssuer implements authhandlers.Sibling.
func (h *handler) SharedIssuer() string { return h.issuer }

// LoginIssuer is whose people sign in.
func (h *handler) LoginIssuer() string { return h.issuer }

// LoginTitle is what people read where they choose.
func (h *handler) LoginTitle() string { return h.title }

// KeepsLogin reports a login of this client's, by the same claim. One of before that was
// noted is kept until it is renewed.
func (h *handler) KeepsLogin(l *authhandlers.Login) bool { return l.Terms == "" || l.Terms == h.terms }

// OwnCallback reports that the redirect URI is this handler's alone.
func (h *handler) OwnCallback() bool { return h.ownCallback }

// oauth is the client, as x/oauth2 wants it for the way to the provider.
func (h *handler) oauth(m *metadata, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: h.clientID, RedirectURL: redirect, Scopes: h.scopes, Endpoint: oauth2.Endpoint{AuthURL: m.authorize},
	}
}

var (
	_ authhandlers.AuthHandler   = (*handler)(nil)
	_ authhandlers.Prober        = (*handler)(nil)
	_ authhandlers.Sibling       = (*handler)(nil)
	_ authhandlers.LoginProvider = (*handler)(nil)
	_ authhandlers.LoginKeeper   = (*handler)(nil)
)
