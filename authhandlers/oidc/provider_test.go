package oidc_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	clientID = "catflap"
	redirect = "https://cat.example.com/_catflap/callback"
	secret   = "the client's own secret: 1+1=2 &c"
)

// provider is an OpenID provider that checks its clients as a real one does, and
// lies when it is told to.
type provider struct {
	*issuer.Issuer
	t testing.TB

	mu       sync.Mutex
	codes    map[string]url.Values // what the authorization request said
	refresh  map[string]bool       // refresh tokens that are good
	serial   int
	auth     []string // how the clients have shown who they are
	id       []issuer.Change
	extra    map[string]any // of the token answer
	userInfo map[string]any
	fault    map[string]http.HandlerFunc // by path
	public   bool
	// answersAs is the Content-Type of the token answer; empty: JSON's.
	answersAs string
}

func newProvider(t testing.TB, clock *authtest.Clock, algorithms ...string) *provider {
	p := &provider{
		Issuer: authtest.NewIssuer(t, clock, algorithms...), t: t,
		codes: map[string]url.Values{}, refresh: map[string]bool{}, fault: map[string]http.HandlerFunc{},
		userInfo: map[string]any{"sub": "alice"}, extra: map[string]any{},
	}
	p.Discover(map[string]any{
		"authorization_endpoint": p.URL() + "/authorize", "token_endpoint": p.URL() + "/token",
		"userinfo_endpoint": p.URL() + "/userinfo", "end_session_endpoint": p.URL() + "/logout",
		"authorization_response_iss_parameter_supported": true,
	})
	p.Handle("POST /token", p.faulty(p.serveToken))
	p.Handle("GET /userinfo", p.faulty(p.serveUserInfo))
	return p
}

func (p *provider) faulty(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		fault := p.fault[r.URL.Path]
		p.mu.Unlock()
		if fault != nil {
			fault(w, r)
			return
		}
		h(w, r)
	}
}

// set changes the provider under its lock.
func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// authorize is the browser at the provider: alice signs in, and comes back with this.
func (p *provider) authorize(address string) url.Values {
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	code := "code-" + strconv.Itoa(p.serial)
	p.codes[code] = u.Query()
	return url.Values{"code": {code}, "state": {u.Query().Get("state")}, "iss": {p.URL()}}
}

func (p *provider) serveToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	if !p.client(r) {
		oauthError(http.StatusUnauthorized, "invalid_client")(w, r)
		return
	}
	answer := map[string]any{"access_token": "opaque-access-token", "token_type": "Bearer", "expires_in": 300}
	changes := []issuer.Change{issuer.Header("typ", nil), issuer.Claim("aud", clientID), issuer.Without("client_id", "jti")}
	switch r.Form.Get("grant_type") {
	case "authorization_code":
		asked, ok := p.codes[r.Form.Get("code")]
		delete(p.codes, r.Form.Get("code"))
		sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
		if !ok || r.Form.Get("redirect_uri") != asked.Get("redirect_uri") || asked.Get("code_challenge_method") != "S256" ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
			oauthError(http.StatusBadRequest, "invalid_grant")(w, r)
			return
		}
		changes = append(changes, issuer.Claim("nonce", asked.Get("nonce")), issuer.Claim("sid", "session-1"))
	case "refresh_token":
		old := r.Form.Get("refresh_token")
		if !p.refresh[old] {
			oauthError(http.StatusBadRequest, "invalid_grant")(w, r)
			return
		}
		delete(p.refresh, old)
	}
	p.serial++
	answer["refresh_token"] = "refresh-" + strconv.Itoa(p.serial)
	p.refresh[answer["refresh_token"].(string)] = true
	answer["id_token"] = p.Token("alice", append(changes, p.id...)...)
	maps.Copy(answer, p.extra)
	maps.DeleteFunc(answer, func(_ string, v any) bool { return v == nil })
	w.Header().Set("Content-Type", cmp.Or(p.answersAs, "application/json"))
	_ = json.NewEncoder(w).Encode(answer)
}

// client checks who asks, and notes how.
func (p *provider) client(r *http.Request) bool {
	id, password, basic := r.BasicAuth()
	if basic {
		p.auth = append(p.auth, "basic")
		id, _ = url.QueryUnescape(id)
		password, _ = url.QueryUnescape(password)
		return id == clientID && password == secret
	}
	if r.Form.Has("client_secret") {
		p.auth = append(p.auth, "post")
		return r.Form.Get("client_id") == clientID && r.Form.Get("client_secret") == secret
	}
	p.auth = append(p.auth, "none")
	return p.public && r.Form.Get("client_id") == clientID
}

func (p *provider) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Header.Get("Authorization") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p.userInfo)
}

// oauthError answers as RFC 6749 §5.2 says, with a description that nobody may see.
func oauthError(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": planted})
	}
}

// planted must be in no error, hint or log.
const planted = "planted-description"

// handler is what oidc opens.
type handler interface {
	authhandlers.AuthHandler
	authhandlers.LoginProvider
	authhandlers.Prober
}

// open opens a handler for the provider; change may change its configuration.
func open(t testing.TB, env authhandlers.Env, p *provider, change func(*oidc.Config)) handler {
	t.Helper()
	t.Setenv("OIDC_TEST_SECRET", secret)
	c := oidc.NewConfig()
	c.Issuer, c.ClientID, c.ClientSecret.Env = p.URL(), clientID, "OIDC_TEST_SECRET"
	c.Audiences, c.Groups = []string{"catflap-api"}, "groups"
	if change != nil {
		change(c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	h, err := authhandlers.Open(ctx, c, env)
	if err != nil {
		t.Fatal(err)
	}
	return h.(handler)
}

// fixture is a provider and a handler for it.
type fixture struct {
	clock *authtest.Clock
	p     *provider
	h     handler
}

func start(t testing.TB, change func(*oidc.Config)) fixture {
	t.Helper()
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	return fixture{clock, p, open(t, authtest.NewEnv(t, clock), p, change)}
}

func attempt() authhandlers.LoginAttempt {
	return authhandlers.LoginAttempt{
		State: "state-0123456789abcdef", Nonce: "nonce-0123456789abcdef",
		Verifier: "verifier-0123456789-0123456789-0123456789-01", RedirectURI: redirect,
	}
}

// login is alice's whole way; change may change what she brings back.
func (f fixture) login(t testing.TB, change func(url.Values)) (*authhandlers.Login, error) {
	t.Helper()
	a := attempt()
	address, err := f.h.BeginLogin(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	answer := f.p.authorize(address)
	if change != nil {
		change(answer)
	}
	return f.h.FinishLogin(t.Context(), a, answer)
}

// signedIn is a login that must succeed.
func (f fixture) signedIn(t testing.TB) *authhandlers.Login {
	t.Helper()
	l, err := f.login(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// code returns the code of a refusal, "" for none, and "setup" or "fault" for a fault.
func code(err error) string {
	r, ok := errors.AsType[*authhandlers.Rejection](err)
	switch {
	case err == nil:
		return ""
	case ok:
		return string(r.Code)
	case errors.Is(err, authhandlers.ErrNoCredential):
		return "no credential"
	case errors.Is(err, authhandlers.ErrSetup):
		return "setup" // a fault that stays
	}
	return "fault"
}

func contextFor(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
