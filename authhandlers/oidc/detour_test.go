package oidc_test

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
	"github.com/catflap/catflap/config/value"
)

// TestDiscoveryURL: a provider that Catflap reaches by another address than browsers do
// is asked there for everything, whichever of the two its document names, and browsers
// go to the issuer's.
func TestDiscoveryURL(t *testing.T) {
	const public = "https://idp.invalid"
	for _, named := range []string{"public", "inside"} {
		clock := authtest.NewClock()
		p := newProvider(t, clock)
		at, err := url.Parse(p.URL())
		if err != nil {
			t.Fatal(err)
		}
		inside := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(at))
		t.Cleanup(inside.Close)
		base := map[string]string{"public": public, "inside": inside.URL}[named]
		p.Discover(map[string]any{
			"issuer": public, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token",
			"jwks_uri": base + "/jwks", "userinfo_endpoint": base + "/userinfo", "end_session_endpoint": base + "/logout",
		})
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: inside.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		f := fixture{clock, p, open(t, authtest.NewEnv(t, clock), p, func(c *oidc.Config) {
			c.Issuer, c.DiscoveryURL, c.CAFile, c.UserInfo = public, inside.URL+"/.well-known/openid-configuration", value.Path(ca), true
		})}
		iss := issuer.Claim("iss", public)
		p.set(func() { p.id = []issuer.Change{iss} })
		address, err := f.h.BeginLogin(t.Context(), attempt())
		if err != nil || !strings.HasPrefix(address, public+"/authorize?") {
			t.Errorf("%s: a browser goes to %q: %v", named, address, err)
		}
		l, err := f.login(t, func(v url.Values) { v.Set("iss", public) })
		if err != nil {
			t.Fatalf("%s: %v", named, err)
		}
		if l.Person.Issuer != public || l.Person.Subject != "alice" {
			t.Errorf("%s: %+v", named, l.Person)
		}
		if got := f.h.LogoutURL(l, "", ""); !strings.HasPrefix(got, public+"/logout?") {
			t.Errorf("%s: a browser signs out at %q", named, got)
		}
		if _, err := f.h.Authenticate(t.Context(), f.bearer(iss)); err != nil {
			t.Errorf("%s: a bearer token: %v", named, err)
		}
		if _, err := f.h.Authenticate(t.Context(), f.bearer()); code(err) != "no credential" {
			t.Errorf("%s: of the issuer by its inner name: %v", named, err)
		}
	}
}

// TestDiscoveryOfAnotherIssuer: the other way changes nothing of whose document it
// must be.
func TestDiscoveryOfAnotherIssuer(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	env, e := authtest.NewEnv(t, clock), authtest.NewEvents()
	env.Observe = e.Observe
	h := open(t, env, p, func(c *oidc.Config) {
		c.Issuer, c.DiscoveryURL = "https://idp.invalid", p.URL()+"/.well-known/openid-configuration"
	})
	e.Wait(t, "discovery_failed", 1)
	if err := h.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "not the configured one") {
		t.Errorf("ready: %v", err)
	}
}
