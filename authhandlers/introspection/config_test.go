package introspection_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/introspection"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

func issuerClaim(name string) issuer.Change { return issuer.Claim("iss", name) }

func TestValidate(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*introspection.Config)
		field  string // "" where all is right
	}{
		{"whole", func(*introspection.Config) {}, ""},
		{"no url", func(c *introspection.Config) { c.URL = "" }, "url"},
		{"plain http elsewhere", func(c *introspection.Config) { c.URL = "http://idp.example.com/introspect" }, "url"},
		{"plain http by name", func(c *introspection.Config) { c.URL, c.InsecureURL = "http://idp:8080/introspect", true }, ""},
		{"insecure without need", func(c *introspection.Config) { c.URL, c.InsecureURL = "https://idp:8080/introspect", true }, "insecure_url"},
		{"a password", func(c *introspection.Config) { c.URL = "https://a:b@idp.example.com/introspect" }, "url"},
		{"a password, insecure", func(c *introspection.Config) { c.URL, c.InsecureURL = "http://a:b@idp/introspect", true }, "url"},
		{"no path", func(c *introspection.Config) { c.URL = "https://idp.example.com" }, "url"},
		{"no issuer", func(c *introspection.Config) { c.Issuer = "" }, "issuer"},
		{"no client", func(c *introspection.Config) { c.ClientID = "" }, "client_id"},
		{"no secret", func(c *introspection.Config) { c.ClientSecret = value.Secret{} }, "client_secret"},
		{"another way", func(c *introspection.Config) { c.TokenAuth = "jwt" }, "token_auth"},
		{"no bound", func(c *introspection.Config) { c.Audiences = nil }, "audiences"},
		{"clients alone", func(c *introspection.Config) { c.Audiences, c.Clients = nil, []string{"app"} }, ""},
		{"anybody's", func(c *introspection.Config) { c.Audiences, c.InsecureAnyAudience = nil, true }, ""},
		{"anybody's and audiences", func(c *introspection.Config) { c.InsecureAnyAudience = true }, "insecure_any_audience"},
		{"an empty audience", func(c *introspection.Config) { c.Audiences = []string{""} }, "audiences[0]"},
		{"a client twice", func(c *introspection.Config) { c.Clients = []string{"a", "a"} }, "clients[1]"},
		{"two scopes in one", func(c *introspection.Config) { c.Scopes = []string{"a b"} }, "scopes[0]"},
		{"no user id", func(c *introspection.Config) { c.UserID = "" }, "user_id"},
		{"a bad path", func(c *introspection.Config) { c.Groups = "a..b" }, "groups"},
		{"leeway", func(c *introspection.Config) { c.Leeway = value.Duration(time.Hour) }, "leeway"},
		{"cache", func(c *introspection.Config) { c.Cache = value.Duration(61 * time.Second) }, "cache"},
		{"timeout", func(c *introspection.Config) { c.Timeout = 0 }, "timeout"},
		{"stale", func(c *introspection.Config) { c.StaleIfError = value.Duration(2 * time.Hour) }, "stale_if_error"},
		{"authorities without TLS", func(c *introspection.Config) { c.CAFile = "ca.pem" }, "ca_file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := introspection.NewConfig()
			c.URL, c.Issuer, c.ClientID, c.ClientSecret = "http://127.0.0.1:8082/introspect", issuerName, "catflap", value.Secret{Env: "SECRET"}
			c.Audiences = []string{"cat"}
			row.change(c)
			err := c.Validate()
			if row.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var f *authhandlers.FieldError
			if !errors.As(err, &f) || f.Field != row.field || f.Problem == "" {
				t.Errorf("%v, want a mistake of %s", err, row.field)
			}
		})
	}
}

// TestSamePeople: the same issuer and claim are the same people, whichever type reads them.
func TestSamePeople(t *testing.T) {
	c, j := introspection.NewConfig(), jwt.NewConfig()
	c.Issuer, j.Issuer = issuerName, issuerName
	if c.IdentitySource() != j.IdentitySource() {
		t.Errorf("%q and %q", c.IdentitySource(), j.IdentitySource())
	}
	c.UserID = "username"
	if c.IdentitySource() == j.IdentitySource() {
		t.Error("another claim is the same people")
	}
	if c.UserID = "email"; c.Doubts() == nil {
		t.Error("no doubt about the case of letters")
	}
}

func TestOpenOfMissingFiles(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	c := p.config(t)
	c.ClientSecret.File += ".not"
	if _, err := authhandlers.Open(t.Context(), c, authtest.NewEnv(t, clock)); err == nil || !strings.Contains(err.Error(), "client_secret") {
		t.Error(err)
	}
	c = p.config(t)
	c.URL, c.CAFile = "https://127.0.0.1:1/introspect", "not-there.pem"
	if _, err := authhandlers.Open(t.Context(), c, authtest.NewEnv(t, clock)); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Error(err)
	}
	if c.Inspect() == nil {
		t.Error("the check does not see it")
	}
}
