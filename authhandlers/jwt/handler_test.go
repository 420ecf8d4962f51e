package jwt_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// local is a handler whose keys are in a file, and its issuer.
func local(t testing.TB, env func(*authhandlers.Env), change func(*jwt.Config)) (*authtest.Clock, *authtest.Issuer, authhandlers.AuthHandler) {
	t.Helper()
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	e := authtest.NewEnv(t, clock)
	if env != nil {
		env(&e)
	}
	h := open(t, e, write(t, "keys.json", idp.JWKS()), func(c *jwt.Config) {
		c.Issuer = idp.URL()
		if change != nil {
			change(c)
		}
	})
	return clock, idp, h
}

// TestEnd holds that a token ends at exp and the leeway, remembered or not.
func TestEnd(t *testing.T) {
	clock, idp, h := local(t, nil, nil)
	token := idp.Token("alice")
	u, err := h.Authenticate(t.Context(), authtest.Bearer(token))
	if err != nil {
		t.Fatal(err)
	}
	if want := clock.Now().Add(630 * time.Second); !u.Expiry.Equal(want) {
		t.Errorf("expiry %v, want %v", u.Expiry, want)
	}
	clock.Set(u.Expiry.Add(-time.Nanosecond))
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); err != nil {
		t.Errorf("before its end: %v", err)
	}
	clock.Set(u.Expiry)
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); code(err) != "token_expired" {
		t.Errorf("at its end: %v", err)
	}
}

func TestSize(t *testing.T) {
	_, _, h := local(t, nil, nil)
	for n, want := range map[int]string{16 << 10: "malformed_token", 16<<10 + 1: "token_too_large", 1 << 20: "token_too_large"} {
		_, err := h.Authenticate(t.Context(), authtest.Bearer("ey."+strings.Repeat("A", n-4)+"."))
		if got := code(err); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
}

// TestSharedSecret has an issuer that signs with a secret: and only with it.
func TestSharedSecret(t *testing.T) {
	k := newKey(t, "any", "HS256")
	shared := write(t, "secret", append(k.Private.([]byte)[:0:0], []byte(strings.Repeat("s", 40))...))
	k.Private = []byte(strings.Repeat("s", 40))
	_, idp, h := local(t, nil, func(c *jwt.Config) {
		c.Keys.JWKSFile, c.Keys.Secret = "", value.Secret{File: shared}
	})
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", issuer.SignedBy(k)))); err != nil {
		t.Error(err)
	}
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice"))); code(err) != "algorithm_not_allowed" {
		t.Error(err)
	}
	k.Private = []byte(strings.Repeat("t", 40))
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", issuer.SignedBy(k)))); code(err) != "bad_signature" {
		t.Error(err)
	}
}

// TestSeveralHandlers has two issuers of different algorithms and an opaque token:
// each finds its own, whatever the order.
func TestSeveralHandlers(t *testing.T) {
	clock := authtest.NewClock()
	one, two := authtest.NewIssuer(t, clock, "ES256"), authtest.NewIssuer(t, clock, "EdDSA")
	handler := func(i *authtest.Issuer, algorithm string) authhandlers.AuthHandler {
		return open(t, authtest.NewEnv(t, clock), write(t, "keys.json", i.JWKS()), func(c *jwt.Config) {
			c.Issuer, c.Algorithms = i.URL(), []string{algorithm}
		})
	}
	a, b := handler(one, "ES256"), handler(two, "EdDSA")
	opaque := static{"static-token-1": "carol"}
	for _, c := range []*authhandlers.Chain{chain(t, clock, a, b, opaque), chain(t, clock, opaque, b, a)} {
		for token, subject := range map[string]string{one.Token("alice"): "alice", two.Token("bob"): "bob", "static-token-1": "carol"} {
			u, err := c.Authenticate(t.Context(), authtest.Bearer(token))
			if err != nil || u.Subject != subject {
				t.Errorf("%s: %v", subject, err)
			}
		}
		forged := one.Token("alice", issuer.Claim("iss", two.URL()))
		if _, err := c.Authenticate(t.Context(), authtest.Bearer(forged)); code(err) != "algorithm_not_allowed" {
			t.Errorf("a key of one issuer for the name of the other: %v", err)
		}
		if _, err := c.Authenticate(t.Context(), authtest.Bearer(one.Token("x", issuer.Without("iss")))); code(err) != "unknown_credential" {
			t.Errorf("no issuer: %v", err)
		}
	}
}

// TestBadSignatureIsRemembered holds that a repeated forgery costs one signature,
// and that a new key set is asked again.
func TestBadSignatureIsRemembered(t *testing.T) {
	e := authtest.NewEvents()
	clock, idp, h := local(t, func(env *authhandlers.Env) { env.Observe = e.Observe }, nil)
	forged := idp.Token("alice", issuer.ForgedBy(newKey(t, "es256", "ES256")))
	for range 100 {
		if _, err := h.Authenticate(t.Context(), authtest.Bearer(forged)); code(err) != "bad_signature" {
			t.Fatal(err)
		}
	}
	if n := e.Count("signature_checked"); n != 1 {
		t.Errorf("%d signatures for one forged token", n)
	}
	clock.Advance(10 * time.Second)
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(forged)); code(err) != "bad_signature" {
		t.Fatal(err)
	}
	if n := e.Count("signature_checked"); n != 2 {
		t.Errorf("%d signatures after the time of a refusal", n)
	}
}

