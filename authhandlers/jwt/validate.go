package jwt

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/groupclaim"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// maxIssuerBytes bounds the name of an issuer.
const maxIssuerBytes = 512

// maxLeeway bounds what clocks may differ by: a token lives longer by it.
const maxLeeway = 120 * time.Second

// Validate reports everything that is wrong, without a look at files, variables
// or the network.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	c.validateIssuer(&p)
	c.validateAudiences(&p)
	c.validateKeys(&p)
	c.validateAlgorithms(&p)
	c.validateClaims(&p)
	c.validateCarrier(&p)
	c.validateSamePeople(&p)
	if d := c.Leeway.Std(); d < 0 || d > maxLeeway {
		p.Add("leeway", "must be between 0s and 120s", "synchronise the clocks, and keep the default of 30s")
	}
	if c.MaxLifetime <= 0 {
		p.Add("max_lifetime", "must be longer than 0s", "for example 168h")
	}
	switch c.RequireTyp {
	case "", "at+jwt":
	default:
		p.Add("require_typ", fmt.Sprintf("%q is not one of \"\" and at+jwt", c.RequireTyp), "leave it out, or write at+jwt")
	}
	return p.Err()
}

func (c *Config) validateIssuer(p *authhandlers.FieldErrors) {
	const hint = "write it exactly as the tokens' iss has it, such as https://idp.example.com/realms/staff"
	if c.Issuer == "" {
		p.Add("issuer", "required", hint)
		return
	}
	if problem := issuerProblem(c.Issuer); problem != "" {
		p.Add("issuer", problem, hint)
	}
}

// issuerProblem takes any name that an issuer may have (RFC 7519 §2, StringOrURI):
// nothing is ever fetched from it. One that is an address of the web has to be a
// whole one, since a slip of the pen would be nobody's name.
func issuerProblem(name string) string {
	scheme, _, isURL := strings.Cut(strings.ToLower(name), "://")
	u, err := keyset.CheckURL(name)
	switch {
	case len(name) > maxIssuerBytes:
		return "it is longer than 512 bytes"
	case strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r)
	}):
		return "it holds a space, a control character or broken Unicode"
	case !isURL || scheme != "http" && scheme != "https":
		return ""
	case err != nil:
		return err.Error()
	case u.RawQuery != "" || u.ForceQuery:
		return "it has a query" // OpenID Connect Core §2
	}
	return ""
}

func (c *Config) validateAudiences(p *authhandlers.FieldErrors) {
	switch {
	case c.InsecureAnyAudience && len(c.Audiences) > 0:
		p.Add("insecure_any_audience", "audiences are given too", "leave one of the two out")
	case !c.InsecureAnyAudience && len(c.Audiences) == 0 && c.Signer == "":
		p.Add("audiences", "required", "the name that tokens for this Catflap have in aud")
	}
	texts(p, "audiences", c.Audiences)
	texts(p, "clients", c.Clients)
}

// texts reports empty and repeated elements.
func texts(p *authhandlers.FieldErrors, field string, list []string) {
	seen := map[string]bool{}
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case s == "":
			p.Add(at, "empty", "leave it out")
		case seen[s]:
			p.Add(at, fmt.Sprintf("%q is listed twice", s), "leave it out")
		}
		seen[s] = true
	}
}

func (c *Config) validateKeys(p *authhandlers.FieldErrors) {
	k := c.Keys
	given := 0
	for _, is := range []bool{k.JWKSFile != "", k.JWKSURL != "", k.PEMFile != "", k.PEMURL != "", !k.Secret.IsZero()} {
		if is {
			given++
		}
	}
	const hint = "name exactly one of jwks_file, jwks_url, pem_file, pem_url and secret"
	switch {
	case given == 0:
		p.Add("keys", "required", hint)
	case given > 1:
		p.Add("keys", "more than one source of keys", hint)
	}
	if err := k.Secret.Validate(); err != nil {
		p.Add("keys.secret", err.Error(), "")
	}
	if k.JWKSURL != "" {
		if _, err := keyset.CheckURL(k.JWKSURL); err != nil {
			p.Add("keys.jwks_url", err.Error(), "the https address of the issuer's key set; its discovery document says it as jwks_uri")
		}
	}
	c.validateBalancer(p)
	if k.CAFile != "" && !strings.HasPrefix(strings.ToLower(k.JWKSURL+k.PEMURL), "https://") {
		p.Add("keys.ca_file", "given, and no keys are fetched by https", "leave it out, or name the keys with jwks_url")
	}
	if d := k.Lifetime.Std(); d < 10*time.Second {
		p.Add("keys.lifetime", "must be 10s or longer", "for example 10m")
	}
	if d := k.Cooldown.Std(); d < time.Minute {
		p.Add("keys.cooldown", "must be 60s or longer", "strangers choose when a fetch is due; the default is 60s")
	}
	if k.StaleIfError < k.Lifetime {
		p.Add("keys.stale_if_error", "must not be shorter than keys.lifetime", "for example 24h")
	}
}

