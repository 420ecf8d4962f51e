package oidc_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

func TestAProviderThatIsDownAtTheStart(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	p.SetDiscoveryFault(issuer.Status(503))
	env, e := authtest.NewEnv(t, clock), authtest.NewEvents()
	env.Observe = e.Observe
	f := fixture{clock, p, open(t, env, p, nil)}
	e.Wait(t, "discovery_failed", 1)
	if err := f.h.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("ready: %v", err)
	}
	if _, err := f.h.BeginLogin(t.Context(), attempt()); code(err) != "fault" {
		t.Errorf("a login: %v", err)
	}
	if _, err := f.h.FinishLogin(t.Context(), attempt(), nil); code(err) != "fault" {
		t.Errorf("an answer: %v", err)
	}
	if _, err := f.h.Authenticate(t.Context(), f.bearer()); code(err) != "fault" {
		t.Errorf("a token: %v", err)
	}
	if _, err := f.h.ReadLogoutToken(t.Context(), f.p.Token("alice")); code(err) != "fault" {
		t.Errorf("a logout token: %v", err)
	}
	if got := f.h.LogoutURL(nil, "https://cat.example.com/", "s"); got != "" {
		t.Errorf("a logout leads to %q", got)
	}
	// Nobody who asks makes it ask more often than the pause allows.
	before := p.Discoveries()
	for range 50 {
		_, _ = f.h.BeginLogin(t.Context(), attempt())
	}
	if n := p.Discoveries(); n > before+1 {
		t.Errorf("%d fetches within one pause", n-before)
	}
	p.SetDiscoveryFault(nil)
	clock.Advance(5 * time.Minute)
	f.signedIn(t)
	if _, err := f.h.Authenticate(t.Context(), f.bearer()); err != nil {
		t.Error(err)
	}
	if err := f.h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASlowProvider(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	p.SetDiscoveryFault(p.Hang())
	h := open(t, authtest.NewEnv(t, clock), p, nil)
	f := fixture{clock, p, h}
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	if _, err := h.BeginLogin(ctx, attempt()); code(err) != "fault" {
		t.Errorf("a login: %v", err)
	}
	if _, err := h.Authenticate(ctx, f.bearer()); code(err) != "fault" {
		t.Errorf("a token: %v", err)
	}
	if err := h.Ready(ctx); err == nil {
		t.Error("ready")
	}
}

