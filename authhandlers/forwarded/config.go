package forwarded

import (
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
)

// Config is a handler for the identity headers of a front proxy that signs people in.
type Config struct {
	// The addresses (CIDR) of the proxy, as its connections to here have them. What
	// X-Forwarded-For says does not matter.
	From []string `yaml:"from" required:"true" example:"[10.0.0.5/32]"`
	// Secrets that only the proxy and Catflap know, of at least 32 bytes. Each of them
	// will do, so that one can be replaced. The proxy sends one with each request, in
	// secret_header. Required, unless certificates are named; with both, both are.
	Secrets []value.Secret `yaml:"secrets" example:"[{env: EDGE_SECRET}]"`
	// The header with the secret. The proxy must replace what a client sends in it.
	SecretHeader string `yaml:"secret_header" default:"X-Catflap-Proxy-Secret"`
	// The proxy's own client certificate, by any of these names in it: dns:edge.internal,
	// uri:spiffe://example.com/edge, email:edge@example.com, cn:edge, or dn: and the whole
	// subject. With tls.client_certificates.
	Certificates []string `yaml:"certificates" example:"[\"dns:edge.internal\"]"`
	// The authorities that may give the proxy its certificate, by the SHA-256 fingerprint
	// of theirs. Required where tls.client_ca_file holds more than one.
	Authorities []string `yaml:"authorities"`
	// The header that names the person, which becomes the user id at the Cat. The proxy
	// must never give its value to somebody else, and must replace what a client sends.
	// Two values, or a list, are refused. Changing it renames people.
	UserHeader string `yaml:"user_header" required:"true" example:"X-Forwarded-User"`
	// The header with the name that people read. It decides nothing.
	NameHeader string `yaml:"name_header" example:"X-Forwarded-Preferred-Username"`
	// The header with the person's mail address. Grants can ask for it as the claim email.
	EmailHeader string `yaml:"email_header" example:"X-Forwarded-Email"`
	// The header with the person's groups.
	GroupsHeader string `yaml:"groups_header" example:"X-Forwarded-Groups"`
	// The text between two groups. none: the whole value is one group.
	GroupsSeparator string `yaml:"groups_separator" default:"comma" enum:"comma,semicolon,pipe,space,none"`
	// How long a socket may stay open by one request of the proxy's, since nobody tells
	// when somebody signs out there.
	MaxLife value.Duration `yaml:"max_life" default:"8h"`
	// A name of your own for who vouches for these people. Handlers with the same one,
	// and the same user_header, mean the same people and may share an alias. Empty: the
	// handler's name.
	Issuer string `yaml:"issuer"`
}

// NewConfig returns a configuration with all defaults, which are the same that an
// absent field of the file has.
func NewConfig() *Config {
	return &Config{SecretHeader: "X-Catflap-Proxy-Secret", GroupsSeparator: "comma", MaxLife: value.Duration(8 * time.Hour)}
}

// leastSecret is the shortest secret that is accepted, in bytes.
const leastSecret = 32

// Inspect reports secrets that can't be used.
func (c *Config) Inspect() error {
	var p authhandlers.FieldErrors
	for i, s := range c.Secrets {
		field := fmt.Sprintf("secrets[%d]", i)
		text, err := s.Read()
		switch {
		case err != nil:
			p.Add(field, err.Error(), "")
		case len(text) < leastSecret:
			p.Add(field, fmt.Sprintf("it has %d bytes, and needs %d", len(text), leastSecret), "make one with: openssl rand -hex 32")
		}
	}
	return p.Err()
}

// IdentitySource names whose user ids these are, if the configuration says so.
func (c *Config) IdentitySource() string {
	if c.Issuer == "" {
		return ""
	}
	return c.issuer("") + " " + c.UserHeader
}

func (c *Config) issuer(name string) string {
	if c.Issuer != "" {
		name = c.Issuer
	}
	return "forwarded:" + name
}

// YieldsGroups reports whether people have groups by this handler.
func (c *Config) YieldsGroups() bool { return c.GroupsHeader != "" }

// LongestLife is how long somebody stays in by one request.
func (c *Config) LongestLife() time.Duration { return c.MaxLife.Std() }

// CarriedBy names what the handler reads.
func (c *Config) CarriedBy() (headers, cookies []string) {
	for _, name := range []string{c.UserHeader, c.NameHeader, c.EmailHeader, c.GroupsHeader} {
		if name != "" {
			headers = append(headers, name)
		}
	}
	if len(c.Secrets) > 0 {
		headers = append(headers, c.SecretHeader)
	}
	return headers, nil
}

// CertificatesOf says that certificates are a proxy's.
func (c *Config) CertificatesOf() (people, proxies bool) { return false, len(c.Certificates) > 0 }

// AuthorityFingerprints are those of authorities.
func (c *Config) AuthorityFingerprints() []string { return c.Authorities }

// NeedsPublicURL says that pages ask by the address of the proxy, which is to be told
// from other sites'.
func (c *Config) NeedsPublicURL() bool { return true }

var (
	_ authhandlers.Config           = (*Config)(nil)
	_ authhandlers.Identifier       = (*Config)(nil)
	_ authhandlers.Grouper          = (*Config)(nil)
	_ authhandlers.Lifetimer        = (*Config)(nil)
	_ authhandlers.Inspector        = (*Config)(nil)
	_ authhandlers.Doubter          = (*Config)(nil)
	_ authhandlers.Carrying         = (*Config)(nil)
	_ authhandlers.CertificateTaker = (*Config)(nil)
)

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return false }

// TakesAllBearers reports that all bearer tokens are left to the other handlers.
func (c *Config) TakesAllBearers() bool { return false }
