package oidc_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

func TestLogin(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA", "PS256"} {
		t.Run(algorithm, func(t *testing.T) {
			clock := authtest.NewClock()
			p := newProvider(t, clock, algorithm)
			env := authtest.NewEnv(t, clock)
			env.Claims = []string{"department"}
			f := fixture{clock, p, open(t, env, p, func(c *oidc.Config) { c.Algorithms = []string{algorithm} })}
			p.id = []issuer.Change{issuer.Claim("groups", []string{"/cat-admins"}), issuer.Claim("name", "Alice\x00 Tester"), issuer.Claim("department", "felines")}
			l := f.signedIn(t)
			want := authhandlers.AuthUserInfo{
				Issuer: p.URL(), Subject: "alice", Name: "Alice Tester", SessionID: "session-1",
				Groups: []string{"/cat-admins"}, Claims: map[string][]string{"department": {"felines"}},
			}
			if !reflect.DeepEqual(l.Person, want) {
				t.Errorf("got %+v, want %+v", l.Person, want)
			}
			if l.RefreshToken != "refresh-2" || strings.Count(l.IDToken, ".") != 2 || !l.IssuedAt.Equal(clock.Now()) ||
				!l.Until.Equal(clock.Now().Add(5*time.Minute)) {
				t.Errorf("got %+v", l)
			}
		})
	}
}

// TestPrompt: what the provider has to ask is the operator's to say, and somebody who
// wants to be somebody else is asked who they are in any case.
func TestPrompt(t *testing.T) {
	for configured, want := range map[string][2]string{
		"":                       {"", "login"},
		"consent":                {"consent", "consent login"},
		"consent select_account": {"consent select_account", "consent select_account"},
		"login":                  {"login", "login"},
	} {
		f := start(t, func(c *oidc.Config) {
			if configured != "" {
				c.AuthorizeParams = map[string]string{"prompt": configured}
			}
		})
		for i, again := range []bool{false, true} {
			a := attempt()
			a.Again = again
			address, err := f.h.BeginLogin(t.Context(), a)
			u, _ := url.Parse(address)
			if got := u.Query()["prompt"]; err != nil || strings.Join(got, "|") != want[i] {
				t.Errorf("%q, again %v: %q %v", configured, again, got, err)
			}
		}
	}
}

func TestBeginLogin(t *testing.T) {
	f := start(t, func(c *oidc.Config) {
		c.AuthorizeParams = map[string]string{"audience": "the cat", "domain_hint": "x&y"}
	})
	a := attempt()
	for _, again := range []bool{false, true} {
		a.Again = again
		address, err := f.h.BeginLogin(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme+"://"+u.Host+u.Path != f.p.URL()+"/authorize" {
			t.Fatal(address, err)
		}
		want := url.Values{
			"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "scope": {"openid profile email"},
			"state": {a.State}, "nonce": {a.Nonce}, "code_challenge_method": {"S256"},
			"code_challenge": {u.Query().Get("code_challenge")}, "audience": {"the cat"}, "domain_hint": {"x&y"},
		}
		if again {
			want.Set("prompt", "login")
		}
		if !reflect.DeepEqual(u.Query(), want) {
			t.Errorf("got %v, want %v", u.Query(), want)
		}
		if strings.Contains(address, a.Verifier) {
			t.Error("the verifier is in the address")
		}
	}
	for name, change := range map[string]func(*authhandlers.LoginAttempt){
		"no state":       func(a *authhandlers.LoginAttempt) { a.State = "" },
		"no nonce":       func(a *authhandlers.LoginAttempt) { a.Nonce = "" },
		"short verifier": func(a *authhandlers.LoginAttempt) { a.Verifier = "short" },
		"long verifier":  func(a *authhandlers.LoginAttempt) { a.Verifier = strings.Repeat("v", 129) },
		"no redirect":    func(a *authhandlers.LoginAttempt) { a.RedirectURI = "" },
	} {
		a := attempt()
		change(&a)
		if address, err := f.h.BeginLogin(t.Context(), a); code(err) != "fault" || address != "" {
			t.Errorf("%s: %q, %v", name, address, err)
		}
	}
}

// TestAnswers is what a browser may bring back.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"as it is":          {nil, ""},
		"further":           {func(v url.Values) { v.Set("session_state", "x") }, ""},
		"other issuer":      {func(v url.Values) { v.Set("iss", "https://evil.example") }, "login_failed"},
		"issuer with slash": {func(v url.Values) { v.Set("iss", v.Get("iss")+"/") }, "login_failed"},
		"no issuer":         {func(v url.Values) { v.Del("iss") }, "login_failed"},
		"empty issuer":      {func(v url.Values) { v.Set("iss", "") }, "login_failed"},
		"two issuers":       {func(v url.Values) { v.Add("iss", v.Get("iss")) }, "login_failed"},
		"two codes":         {func(v url.Values) { v.Add("code", "other") }, "login_failed"},
		"two states":        {func(v url.Values) { v.Add("state", v.Get("state")) }, "login_failed"},
		"no code":           {func(v url.Values) { v.Del("code") }, "login_failed"},
		"empty code":        {func(v url.Values) { v.Set("code", "") }, "login_failed"},
		"huge code":         {func(v url.Values) { v.Set("code", strings.Repeat("c", 9000)) }, "login_failed"},
		"unknown code":      {func(v url.Values) { v.Set("code", "made-up") }, "login_failed"},
		"denied":            {func(v url.Values) { v.Set("error", "access_denied"); v.Set("error_description", planted) }, "login_denied"},
		"denied elsewhere":  {func(v url.Values) { v.Set("error", "access_denied"); v.Set("iss", "https://evil.example") }, "login_failed"},
		"error":             {func(v url.Values) { v.Set("error", "login_required"); v.Set("error_description", planted) }, "login_failed"},
		"its fault":         {func(v url.Values) { v.Set("error", "server_error"); v.Set("error_description", planted) }, "login_failed"},
		"scope":             {func(v url.Values) { v.Set("error", "invalid_scope"); v.Set("error_description", planted) }, "setup"},
		"client":            {func(v url.Values) { v.Set("error", "unauthorized_client") }, "setup"},
		"empty error":       {func(v url.Values) { v.Set("error", "") }, "login_failed"},
		"wild error":        {func(v url.Values) { v.Set("error", "x\r\ny"+strings.Repeat("z", 5000)) }, "login_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, nil)
			l, err := f.login(t, c.change)
			if code(err) != c.want || (l == nil) != (c.want != "") {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			shown(t, err)
		})
	}
}

