package introspection_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/introspection"
)

func TestConformance(t *testing.T) {
	for name, change := range map[string]func(*introspection.Config){
		"as it is":  func(*introspection.Config) {},
		"no memory": func(c *introspection.Config) { c.Cache = 0 },
		"post":      func(c *introspection.Config) { c.TokenAuth = "post" },
	} {
		t.Run(name, func(t *testing.T) {
			clock := authtest.NewClock()
			p := newProvider(t, clock)
			bad := func(name string, changes map[string]any) func(*testing.T) *authhandlers.Request {
				return func(*testing.T) *authhandlers.Request { return authtest.Bearer(p.token(name, changes)) }
			}
			authtest.Run(t, authtest.Suite{
				Clock: clock,
				Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
					c := p.config(t)
					change(c)
					return open(t, env, c)
				},
				Request: func(_ *testing.T, n int) *authhandlers.Request {
					return authtest.Bearer(p.token(fmt.Sprintf("person-%d", n), nil))
				},
				Person:   func(n int) (string, string) { return issuerName, fmt.Sprintf("person-%d", n) },
				Lifetime: 10*time.Minute + 30*time.Second,
				Refused: map[string]func(*testing.T) *authhandlers.Request{
					"not known":      func(*testing.T) *authhandlers.Request { return authtest.Bearer("nobody-has-this-one") },
					"expired":        bad("expired", map[string]any{"exp": clock.Now().Unix() - 60}),
					"other audience": bad("audience", map[string]any{"aud": "other"}),
					"other issuer":   bad("issuer", map[string]any{"iss": "https://evil.example"}),
					"no subject":     bad("subject", map[string]any{"sub": nil}),
				},
				Foreign: map[string]func(*testing.T) *authhandlers.Request{
					"an API key": func(*testing.T) *authhandlers.Request { return authtest.Bearer("catflap_0123456789abcdef") },
				},
			})
		})
	}
}
