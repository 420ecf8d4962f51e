package oidc_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// TestKeysThatNeverCome is a provider that names places where nobody answers, and
// then the old one again: the old keys serve all the while, and nothing of the other
// places goes on (the leak check holds that).
func TestKeysThatNeverCome(t *testing.T) {
	clock := authtest.NewClock()
	p, q, r := newProvider(t, clock), authtest.NewIssuer(t, clock), authtest.NewIssuer(t, clock)
	q.SetFault(issuer.Status(503))
	r.SetFault(r.Hang())
	env, e := authtest.NewEnv(t, clock), authtest.NewEvents()
	env.Observe = e.Observe
	f := fixture{clock, p, open(t, env, p, nil)}
	remembered := f.bearer(p.Lifetime(100 * time.Hour))
	for n, address := range []string{p.JWKSURL(), q.JWKSURL(), q.JWKSURL(), r.JWKSURL(), p.JWKSURL(), q.JWKSURL()} {
		p.Discover(map[string]any{"jwks_uri": address})
		clock.Advance(time.Hour)
		if _, err := f.h.Authenticate(t.Context(), remembered); err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		e.Wait(t, "discovery_fetched", n+1)
		if _, err := f.h.Authenticate(t.Context(), f.bearer()); err != nil {
			t.Fatalf("round %d, a new token: %v", n, err)
		}
	}
	if err := f.h.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// output is a log that may be written to by several goroutines.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// TestLog holds that nothing of a login is in the log, whatever goes wrong.
func TestLog(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	p.SetDiscoveryFault(issuer.Body("application/json", []byte(`{"issuer":"https://`+planted+"\n"+`"}`)))
	env, e, out := authtest.NewEnv(t, clock), authtest.NewEvents(), &output{}
	env.Observe, env.Log = e.Observe, slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f := fixture{clock, p, open(t, env, p, nil)}
	e.Wait(t, "discovery_failed", 1)
	p.SetDiscoveryFault(nil)
	clock.Advance(time.Hour)
	l := f.signedIn(t)
	p.set(func() {
		p.extra["id_token"] = nil
		p.fault["/userinfo"] = issuer.Body("application/json", []byte(planted))
	})
	if _, err := f.h.RefreshLogin(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.fault["/token"] = oauthError(400, "invalid_request") })
	_, _ = f.login(t, nil)
	_, _ = f.h.RefreshLogin(t.Context(), l)
	out.mu.Lock()
	defer out.mu.Unlock()
	text := out.text.String()
	if !strings.Contains(text, "a login was renewed, but not what the person is") {
		t.Errorf("the log does not say what went wrong:\n%s", text)
	}
	for _, s := range []string{planted, secret, "code-", "refresh-", "opaque-", "verifier-", "nonce-", "eyJ"} {
		if strings.Contains(text, s) {
			t.Errorf("the log shows %q:\n%s", s, text)
		}
	}
}
