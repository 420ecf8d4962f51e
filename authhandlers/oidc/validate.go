package oidc

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
)

// Validate reports everything that is wrong, without a look at files, variables
// or the network.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	c.validateShared(&p)
	if scheme, _, isURL := strings.Cut(strings.ToLower(c.Issuer), "://"); c.Issuer != "" && (!isURL || scheme != "https" && scheme != "http") {
		p.Add("issuer", "no web address", "the provider's, such as https://idp.example.com/realms/staff; everything else is fetched from there")
	}
	c.validateWay(&p)
	if c.ClientID == "" {
		p.Add("client_id", "required", "the id under which Catflap is registered at the provider")
	}
	if err := c.ClientSecret.Validate(); err != nil {
		p.Add("client_secret", err.Error(), "")
	}
	switch c.TokenAuth {
	case "":
	case "basic", "post":
		if c.ClientSecret.IsZero() {
			p.Add("token_auth", "given without client_secret", "leave it out: a public client has nothing to show")
		}
	default:
		p.Add("token_auth", fmt.Sprintf("%q is not one of \"\", basic and post", c.TokenAuth), "leave it out, or write basic or post")
	}
	c.validateScopes(&p)
	c.validateParams(&p)
	switch c.Callback {
	case "", "shared", "own":
	default:
		p.Add("callback", fmt.Sprintf("%q is not one of shared and own", c.Callback), "write shared or own")
	}
	if strings.ContainsFunc(c.Title, unicode.IsControl) || len(c.Title) > 100 {
		p.Add("title", "it has more than 100 bytes, or a control character", "a few words, such as Company account")
	}
	c.validateBearers(&p)
	return p.Err()
}

// shared adds what package jwt says of the fields that it knows, which have the same
// names there. It is told of keys and audiences, so that it does not miss them.
func (c *Config) validateShared(p *authhandlers.FieldErrors) {
	j := c.tokens()
	j.Keys.JWKSURL = "https://localhost/"
	if len(j.Audiences) == 0 {
		j.Audiences, j.InsecureAnyAudience = nil, true
	}
	if err := j.Validate(); err != nil {
		*p = append(*p, err)
	}
}

// validateWay judges how Catflap itself reaches the provider.
func (c *Config) validateWay(p *authhandlers.FieldErrors) {
	asked := c.Issuer
	if c.DiscoveryURL != "" {
		asked = c.DiscoveryURL
	}
	if c.CAFile != "" && !strings.HasPrefix(strings.ToLower(asked), "https://") {
		p.Add("ca_file", "given, and the provider is not asked by https", "leave it out, or write https")
	}
	if c.DiscoveryURL == "" {
		if c.InsecureDiscoveryURL {
			p.Add("insecure_discovery_url", "given without discovery_url", "leave it out")
		}
		return
	}
	const hint = "the whole address, such as https://keycloak:8443/realms/staff/.well-known/openid-configuration"
	_, err := keyset.CheckURL(c.DiscoveryURL)
	if scheme, rest, ok := strings.Cut(c.DiscoveryURL, "://"); err != nil && c.InsecureDiscoveryURL && ok && strings.EqualFold(scheme, "http") {
		_, err = keyset.CheckURL("https://" + rest) // all that it must be but for TLS
	}
	switch u, _ := url.Parse(c.DiscoveryURL); {
	case err != nil:
		p.Add("discovery_url", err.Error(), hint+"; for plain http on another machine insecure_discovery_url has to be set")
	case u.Path == "" || u.Path == "/":
		p.Add("discovery_url", "it names no document", hint)
	}
}

func (c *Config) validateScopes(p *authhandlers.FieldErrors) {
	if !slices.Contains(c.Scopes, "openid") {
		p.Add("scopes", "openid is not among them", "such as [openid, profile, email]; without it there is no login (OpenID Connect Core §3.1.2.1)")
	}
	for i, s := range c.Scopes {
		at := fmt.Sprintf("scopes[%d]", i)
		switch {
		case s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
			p.Add(at, fmt.Sprintf("%q is no scope (RFC 6749 §3.3)", s), "write each scope on its own: [openid, profile]")
		case slices.Index(c.Scopes, s) < i:
			p.Add(at, fmt.Sprintf("%q is listed twice", s), "leave it out")
		}
	}
}

