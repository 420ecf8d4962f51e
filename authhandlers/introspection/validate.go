package introspection

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
)

// Validate reports everything that is wrong, without a look at files, variables or the
// network.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	c.validateAddress(&p)
	c.validateClient(&p)
	c.validateTokens(&p)
	inquiry.Times{Cache: c.Cache.Std(), Timeout: c.Timeout.Std(), Stale: c.StaleIfError.Std()}.Validate(&p, "30s")
	return errors.Join(append(p, c.ofClaims()...)...)
}

func (c *Config) validateAddress(p *authhandlers.FieldErrors) {
	const hint = "the provider's discovery document names it as introspection_endpoint"
	switch {
	case c.URL == "":
		p.Add("url", "required", hint)
		return
	case c.InsecureURL && !strings.HasPrefix(strings.ToLower(c.URL), "http://"):
		p.Add("insecure_url", "given, and url is not plain http", "leave it out")
	}
	u, _ := url.Parse(c.URL)
	if err := inquiry.CheckURL(c.URL, c.InsecureURL); err != nil {
		p.Add("url", err.Error(), hint+"; for plain http on another machine insecure_url has to be set")
	} else if u.Path == "" || u.Path == "/" {
		p.Add("url", "it names no endpoint", hint)
	}
	if c.CAFile != "" && !strings.HasPrefix(strings.ToLower(c.URL), "https://") {
		p.Add("ca_file", "given, and nothing is asked by https", "leave it out, or write https")
	}
}

func (c *Config) validateClient(p *authhandlers.FieldErrors) {
	if c.ClientID == "" {
		p.Add("client_id", "required", "the id under which Catflap is registered at the issuer")
	}
	if c.ClientSecret.IsZero() {
		p.Add("client_secret", "required", "such as {env: OPAQUE_CLIENT_SECRET}; an endpoint that answers anybody tells strangers which tokens are good (RFC 7662 §2.1)")
	} else if err := c.ClientSecret.Validate(); err != nil {
		p.Add("client_secret", err.Error(), "")
	}
	if c.TokenAuth != "basic" && c.TokenAuth != "post" {
		p.Add("token_auth", fmt.Sprintf("%q is not one of basic and post", c.TokenAuth), "leave it out, or write basic or post")
	}
}

func (c *Config) validateTokens(p *authhandlers.FieldErrors) {
	bound := len(c.Audiences) > 0 || len(c.Clients) > 0
	switch {
	case c.InsecureAnyAudience && bound:
		p.Add("insecure_any_audience", "audiences or clients are given too", "leave one of them out")
	case !c.InsecureAnyAudience && !bound:
		p.Add("audiences", "required", "the name that tokens for this Catflap have in aud; or list clients, where the answers have no aud")
	}
	for i, s := range c.Scopes {
		at := fmt.Sprintf("scopes[%d]", i)
		switch {
		case s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
			p.Add(at, fmt.Sprintf("%q is no scope (RFC 6749 §3.3)", s), "write each scope on its own: [profile, cat]")
		case slices.Contains(c.Scopes[:i], s):
			p.Add(at, fmt.Sprintf("%q is listed twice", s), "leave it out")
		}
	}
}

// ofClaims are the mistakes that package jwt finds in what is its own.
func (c *Config) ofClaims() (own []error) {
	joined, ok := c.claims().Validate().(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		if f, ok := errors.AsType[*authhandlers.FieldError](err); ok && !strings.HasPrefix(f.Field, "keys") && f.Field != "insecure_any_audience" {
			own = append(own, err)
		}
	}
	return own
}

// Inspect reports files and variables that can't be used. It asks no network.
func (c *Config) Inspect() error {
	var p authhandlers.FieldErrors
	if _, err := c.CAFile.Certificates(); err != nil {
		p.Add("ca_file", err.Error(), "the file is PEM; the path is relative to the folder of the configuration")
	}
	return p.Err()
}