// TestDocuments is what a provider may say of itself.
func TestDocuments(t *testing.T) {
	for name, c := range map[string]struct {
		members map[string]any
		want    string
	}{
		"as it is":                {nil, ""},
		"https elsewhere":         {map[string]any{"authorization_endpoint": "https://login.example.com/a"}, ""},
		"without the rest":        {map[string]any{"userinfo_endpoint": nil, "end_session_endpoint": nil}, ""},
		"other issuer":            {map[string]any{"issuer": "https://evil.example"}, "not the configured one"},
		"no issuer":               {map[string]any{"issuer": nil}, "not the configured one"},
		"issuer a list":           {map[string]any{"issuer": []string{"x"}}, "not the configured one"},
		"no authorization":        {map[string]any{"authorization_endpoint": nil}, "authorization_endpoint is missing"},
		"no token":                {map[string]any{"token_endpoint": nil}, "token_endpoint is missing"},
		"no keys":                 {map[string]any{"jwks_uri": nil}, "jwks_uri is missing"},
		"keys a number":           {map[string]any{"jwks_uri": 7}, "jwks_uri is no text"},
		"plain http elsewhere":    {map[string]any{"token_endpoint": "http://idp.example.com/token"}, "token_endpoint: neither https"},
		"javascript":              {map[string]any{"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint: no absolute URL"},
		"with a password":         {map[string]any{"token_endpoint": "https://a:b@idp.example.com/"}, "token_endpoint: it holds"},
		"plain http for userinfo": {map[string]any{"userinfo_endpoint": "http://10.0.0.1/"}, "userinfo_endpoint: neither https"},
		"file for the end":        {map[string]any{"end_session_endpoint": "file:///etc/passwd"}, "end_session_endpoint: no absolute URL"},
	} {
		clock := authtest.NewClock()
		p := newProvider(t, clock)
		p.Discover(c.members)
		env, e := authtest.NewEnv(t, clock), authtest.NewEvents()
		env.Observe = e.Observe
		h := open(t, env, p, nil)
		_, err := h.BeginLogin(t.Context(), attempt())
		if c.want == "" && err != nil || c.want != "" && (code(err) != "setup" || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if c.want != "" {
			e.Wait(t, "discovery_failed", 1)
		}
	}
}

func TestAnswersThatAreNoDocument(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"empty":             issuer.Body("application/json", nil),
		"a list":            issuer.Body("application/json", []byte("[]")),
		"HTML":              issuer.Body("text/html", []byte("<html>")),
		"huge":              issuer.Body("application/json", []byte(`{"x":"`+strings.Repeat("x", 2<<20)+`"}`)),
		"issuer twice":      issuer.Body("application/json", []byte(`{"issuer":"a","issuer":"b"}`)),
		"redirect":          issuer.RedirectTo("http://127.0.0.2:9/"),
		"redirect to https": issuer.RedirectTo("https://127.0.0.2:9/"),
		"deep":              issuer.Body("application/json", []byte(strings.Repeat(`{"a":`, 100)+"1"+strings.Repeat("}", 100))),
	} {
		clock := authtest.NewClock()
		p := newProvider(t, clock)
		p.SetDiscoveryFault(answer)
		h := open(t, authtest.NewEnv(t, clock), p, nil)
		if _, err := h.BeginLogin(t.Context(), attempt()); code(err) != "fault" || strings.Contains(err.Error(), "<html>") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheLastGoodDocumentIsKept(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	env, e := authtest.NewEnv(t, clock), authtest.NewEvents()
	env.Observe = e.Observe
	f := fixture{clock, p, open(t, env, p, nil)}
	f.signedIn(t)
	p.Discover(map[string]any{"issuer": "https://evil.example", "token_endpoint": "https://evil.example/token"})
	clock.Advance(2 * time.Hour)
	f.signedIn(t) // asks for the fetch
	e.Wait(t, "discovery_failed", 1)
	f.signedIn(t)
	if err := f.h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	p.Discover(map[string]any{"issuer": p.URL(), "token_endpoint": p.URL() + "/token2"})
	p.Handle("POST /token2", p.serveToken)
	p.set(func() { p.fault["/token"] = issuer.Status(404) })
	clock.Advance(5 * time.Minute)
	_, _ = f.h.BeginLogin(t.Context(), attempt())
	e.Wait(t, "discovery_changed", 2)
	f.signedIn(t)
}

func TestKeysRotate(t *testing.T) {
	f := start(t, nil)
	f.signedIn(t)
	old := f.bearer()
	if _, err := f.h.Authenticate(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	second, err := issuer.NewKey("second", "ES256")
	if err != nil {
		t.Fatal(err)
	}
	f.p.Publish(second)
	f.p.SignWith(second)
	f.clock.Advance(2 * time.Minute)
	f.signedIn(t)
	if _, err := f.h.Authenticate(t.Context(), f.bearer()); err != nil {
		t.Error(err)
	}
	if _, err := f.h.Authenticate(t.Context(), old); err != nil {
		t.Errorf("the old key is still published: %v", err)
	}
}

// TestKeysFollowTheDocument is a provider that says that its keys are elsewhere now.
func TestKeysFollowTheDocument(t *testing.T) {
	clock := authtest.NewClock()
	p, q := newProvider(t, clock), authtest.NewIssuer(t, clock)
	env, e := authtest.NewEnv(t, clock), authtest.NewEvents()
	env.Observe = e.Observe
	f := fixture{clock, p, open(t, env, p, nil)}
	old := f.bearer()
	if _, err := f.h.Authenticate(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	e.Wait(t, "keys_changed", 1)

	// As long as nobody answers there, the old keys serve.
	q.SetFault(issuer.Status(503))
	p.Discover(map[string]any{"jwks_uri": q.JWKSURL()})
	clock.Advance(time.Hour)
	fresh := func(changes ...issuer.Change) string {
		_, err := f.h.Authenticate(t.Context(), f.bearer(changes...))
		return code(err)
	}
	if got := fresh(); got != "" {
		t.Errorf("before the move: %s", got)
	}
	e.Wait(t, "keys_fetch_failed", 1)
	remembered := f.bearer()
	if _, err := f.h.Authenticate(t.Context(), remembered); err != nil {
		t.Errorf("while nobody answers there: %v", err)
	}

	q.SetFault(nil)
	clock.Advance(2 * time.Minute)
	e.Wait(t, "keys_changed", 2)
	newKey := issuer.SignedBy(q.Key("es256"))
	limit := time.Now().Add(20 * time.Second)
	for fresh(newKey) != "" && time.Now().Before(limit) {
		continue // the switch is the next thing that the same goroutine does
	}
	if got := fresh(newKey); got != "" {
		t.Errorf("a token of the new keys: %s", got)
	}
	if got := fresh(); got != "bad_signature" {
		t.Errorf("a token of the old keys: %s", got)
	}
	if _, err := f.h.Authenticate(t.Context(), remembered); code(err) != "bad_signature" {
		t.Errorf("a remembered token of the old keys: %v", err)
	}
}