// reservedParams are the protocol's own. A setting of them could undo it.
func reservedParams() []string {
	return []string{
		"response_type", "response_mode", "client_id", "client_secret", "client_assertion", "client_assertion_type", "redirect_uri", "scope",
		"state", "nonce", "code", "code_challenge", "code_challenge_method", "code_verifier", "request", "request_uri", "registration",
		"id_token_hint", "grant_type", "dpop_jkt", "iss",
	}
}

func (c *Config) validateParams(p *authhandlers.FieldErrors) {
	for _, name := range slices.Sorted(maps.Keys(c.AuthorizeParams)) {
		at := "authorize_params." + name
		switch {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }):
			p.Add(at, "no name of a parameter", "such as resource, audience or domain_hint")
		case slices.ContainsFunc(reservedParams(), func(r string) bool { return strings.EqualFold(r, name) }):
			p.Add(at, "Catflap sets this one itself", "leave it out")
		case strings.EqualFold(name, "prompt") && (name != "prompt" || !goodPrompt(c.AuthorizeParams[name])):
			p.Add(at, "no prompt that a login can begin with", "write prompt: with one or more of consent, login and select_account")
		}
	}
}

// goodPrompt knows what has the provider ask the person something (OpenID Connect Core
// §3.1.2.1). none would have it ask nothing, and fail for people who are not signed in.
func goodPrompt(text string) bool {
	words := strings.Fields(text)
	for i, w := range words {
		if slices.Index(words, w) < i || !slices.Contains([]string{"consent", "login", "select_account"}, w) {
			return false
		}
	}
	return len(words) > 0
}

func (c *Config) validateBearers(p *authhandlers.FieldErrors) {
	for i, id := range c.ServiceAccounts {
		at := fmt.Sprintf("service_accounts[%d]", i)
		switch {
		case id == "":
			p.Add(at, "empty", "leave it out")
		case slices.Index(c.ServiceAccounts, id) < i:
			p.Add(at, fmt.Sprintf("%q is listed twice", id), "leave it out")
		}
	}
	if len(c.Audiences) == 0 {
		const hint = "name in audiences what the bearer access tokens are for, such as [catflap]"
		for _, f := range []struct {
			field string
			given bool
		}{{"clients", len(c.Clients) > 0}, {"service_accounts", len(c.ServiceAccounts) > 0}, {"require_typ", c.RequireTyp != ""}} {
			if f.given {
				p.Add(f.field, "given without audiences", hint)
			}
		}
	}
	switch c.Overage {
	case "", "refuse":
	case "userinfo":
		if c.Groups == "" {
			p.Add("overage", "given without groups", "name the claim with the groups")
		}
	case "microsoft_graph":
		c.validateGraph(p)
	default:
		p.Add("overage", fmt.Sprintf("%q is not one of refuse, userinfo and microsoft_graph", c.Overage), "write refuse, userinfo or microsoft_graph")
	}
	if c.Overage != "microsoft_graph" && c.GraphURL != "" && c.GraphURL != usualGraph {
		p.Add("graph_url", "given without overage: microsoft_graph", "leave it out")
	}
}

func (c *Config) validateGraph(p *authhandlers.FieldErrors) {
	if !slices.Contains(c.Groups.All(), "groups") {
		p.Add("overage", "groups is not a claim with the groups, and Graph knows no other", "write groups: groups")
	}
	if c.ClientSecret.IsZero() {
		p.Add("overage", "given without client_secret, by which Catflap itself asks Graph", "name the secret of the registration")
	}
	if err := checkGraphURL(c.GraphURL); err != nil {
		p.Add("graph_url", err.Error(), "write one of https://"+strings.Join(graphHosts(), ", https://"))
	}
}

// Inspect reports a secret and authorities that can't be read. It asks no network.
func (c *Config) Inspect() error {
	var p authhandlers.FieldErrors
	if _, err := c.CAFile.Certificates(); err != nil {
		p.Add("ca_file", err.Error(), "the file is PEM; the path is relative to the folder of the configuration")
	}
	if !c.ClientSecret.IsZero() {
		if _, err := c.ClientSecret.Read(); err != nil {
			p.Add("client_secret", err.Error(), "")
		}
	}
	return p.Err()
}