// TestCheapRefusals holds that nothing but a token that would be accepted costs a
// signature.
func TestCheapRefusals(t *testing.T) {
	e := authtest.NewEvents()
	_, idp, h := local(t, func(env *authhandlers.Env) { env.Observe = e.Observe }, nil)
	for _, change := range []issuer.Change{
		idp.Lifetime(-time.Hour), idp.Lifetime(1e6 * time.Hour), issuer.Claim("nbf", 1e11), issuer.Claim("iss", "https://x.example"), issuer.Claim("aud", "x"),
		issuer.Claim("sub", ""), issuer.Header("alg", "none"), issuer.Header("typ", "x"), issuer.Header("kid", "x"), issuer.Header("crit", []string{"x"}),
	} {
		if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", change))); err == nil {
			t.Error("accepted")
		}
	}
	if n := e.Count("signature_checked"); n != 0 {
		t.Errorf("%d signatures", n)
	}
}

// TestBusy holds that a full gate is a fault, and that the known don't queue.
func TestBusy(t *testing.T) {
	gate := authhandlers.NewGate(1, 0, time.Second)
	_, idp, h := local(t, func(e *authhandlers.Env) { e.Gate = gate }, nil)
	known := authtest.Bearer(idp.Token("alice"))
	if _, err := h.Authenticate(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	inside, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := gate.Do(t.Context(), func() { close(inside); <-release }); err != nil {
			t.Error(err)
		}
	})
	<-inside
	if _, err := h.Authenticate(t.Context(), known); err != nil {
		t.Errorf("a known token behind a full gate: %v", err)
	}
	fresh := authtest.Bearer(idp.Token("bob"))
	if _, err := h.Authenticate(t.Context(), fresh); !errors.Is(err, authhandlers.ErrBusy) {
		t.Errorf("a new token behind a full gate: %v, want ErrBusy", err)
	}
	close(release)
	wg.Wait()
	if _, err := h.Authenticate(t.Context(), fresh); err != nil {
		t.Errorf("being busy was remembered: %v", err)
	}
}

// TestNothingIsShown plants a token and looks for it in everything that is written.
func TestNothingIsShown(t *testing.T) {
	var log bytes.Buffer
	r := newRemote(t, nil, nil, func(e *authhandlers.Env) {
		e.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r.events.Wait(t, "keys_fetched", 1)
	var seen strings.Builder
	for _, change := range []issuer.Change{
		issuer.Claim("x", 1), issuer.Header("kid", "zz\nlevel=ERROR"), issuer.Header("alg", "none"), issuer.Claim("iss", "planted-issuer\n"),
		issuer.Claim("aud", "planted-audience"), issuer.ForgedBy(newKey(t, "es256", "ES256")), issuer.Claim("sub", "planted\n"), issuer.Claim("exp", "planted-exp"),
	} {
		token := r.idp.Token("planted-subject", change, issuer.Claim("jti", "planted-jti"))
		_, err := r.h.Authenticate(t.Context(), authtest.Bearer(token))
		text := fmt.Sprintf("%v %+v", err, err)
		seen.WriteString(text)
		for part := range strings.SplitSeq(token, ".") {
			if strings.Contains(text, part) {
				t.Errorf("the token is shown: %s", text)
			}
		}
		if strings.Contains(text, "\n") {
			t.Errorf("a line end in %q", text)
		}
	}
	for _, planted := range []string{"planted-subject", "planted-jti", "planted-exp"} {
		if strings.Contains(seen.String()+log.String(), planted) {
			t.Errorf("%s is shown", planted)
		}
	}
}

// TestUnknownKeyFlood is S-020 through the whole handler.
func TestUnknownKeyFlood(t *testing.T) {
	r := newRemote(t, nil, nil, nil)
	r.events.Wait(t, "keys_fetched", 1)
	stranger := newKey(t, "x", "ES256")
	var wg sync.WaitGroup
	for worker := range 10 {
		wg.Go(func() {
			for n := range 100 {
				token := r.idp.Token("alice", issuer.ForgedBy(stranger), issuer.Header("kid", fmt.Sprint(worker, "-", n)))
				if got := r.ask(t, token); got != "unknown_key" {
					t.Errorf("%q", got)
					return
				}
				if got := r.ask(t, r.idp.Token("bob")); got != "" {
					t.Errorf("a good token meanwhile: %q", got)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := r.idp.Fetches(); n != 2 {
		t.Errorf("%d fetches, want the first and one more", n)
	}
}
