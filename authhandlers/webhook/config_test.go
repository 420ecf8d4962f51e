package webhook_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/webhook"
	"github.com/catflap/catflap/config/value"
)

func TestValidate(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*webhook.Config)
		field  string // "" where all is right
	}{
		{"whole", func(*webhook.Config) {}, ""},
		{"no url", func(c *webhook.Config) { c.URL = "" }, "url"},
		{"plain http elsewhere", func(c *webhook.Config) { c.URL = "http://accounts/whoami" }, "url"},
		{"plain http by name", func(c *webhook.Config) { c.URL, c.InsecureURL = "http://accounts/whoami", true }, ""},
		{"insecure without need", func(c *webhook.Config) { c.URL, c.InsecureURL = "https://accounts/whoami", true }, "insecure_url"},
		{"a method", func(c *webhook.Config) { c.Method = "DELETE" }, "method"},
		{"nothing to show", func(c *webhook.Config) { c.SendHeaders = nil }, "send_headers"},
		{"cookies alone", func(c *webhook.Config) { c.SendHeaders, c.SendCookies = nil, []string{"c"} }, ""},
		{"all cookies", func(c *webhook.Config) { c.SendHeaders = []string{"cookie"} }, "send_headers[0]"},
		{"Host", func(c *webhook.Config) { c.SendHeaders = []string{"X-A", "host"} }, "send_headers[1]"},
		{"an address", func(c *webhook.Config) { c.SendHeaders = []string{"X-Forwarded-For"} }, "send_headers[0]"},
		{"a carrier of all tokens", func(c *webhook.Config) { c.SendHeaders = []string{"Access_Token"} }, "send_headers[0]"},
		{"a client's own claim", func(c *webhook.Config) { c.SendHeaders = []string{"User-Id"} }, "send_headers[0]"},
		{"a space", func(c *webhook.Config) { c.SendHeaders = []string{"X A"} }, "send_headers[0]"},
		{"twice", func(c *webhook.Config) { c.SendHeaders = []string{"X-A", "x-a"} }, "send_headers[1]"},
		{"our own cookie", func(c *webhook.Config) { c.SendCookies = []string{"__Host-Catflap-session"} }, "send_cookies[0]"},
		{"cookies in two cases", func(c *webhook.Config) { c.SendCookies = []string{"a", "A"} }, ""},
		{"too many", func(c *webhook.Config) {
			for n := range 17 {
				c.SendHeaders = append(c.SendHeaders, fmt.Sprint("X-", n))
			}
		}, "send_headers"},
		{"the secret where people are", func(c *webhook.Config) {
			c.SendHeaders, c.Secret = []string{"authorization"}, value.Secret{Env: "S"}
		}, "secret_header"},
		{"the secret elsewhere", func(c *webhook.Config) {
			c.SendHeaders, c.Secret, c.SecretHeader = []string{"authorization"}, value.Secret{Env: "S"}, "X-Api-Key"
		}, ""},
		{"the secret nowhere", func(c *webhook.Config) { c.Secret, c.SecretHeader = value.Secret{Env: "S"}, "" }, "secret_header"},
		{"a bad path", func(c *webhook.Config) { c.UserID = "a..b" }, "user_id"},
		{"words of nothing", func(c *webhook.Config) { c.GroupsSeparator = "space" }, "groups_separator"},
		{"cache", func(c *webhook.Config) { c.Cache = value.Duration(61e9) }, "cache"},
		{"timeout", func(c *webhook.Config) { c.Timeout = value.Duration(11e9) }, "timeout"},
		{"stale", func(c *webhook.Config) { c.StaleIfError = -1 }, "stale_if_error"},
		{"authorities without TLS", func(c *webhook.Config) { c.CAFile = "ca.pem" }, "ca_file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := webhook.NewConfig()
			c.URL, c.SendHeaders = "http://127.0.0.1:9200/whoami", []string{sessionHeader}
			row.change(c)
			err := c.Validate()
			if row.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var f *authhandlers.FieldError
			if !errors.As(err, &f) || f.Field != row.field || f.Problem == "" || f.Hint == "" {
				t.Errorf("%v, want a mistake of %s", err, row.field)
			}
		})
	}
}

// TestAbilities: what the rest of the house asks a configuration.
func TestAbilities(t *testing.T) {
	c := webhook.NewConfig()
	c.URL, c.SendHeaders, c.SendCookies = "https://accounts.example.com/whoami?key=secret", []string{"X-A", "authorization"}, []string{"c"}
	if !c.TakesBearers() || !c.TakesAllBearers() || c.YieldsGroups() {
		t.Error("bearers or groups")
	}
	headers, cookies := c.CarriedBy()
	if !slices.Equal(headers, []string{"X-A"}) || !slices.Equal(cookies, []string{"c"}) {
		t.Error(headers, cookies)
	}
	if s := c.IdentitySource(); strings.Contains(s, "secret") || !strings.Contains(s, "accounts.example.com/whoami") {
		t.Error(s)
	}
	before := c.IdentitySource()
	if c.URL = "https://accounts.example.com/whoami?tenant=b"; c.IdentitySource() == before {
		t.Error("the people of another query are the same")
	}
	c.SendHeaders = c.SendHeaders[:1]
	if c.TakesBearers() || c.TakesAllBearers() {
		t.Error("it takes bearer tokens that it does not show")
	}
	c.CAFile = "not-there.pem"
	if c.Inspect() == nil {
		t.Error("the check does not see a missing file")
	}
	if _, err := authhandlers.Open(t.Context(), c, authtest.NewEnv(t, authtest.NewClock())); err == nil {
		t.Error("it opens without its authorities")
	}
}
