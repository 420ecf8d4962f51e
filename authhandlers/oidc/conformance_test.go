package oidc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

func TestConformance(t *testing.T) {
	for name, change := range map[string]func(*oidc.Config){
		"access tokens":   nil,
		"overage":         func(c *oidc.Config) { c.Overage = "userinfo" },
		"ID tokens alone": func(c *oidc.Config) { c.AcceptIDTokens, c.Audiences = true, nil },
	} {
		t.Run(name, func(t *testing.T) {
			clock := authtest.NewClock()
			p := newProvider(t, clock)
			stranger, err := issuer.NewKey("es256", "ES256")
			if err != nil {
				t.Fatal(err)
			}
			token := func(subject string, changes ...issuer.Change) *authhandlers.Request {
				all := []issuer.Change{issuer.Claim("aud", "catflap-api")}
				if name == "ID tokens alone" {
					all = asID()
				}
				return authtest.Bearer(p.Token(subject, append(all, changes...)...))
			}
			bad := func(changes ...issuer.Change) func(*testing.T) *authhandlers.Request {
				return func(*testing.T) *authhandlers.Request { return token("alice", changes...) }
			}
			authtest.Run(t, authtest.Suite{
				Clock:    clock,
				Open:     func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler { return open(t, env, p, change) },
				Request:  func(_ *testing.T, n int) *authhandlers.Request { return token(fmt.Sprintf("person-%d", n)) },
				Person:   func(n int) (string, string) { return p.URL(), fmt.Sprintf("person-%d", n) },
				Lifetime: 10*time.Minute + 30*time.Second,
				Refused: map[string]func(*testing.T) *authhandlers.Request{
					"forged":          bad(issuer.ForgedBy(stranger)),
					"expired":         bad(p.Lifetime(-time.Hour)),
					"unknown key":     bad(issuer.Header("kid", "zz")),
					"other audience":  bad(issuer.Claim("aud", "other")),
					"no subject":      bad(issuer.Without("sub")),
					"a program's":     bad(issuer.Claim("azp", clientID), issuer.Claim("sub", clientID)),
					"too many groups": bad(issuer.Claim("aud", "other"), issuer.Claim("hasgroups", true)),
					"a logout token":  bad(issuer.Header("typ", "logout+jwt")),
				},
				Foreign: map[string]func(*testing.T) *authhandlers.Request{
					"other issuer": bad(issuer.Claim("iss", "https://evil.example")),
					"no issuer":    bad(issuer.Without("iss")),
				},
			})
		})
	}
}
