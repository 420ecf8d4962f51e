package introspection

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
)

const (
	// maxCache is the longest time for which an end of access may go unnoticed.
	maxCache = time.Minute
	maxStale = time.Hour
	// The bounds of the time for one question.
	minTimeout, maxTimeout = 100 * time.Millisecond, 10 * time.Second
)

// problems collects the mistakes of a configuration.
type problems []error

func (p *problems) add(field, problem, hint string) {
	*p = append(*p, &authhandlers.FieldError{Field: field, Problem: problem, Hint: hint})
}

// Validate reports everything that is wrong, without a look at files, variables or the
// network.
func (c *Config) Validate() error {
	var p problems
	c.validateAddress(&p)
	c.validateClient(&p)
	c.validateTokens(&p)
	c.validateTimes(&p)
	return errors.Join(append(p, c.ofClaims()...)...)
}

func (c *Config) validateAddress(p *problems) {
	const hint = "the provider's discovery document names it as introspection_endpoint"
	switch {
	case c.URL == "":
		p.add("url", "required", hint)
		return
	case c.InsecureURL && !strings.HasPrefix(strings.ToLower(c.URL), "http://"):
		p.add("insecure_url", "given, and url is not plain http", "leave it out")
	}
	u, _ := url.Parse(c.URL)
	if err := inquiry.CheckURL(c.URL, c.InsecureURL); err != nil {
		p.add("url", err.Error(), hint+"; for plain http on another machine insecure_url has to be set")
	} else if u.Path == "" || u.Path == "/" {
		p.add("url", "it names no endpoint", hint)
	}
	if c.CAFile != "" && !strings.HasPrefix(strings.ToLower(c.URL), "https://") {
		p.add("ca_file", "given, and nothing is asked by https", "leave it out, or write https")
	}
}

func (c *Config) validateClient(p *problems) {
	if c.ClientID == "" {
		p.add("client_id", "required", "the id under which Catflap is registered at the issuer")
	}
	if c.ClientSecret.IsZero() {
		p.add("client_secret", "required", "such as {env: OPAQUE_CLIENT_SECRET}; an endpoint that answers anybody tells strangers which tokens are good (RFC 7662 §2.1)")
	} else if err := c.ClientSecret.Validate(); err != nil {
		p.add("client_secret", err.Error(), "")
	}
	if c.TokenAuth != "basic" && c.TokenAuth != "post" {
		p.add("token_auth", fmt.Sprintf("%q is not one of basic and post", c.TokenAuth), "leave it out, or write basic or post")
	}
}

func (c *Config) validateTokens(p *problems) {
	bound := len(c.Audiences) > 0 || len(c.Clients) > 0
	switch {
	case c.InsecureAnyAudience && bound:
		p.add("insecure_any_audience", "audiences or clients are given too", "leave one of them out")
	case !c.InsecureAnyAudience && !bound:
		p.add("audiences", "required", "the name that tokens for this Catflap have in aud; or list clients, where the answers have no aud")
	}
	for i, s := range c.Scopes {
		at := fmt.Sprintf("scopes[%d]", i)
		switch {
		case s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
			p.add(at, fmt.Sprintf("%q is no scope (RFC 6749 §3.3)", s), "write each scope on its own: [profile, cat]")
		case slices.Contains(c.Scopes[:i], s):
			p.add(at, fmt.Sprintf("%q is listed twice", s), "leave it out")
		}
	}
}

func (c *Config) validateTimes(p *problems) {
	if d := c.Cache.Std(); d < 0 || d > maxCache {
		p.add("cache", "must be between 0s and 60s", "an end of access may go unnoticed for so long; the default is 30s")
	}
	if d := c.Timeout.Std(); d < minTimeout || d > maxTimeout {
		p.add("timeout", "must be between 100ms and 10s", "the default is 5s")
	}
	if d := c.StaleIfError.Std(); d < 0 || d > maxStale {
		p.add("stale_if_error", "must be between 0s and 1h", "the default is 5m")
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
	var p problems
	if _, err := c.CAFile.Certificates(); err != nil {
		p.add("ca_file", err.Error(), "the file is PEM; the path is relative to the folder of the configuration")
	}
	return errors.Join(p...)
}