// shown holds what an error may show.
func shown(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if r, ok := err.(*authhandlers.Rejection); ok { //nolint:errorlint // as it is
		text += r.Hint
		if r.Hint == "" {
			t.Error("no hint")
		}
	}
	for _, s := range []string{planted, secret, "code-", "refresh-", "opaque-", "verifier-", "nonce-", "eyJ", "\r", "\n"} {
		if strings.Contains(text, s) {
			t.Errorf("the error shows %q: %s", s, text)
		}
	}
	if len(text) > 600 {
		t.Errorf("the error has %d bytes", len(text))
	}
}

func TestIssuerParameterIsNotRequiredOfWhoDoesNotSendIt(t *testing.T) {
	f := start(t, nil)
	f.p.Discover(map[string]any{"authorization_response_iss_parameter_supported": nil})
	f = fixture{f.clock, f.p, open(t, authtest.NewEnv(t, f.clock), f.p, nil)}
	if _, err := f.login(t, func(v url.Values) { v.Del("iss") }); err != nil {
		t.Error(err)
	}
	if _, err := f.login(t, func(v url.Values) { v.Set("iss", "https://evil.example") }); code(err) != "login_failed" {
		t.Error(err)
	}
}

func TestACodeIsGoodOnceAndForItsAttempt(t *testing.T) {
	f := start(t, nil)
	a := attempt()
	address, err := f.h.BeginLogin(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	answer := f.p.authorize(address)
	if _, err := f.h.FinishLogin(t.Context(), a, answer); err != nil {
		t.Fatal(err)
	}
	if _, err := f.h.FinishLogin(t.Context(), a, answer); code(err) != "login_failed" {
		t.Errorf("the second time: %v", err)
	}
	for name, change := range map[string]func(*authhandlers.LoginAttempt){
		"verifier": func(a *authhandlers.LoginAttempt) { a.Verifier += "x" },
		"redirect": func(a *authhandlers.LoginAttempt) { a.RedirectURI += "x" },
		"nonce":    func(a *authhandlers.LoginAttempt) { a.Nonce += "x" },
	} {
		other := attempt()
		change(&other)
		if _, err := f.h.FinishLogin(t.Context(), other, f.p.authorize(address)); code(err) != "login_failed" {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestTokenEndpointFaults(t *testing.T) {
	f := start(t, nil)
	hang := f.p.Hang()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"500":                {issuer.Status(500), "fault"},
		"429":                {oauthError(429, "invalid_grant"), "fault"},
		"invalid client":     {oauthError(401, "invalid_client"), "setup"},
		"keycloak's secret":  {oauthError(401, "unauthorized_client"), "setup"},
		"flow not allowed":   {oauthError(400, "unauthorized_client"), "setup"},
		"invalid request":    {oauthError(400, "invalid_request"), "login_failed"},
		"a page":             {page(400), "login_failed"},
		"invalid grant":      {oauthError(400, "invalid_grant"), "login_failed"},
		"error with 200":     {oauthError(200, "invalid_grant"), "login_failed"},
		"no JSON":            {issuer.Body("application/json", []byte("<html>"+planted)), "fault"},
		"no token":           {issuer.Body("application/json", []byte(`{}`)), "setup"},
		"no ID token":        {issuer.Body("application/json", []byte(`{"access_token":"x"}`)), "setup"},
		"ID token no text":   {issuer.Body("application/json", []byte(`{"access_token":"x","id_token":7}`)), "setup"},
		"a token twice":      {issuer.Body("application/json", []byte(`{"id_token":"x","id_token":"y"}`)), "fault"},
		"ID token no token":  {issuer.Body("application/json", []byte(`{"access_token":"x","id_token":"y"}`)), "malformed_token"},
		"huge":               {issuer.Body("application/json", []byte(`{"access_token":"`+strings.Repeat("x", 2<<20)+`"}`)), "fault"},
		"redirect elsewhere": {issuer.RedirectTo("http://127.0.0.2:9/token"), "fault"},
		"cut":                {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "fault"},
	} {
		f.p.set(func() { f.p.fault["/token"] = c.answer })
		_, err := f.login(t, nil)
		if code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		shown(t, err)
	}
	f.p.set(func() { f.p.fault["/token"] = hang })
	a := attempt()
	address, err := f.h.BeginLogin(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	if _, err := f.h.FinishLogin(ctx, a, f.p.authorize(address)); code(err) != "fault" {
		t.Errorf("a provider that does not answer: %v", err)
	}
}

func TestClientAuthentication(t *testing.T) {
	for name, c := range map[string]struct {
		methods []string
		change  func(*oidc.Config)
		want    string
	}{
		"default":      {nil, nil, "basic"},
		"both":         {[]string{"client_secret_post", "client_secret_basic"}, nil, "basic"},
		"only post":    {[]string{"client_secret_post", "private_key_jwt"}, nil, "post"},
		"post chosen":  {nil, func(c *oidc.Config) { c.TokenAuth = "post" }, "post"},
		"basic chosen": {[]string{"client_secret_post"}, func(c *oidc.Config) { c.TokenAuth = "basic" }, "basic"},
		"public":       {nil, func(c *oidc.Config) { c.ClientSecret.Env = "" }, "none"},
	} {
		clock := authtest.NewClock()
		p := newProvider(t, clock)
		p.public = true
		if c.methods != nil {
			p.Discover(map[string]any{"token_endpoint_auth_methods_supported": c.methods})
		}
		f := fixture{clock, p, open(t, authtest.NewEnv(t, clock), p, c.change)}
		f.signedIn(t)
		if !slices.Equal(p.auth, []string{c.want}) {
			t.Errorf("%s: %v, want %s", name, p.auth, c.want)
		}
	}
}

func TestUntil(t *testing.T) {
	for name, c := range map[string]struct {
		lasts any
		want  time.Duration
	}{
		"said":     {600, 10 * time.Minute},
		"text":     {"600", 10 * time.Minute},
		"not said": {nil, 10 * time.Minute}, // the ID token's
		"negative": {-5, 10 * time.Minute},
		"for ever": {1 << 40, 168 * time.Hour},
		"fraction": {599.5, 599500 * time.Millisecond},
		"both":     {"599.5", 599500 * time.Millisecond},
		"exponent": {6e2, 10 * time.Minute},
		"absurd":   {"1e300", 168 * time.Hour},
		"NaN":      {"NaN", 10 * time.Minute},
		"words":    {"ten minutes", 10 * time.Minute},
		"object":   {map[string]any{"seconds": 600}, 10 * time.Minute},
	} {
		f := start(t, nil)
		f.p.extra["expires_in"] = c.lasts
		l := f.signedIn(t)
		if got := l.Until.Sub(f.clock.Now()); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	f := start(t, nil)
	if f.h.LoginTitle() != "test" || f.h.LoginIssuer() != f.p.URL() || f.h.OwnCallback() {
		t.Error(f.h.LoginTitle(), f.h.LoginIssuer(), f.h.OwnCallback())
	}
	h := open(t, authtest.NewEnv(t, f.clock), f.p, func(c *oidc.Config) { c.Title, c.Callback = "Company account", "own" })
	if h.LoginTitle() != "Company account" || !h.OwnCallback() {
		t.Error(h.LoginTitle(), h.OwnCallback())
	}
}