func (c *Config) validateAlgorithms(p *authhandlers.FieldErrors) {
	shared := !c.Keys.Secret.IsZero()
	for i, a := range c.Algorithms {
		at := fmt.Sprintf("algorithms[%d]", i)
		known, symmetric := keyset.Known(a)
		switch {
		case !known:
			p.Add(at, fmt.Sprintf("%q is no signature algorithm that is known here", a),
				"such as RS256, ES256 or EdDSA, in these very letters")
		case symmetric && !shared:
			p.Add(at, a+" needs a shared secret", "with public keys take RS256, ES256, EdDSA or a PS* (RFC 8725 §2.1)")
		case !symmetric && shared:
			p.Add(at, a+" needs public keys, and keys.secret is none", "with keys.secret take HS256, HS384 or HS512")
		}
	}
	texts(p, "algorithms", c.Algorithms)
}

func (c *Config) validateClaims(p *authhandlers.FieldErrors) {
	if c.UserID == "" {
		p.Add("user_id", "required", "usually sub")
	}
	switch c.EmailCase {
	case "":
	case "keep", "lower":
		if c.UserID != "email" {
			p.Add("email_case", "given without user_id: email", "leave it out")
		}
	default:
		p.Add("email_case", fmt.Sprintf("%q is not one of keep and lower", c.EmailCase), "write keep or lower")
	}
	for _, f := range []struct{ field, path string }{
		{"user_id", c.UserID}, {"user_name", c.UserName},
	} {
		if f.path == "" {
			continue
		}
		if _, err := strictjson.ParsePath(f.path); err != nil {
			p.Add(f.field, err.Error(), "a claim's name, or a path such as realm_access.roles")
		}
	}
	c.validateGroups(p)
}

func (c *Config) validateGroups(p *authhandlers.FieldErrors) {
	all := c.Groups.All()
	for i, path := range all {
		at := "groups"
		if len(all) > 1 {
			at = fmt.Sprintf("groups[%d]", i)
		}
		if _, err := strictjson.ParsePath(path); err != nil {
			p.Add(at, err.Error(), "a claim's name, or a path such as realm_access.roles")
		}
	}
	for _, f := range []struct {
		field, value string
		known        []string
	}{{"groups_separator", c.GroupsSeparator, groupclaim.Separators()}, {"groups_object", c.GroupsObject, groupclaim.Objects()}} {
		switch {
		case f.value == "" || f.value == "none":
		case !slices.Contains(f.known, f.value):
			known := strings.Join(f.known[:len(f.known)-1], ", ") + " and " + f.known[len(f.known)-1]
			p.Add(f.field, fmt.Sprintf("%q is not one of %s", f.value, known), "write "+strings.Replace(known, " and ", " or ", 1))
		case len(all) == 0:
			p.Add(f.field, "given without groups", "name the claim with the groups")
		}
	}
}

// Doubts implements authhandlers.Doubter.
func (c *Config) Doubts() error {
	var p authhandlers.FieldErrors
	if c.UserID == "email" && c.EmailCase == "" {
		p.Add("user_id", "two spellings of one address, such as Alice@example.com and alice@example.com, are two people",
			"write email_case: lower where the issuer does not tell them apart, or email_case: keep where it does")
	}
	if c.SamePeopleAs != "" && tenant(c.Issuer) == "" {
		p.Add("same_people_as", "either issuer can name anybody of the other: who has one "+c.UserID+" at both is one person",
			"keep it only if both are one provider, which gives each "+c.UserID+" to one person")
	}
	return p.Err()
}
