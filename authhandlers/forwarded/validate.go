package forwarded

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/certname"
	"github.com/catflap/catflap/internal/clientcert"
)

// maxIssuerBytes bounds the name of an issuer.
const maxIssuerBytes = 512

// The networks that are wider than a company's own, by the length of their prefix.
const (
	broad4 = 8
	broad6 = 32
)

// Validate reports everything that is wrong, without a look at files or variables.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	if len(c.From) == 0 {
		p.Add("from", "required", "the addresses of the proxy, such as [10.0.0.5/32]")
	}
	for i, text := range c.From {
		if _, problem, hint := value.Network(text); problem != "" {
			p.Add(fmt.Sprintf("from[%d]", i), fmt.Sprintf("%q %s", text, problem), hint)
		}
	}
	c.validateProof(&p)
	c.validateHeaders(&p)
	if separators()[c.GroupsSeparator] == "" && c.GroupsSeparator != "none" {
		p.Add("groups_separator", fmt.Sprintf("%q is not one of comma, semicolon, pipe, space and none", c.GroupsSeparator), "leave it out, if groups are like a,b")
	}
	if c.MaxLife <= 0 {
		p.Add("max_life", "must be longer than 0s", "for example 8h")
	}
	if len(c.Issuer) > maxIssuerBytes || strings.ContainsFunc(c.Issuer, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		p.Add("issuer", "it is longer than 512 bytes, or holds a space or a control character", "a short name, such as edge")
	}
	return p.Err()
}

// validateProof wants a proof that a request is the proxy's: the address alone is none,
// since all else that runs there has it too.
func (c *Config) validateProof(p *authhandlers.FieldErrors) {
	if len(c.Secrets) == 0 && len(c.Certificates) == 0 {
		p.Add("secrets", "required, or certificates", "all else that runs at the proxy's addresses could name anybody; write secrets: [{env: EDGE_SECRET}]")
	}
	for i, s := range c.Secrets {
		if err := s.Validate(); err != nil {
			p.Add(fmt.Sprintf("secrets[%d]", i), err.Error(), "")
		}
		if s.IsZero() {
			p.Add(fmt.Sprintf("secrets[%d]", i), "names no secret", "write {env: NAME} or {file: PATH}")
		}
	}
	for i, text := range c.Certificates {
		if _, err := parseName(text); err != nil {
			p.Add(fmt.Sprintf("certificates[%d]", i), err.Error(), "write for example dns:edge.internal")
		}
	}
	for i, text := range c.Authorities {
		if _, err := clientcert.ParseFingerprint(text); err != nil {
			p.Add(fmt.Sprintf("authorities[%d]", i), err.Error(), "print it with: openssl x509 -noout -fingerprint -sha256 -in FILE")
		}
	}
	if len(c.Authorities) > 0 && len(c.Certificates) == 0 {
		p.Add("authorities", "given without certificates", "leave it out, or name the proxy's certificate")
	}
}

// validateHeaders wants names that mean one thing. That none reaches the Cat is held for
// all handlers together.
func (c *Config) validateHeaders(p *authhandlers.FieldErrors) {
	if c.UserHeader == "" {
		p.Add("user_header", "required", "the header in which the proxy names the person, such as X-Forwarded-User")
	}
	if c.SecretHeader == "" && len(c.Secrets) > 0 {
		p.Add("secret_header", "is empty", "leave it out, for X-Catflap-Proxy-Secret")
	}
	seen := map[string]string{}
	for _, h := range []struct{ field, name string }{
		{"user_header", c.UserHeader}, {"name_header", c.NameHeader}, {"email_header", c.EmailHeader}, {"groups_header", c.GroupsHeader}, {"secret_header", c.SecretHeader},
	} {
		folded := fold(h.name)
		switch first, twice := seen[folded]; {
		case h.name == "":
			continue
		case own(folded):
			p.Add(h.field, fmt.Sprintf("%q is a header that Catflap reads itself", h.name), "have the proxy use a name of its own, such as X-Forwarded-User")
		case twice:
			p.Add(h.field, fmt.Sprintf("%q is %s too", h.name, first), "give each a name of its own")
		}
		seen[folded] = h.field
	}
}

// own reports a folded name of a header by which Catflap takes credentials and
// addresses, or which it writes itself.
func own(folded string) bool {
	switch folded {
	case "authorization", "access_token", "user_id", "cookie", "forwarded", "x_real_ip", "x_forwarded_for", "x_forwarded_host", "x_forwarded_proto":
		return true
	}
	return false
}

// fold is the loosest reading of a header's name.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }

// Doubts implements authhandlers.Doubter.
func (c *Config) Doubts() error {
	var p authhandlers.FieldErrors
	for i, text := range c.From {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		if prefix.Bits() < broad4 || prefix.Bits() < broad6 && prefix.Addr().Is6() {
			p.Add(fmt.Sprintf("from[%d]", i), fmt.Sprintf("%s is a good part of all addresses, so that the secret or the certificate alone keeps strangers out", prefix), "name the addresses of the proxy itself")
		}
	}
	return p.Err()
}

// separators are what may stand between two groups.
func separators() map[string]string {
	return map[string]string{"comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
}

// name is one in the proxy's certificate.
type name struct{ kind, text string }

func parseName(text string) (name, error) {
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || rest == "" || !slices.Contains(certname.Kinds(), kind) {
		return name{}, fmt.Errorf("%q is no kind and name: one of %s, a colon, and the name", text, strings.Join(certname.Kinds(), ", "))
	}
	return name{kind, rest}, nil
}
