package oidc_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

// TestASignInWithoutTheClaim is Keycloak's default: roles are in the access token, and
// the ID token is read.
func TestASignInWithoutTheClaim(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	env := authtest.NewEnv(t, clock)
	var log bytes.Buffer
	env.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	f := fixture{clock, p, open(t, env, p, func(c *oidc.Config) { c.Groups = "realm_access.roles" })}
	f.signedIn(t)
	if got := log.String(); !strings.Contains(got, "claim=realm_access.roles") || !strings.Contains(got, "of=sign-ins") {
		t.Errorf("the log: %s", got)
	}
	p.set(func() { p.id = []issuer.Change{issuer.Claim("realm_access", map[string]any{"roles": "cat-admins"})} })
	log.Reset()
	f.signedIn(t)
	if got := log.String(); !strings.Contains(got, "one text") {
		t.Errorf("the log: %s", got)
	}
}
