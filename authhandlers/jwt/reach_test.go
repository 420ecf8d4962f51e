package jwt_test

import (
	"testing"

	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/authhandlers/oidc"
)

func TestHiddenBehind(t *testing.T) {
	of := func(change func(*jwt.Config)) *jwt.Config {
		c := jwt.NewConfig()
		c.Issuer, c.Audiences, c.Keys.JWKSURL = "https://issuer.example", []string{"a"}, "https://issuer.example/keys"
		if change != nil {
			change(c)
		}
		return c
	}
	signIn := func(change func(*oidc.Config)) *oidc.Config {
		c := oidc.NewConfig()
		c.Issuer, c.ClientID = "https://issuer.example", "catflap"
		if change != nil {
			change(c)
		}
		return c
	}
	plain := of(nil)
	for _, c := range []struct {
		name    string
		it      interface{ HiddenBehind(earlier []any) int }
		earlier []any
		want    int
	}{
		{"the first", plain, nil, -1},
		{"the same twice", plain, []any{struct{}{}, of(nil)}, 1},
		{"another issuer", plain, []any{of(func(c *jwt.Config) { c.Issuer += "/" })}, -1},
		{"another audience", plain, []any{of(func(c *jwt.Config) { c.Audiences = []string{"b"} })}, -1},
		{"any audience before", plain, []any{of(func(c *jwt.Config) { c.Audiences, c.InsecureAnyAudience = nil, true })}, 0},
		{"any audience after", of(func(c *jwt.Config) { c.Audiences, c.InsecureAnyAudience = nil, true }), []any{plain}, -1},
		{"more audiences", of(func(c *jwt.Config) { c.Audiences = []string{"a", "b"} }), []any{plain}, -1},
		{"fewer audiences", plain, []any{of(func(c *jwt.Config) { c.Audiences = []string{"a", "b"} })}, 0},
		{"a client after all of them", of(func(c *jwt.Config) { c.Clients = []string{"x"} }), []any{plain}, 0},
		{"a client before all of them", plain, []any{of(func(c *jwt.Config) { c.Clients = []string{"x"} })}, -1},
		{"other clients", of(func(c *jwt.Config) { c.Clients = []string{"y"} }), []any{of(func(c *jwt.Config) { c.Clients = []string{"x"} })}, -1},
		{"algorithms, one by one", of(func(c *jwt.Config) { c.Algorithms = []string{"RS256", "ES256"} }), []any{
			of(func(c *jwt.Config) { c.Algorithms = []string{"RS256"} }), of(func(c *jwt.Config) { c.Algorithms = []string{"ES256"} }),
		}, 1},
		{"another algorithm", of(func(c *jwt.Config) { c.Algorithms = []string{"PS256"} }), []any{plain}, -1},
		{"a sign-in that takes no bearers", plain, []any{signIn(nil)}, -1},
		{"a sign-in after everything", signIn(nil), []any{plain}, -1},
		{"bearers of a sign-in", signIn(func(c *oidc.Config) { c.Audiences = []string{"a"} }), []any{plain}, 0},
		{"bearers before", plain, []any{signIn(func(c *oidc.Config) { c.Audiences = []string{"a"} })}, 0},
		{"ID tokens of a client", of(func(c *jwt.Config) { c.AcceptIDTokens, c.Clients = true, []string{"x"} }),
			[]any{of(func(c *jwt.Config) { c.AcceptIDTokens = true })}, -1},
		{"ID tokens after a sign-in that takes them", of(func(c *jwt.Config) { c.AcceptIDTokens, c.Audiences = true, []string{"catflap"} }),
			[]any{signIn(func(c *oidc.Config) { c.AcceptIDTokens, c.Audiences = true, []string{"catflap"} })}, 0},
	} {
		if got := c.it.HiddenBehind(c.earlier); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
