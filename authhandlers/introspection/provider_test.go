package introspection_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/introspection"
	"github.com/catflap/catflap/config/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	issuerName = "https://idp.example.com"
	// clientID and secret need RFC 6749's own encoding in the header.
	clientID = "cat flap/ä"
	secret   = "a:secret + with%signs"
)

// provider is an introspection endpoint that says what it is told to.
type provider struct {
	server *httptest.Server
	asked  atomic.Int64
	clock  *authtest.Clock

	mu     sync.Mutex
	tokens map[string]string // the answer's text, by token; others are not active
	faults func(w http.ResponseWriter, r *http.Request) bool
}

func newProvider(t testing.TB, clock *authtest.Clock) *provider {
	t.Helper()
	p := &provider{tokens: map[string]string{}, clock: clock}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	p.mu.Lock()
	faults := p.faults
	p.mu.Unlock()
	if faults != nil && faults(w, r) {
		return
	}
	id, password, ok := r.BasicAuth()
	if r.PostFormValue("client_id") != "" {
		id, password, ok = r.PostFormValue("client_id"), r.PostFormValue("client_secret"), true
	} else {
		id, password = unescape(id), unescape(password)
	}
	if !ok || id != clientID || password != secret || r.Method != http.MethodPost || r.URL.RawQuery != "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	answer, known := p.tokens[r.PostFormValue("token")]
	p.mu.Unlock()
	if !known {
		answer = `{"active":false}`
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_, _ = w.Write([]byte(answer))
}

// says has the provider answer with this text about a token; "" takes it back.
func (p *provider) says(token, answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer == "" {
		delete(p.tokens, token)
		return
	}
	p.tokens[token] = answer
}

// fails has it answer by f first; nil ends that.
func (p *provider) fails(f func(http.ResponseWriter, *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return true
	}
}

// claims are those of an active token for ten minutes, changed; nil takes one out.
func (p *provider) claims(subject string, changes map[string]any) string {
	now := p.clock.Now().Unix()
	all := map[string]any{
		"active": true, "sub": subject, "iss": issuerName, "aud": "cat", "client_id": "app", "token_type": "Bearer", "scope": "openid cat",
		"exp": now + 600, "iat": now, "username": "Name of " + subject, "groups": []string{"/cat-users"},
	}
	for name, v := range changes {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// token makes an active token.
func (p *provider) token(subject string, changes map[string]any) string {
	token := fmt.Sprintf("opaque-token-%s-%d", subject, len(changes))
	p.says(token, p.claims(subject, changes))
	return token
}

// config is one that asks this provider.
func (p *provider) config(t testing.TB) *introspection.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	c := introspection.NewConfig()
	c.URL, c.Issuer, c.ClientID, c.ClientSecret = p.server.URL+"/introspect", issuerName, clientID, value.Secret{File: value.Path(file)}
	c.Audiences, c.Groups = []string{"cat"}, "groups"
	return c
}

// open opens a handler that ends with the test.
func open(t testing.TB, env authhandlers.Env, c *introspection.Config) authhandlers.AuthHandler {
	t.Helper()
	h, err := authhandlers.Open(t.Context(), c, env)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// fixture is a handler between its clock and its provider.
type fixture struct {
	*provider
	clock *authtest.Clock
	h     authhandlers.AuthHandler
	env   authhandlers.Env
}

func newFixture(t testing.TB, change func(*introspection.Config)) *fixture {
	t.Helper()
	clock := authtest.NewClock()
	f := &fixture{provider: newProvider(t, clock), clock: clock, env: authtest.NewEnv(t, clock)}
	c := f.config(t)
	if change != nil {
		change(c)
	}
	f.h = open(t, f.env, c)
	f.ready(t, true)
	f.asked.Store(0)
	return f
}

// ready waits until the handler is ready, or is not.
func (f *fixture) ready(t testing.TB, want bool) (reason error) {
	t.Helper()
	eventually(t, fmt.Sprintf("ready: %v", want), func() bool {
		reason = f.h.(authhandlers.Prober).Ready(t.Context())
		return (reason == nil) == want
	})
	return reason
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

func (f *fixture) ask(t testing.TB, token string) (*authhandlers.AuthUserInfo, error) {
	t.Helper()
	return f.h.Authenticate(t.Context(), authtest.Bearer(token))
}

// code tells a refusal by its code, a fault, and nothing wrong by "".
func code(err error) string {
	if r, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return string(r.Code)
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, authhandlers.ErrNoCredential):
		return "passed on"
	case errors.Is(err, authhandlers.ErrBusy):
		return "busy"
	case errors.Is(err, authhandlers.ErrSetup):
		return "setup"
	}
	return "fault"
}

func unescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return ""
	}
	return plain
}
