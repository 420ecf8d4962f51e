package provider

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	codeLife    = time.Minute
	tokenLife   = 5 * time.Minute
	sessionLife = 8 * time.Hour
	// bodyLimit is the longest form that is read, in bytes.
	bodyLimit = 64 << 10
)

// Options are a provider's settings. All but Client and Now are required.
type Options struct {
	// Issuer is the URL at which the provider is served, without a path.
	Issuer string
	// ClientID and ClientSecret are those of its one client.
	ClientID, ClientSecret string
	// Redirects and PostLogout are where the client may have people sent, after the
	// login and after the logout. They are compared as they are.
	Redirects, PostLogout []string
	// BackChannel is the client's address for logout tokens.
	BackChannel string
	// Audience is the aud of access tokens.
	Audience string
	// Client sends the logout tokens. Default: one that gives up after three seconds.
	Client *http.Client
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Provider is an OpenID provider, to be served at its issuer.
type Provider struct {
	o        Options
	host     string
	keys     *keys
	store    store
	pages    *pages
	endpoint http.Handler
}

// New makes a provider with a key of its own.
func New(o Options) (*Provider, error) {
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" || issuer.User != nil {
		return nil, errors.New("the issuer is a URL without a path")
	}
	if o.ClientID == "" || o.ClientSecret == "" || o.Audience == "" || o.BackChannel == "" || len(o.Redirects) == 0 || len(o.PostLogout) == 0 {
		return nil, errors.New("the provider needs a client with an id, a secret, an audience and its addresses")
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Timeout:       3 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	k, err := newKeys(o.Issuer, o.Now)
	if err != nil {
		return nil, err
	}
	p := &Provider{o: o, host: issuer.Host, keys: k, store: newStore(o.Now)}
	if p.pages, err = newPages(slices.Concat(o.Redirects, o.PostLogout)); err != nil {
		return nil, err
	}
	p.endpoint = p.routes()
	return p, nil
}

func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /jwks", p.serveKeys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /authorize", p.signIn)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /token/{name}", p.plainToken)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	mux.HandleFunc("POST /userinfo", p.userinfo)
	mux.HandleFunc("GET /end_session", p.endSession)
	mux.HandleFunc("POST /end_session", p.endSession)
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /style.css", p.pages.style)
	// Another site's form is nobody's wish (CSRF): it could sign people in as bob.
	return http.NewCrossOriginProtection().Handler(mux)
}

// ServeHTTP refuses every Host but the issuer's, so that no other site's name can
// be pointed at it.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host != p.host {
		http.Error(w, "the demo's provider is at "+p.o.Issuer, http.StatusMisdirectedRequest)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	p.endpoint.ServeHTTP(w, r)
}

// discovery answers with the metadata (OpenID Connect Discovery §3).
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         p.o.Issuer,
		"authorization_endpoint":                         p.o.Issuer + "/authorize",
		"token_endpoint":                                 p.o.Issuer + "/token",
		"userinfo_endpoint":                              p.o.Issuer + "/userinfo",
		"jwks_uri":                                       p.o.Issuer + "/jwks",
		"end_session_endpoint":                           p.o.Issuer + "/end_session",
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"ES256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic"},
		"code_challenge_methods_supported":               []string{"S256"},
		"scopes_supported":                               []string{"openid", "profile", "groups"},
		"prompt_values_supported":                        []string{"none", "login", "select_account"},
		"claims_supported":                               []string{"sub", "name", "groups", "sid", "auth_time"},
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"authorization_response_iss_parameter_supported": true,
	})
}
