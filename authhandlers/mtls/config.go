package mtls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/certname"
	"github.com/catflap/catflap/internal/clientcert"
)

// Config is a handler for client certificates, which the listener asks for by
// tls.client_certificates.
type Config struct {
	// The name in the certificate that names the person, which becomes the user id at the
	// Cat. uri, email, dns: the one subject alternative name of that kind. cn: the one
	// common name of the subject. dn: the whole subject, as RFC 4514 writes it. The
	// authority must never give it to somebody else. A certificate with two of the kind
	// is refused. Changing it renames people.
	UserID string `yaml:"user_id" required:"true" enum:"uri,email,dns,cn,dn" example:"email"`
	// The authorities whose people these are, by the SHA-256 fingerprint of their
	// certificates, as `openssl x509 -fingerprint -sha256` prints it. They must stand in
	// tls.client_ca_file. Required where that holds more than one: the same name by two
	// authorities listed here is one person.
	Authorities []string `yaml:"authorities"`
	// A name of your own for who vouches for these people. Handlers with the same one,
	// and the same user_id, mean the same people and may share an alias. Empty: the
	// handler's name.
	Issuer string `yaml:"issuer"`
	// The part of the certificate that names the person's groups. ou: the organizational units of
	// the subject. Empty: nothing.
	Groups string `yaml:"groups" enum:",ou"`
	// Certificates that are no longer accepted, by their SHA-256 fingerprint: a lost
	// laptop's, say, where the authority makes no revocation list.
	Denied []string `yaml:"denied"`
}

// NewConfig returns a configuration with all defaults.
func NewConfig() *Config { return &Config{} }

// maxIssuerBytes bounds the name of an issuer.
const maxIssuerBytes = 512

// Validate reports everything that is wrong, without a look at files.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	if !slices.Contains(certname.Kinds(), c.UserID) {
		problem := fmt.Sprintf("%q is not one of %s", c.UserID, strings.Join(certname.Kinds(), ", "))
		if c.UserID == "" {
			problem = "required"
		}
		p.Add("user_id", problem, "the name in the certificates that your authority gives to one person only, such as email")
	}
	if c.Groups != "" && c.Groups != "ou" {
		p.Add("groups", fmt.Sprintf("%q is not ou", c.Groups), "write ou, or leave it out")
	}
	if len(c.Issuer) > maxIssuerBytes || strings.ContainsFunc(c.Issuer, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		p.Add("issuer", "it is longer than 512 bytes, or holds a space or a control character", "a short name, such as company-ca")
	}
	for _, list := range []struct {
		field string
		texts []string
	}{{"authorities", c.Authorities}, {"denied", c.Denied}} {
		seen := map[clientcert.Fingerprint]bool{}
		for i, text := range list.texts {
			f, err := clientcert.ParseFingerprint(text)
			switch {
			case err != nil:
				p.Add(fmt.Sprintf("%s[%d]", list.field, i), err.Error(), "print it with: openssl x509 -noout -fingerprint -sha256 -in FILE")
			case seen[f]:
				p.Add(fmt.Sprintf("%s[%d]", list.field, i), "it is listed twice", "leave it out")
			}
			seen[f] = true
		}
	}
	return p.Err()
}

func fingerprints(texts []string) (map[clientcert.Fingerprint]bool, error) {
	all := map[clientcert.Fingerprint]bool{}
	for _, text := range texts {
		f, err := clientcert.ParseFingerprint(text)
		if err != nil {
			return nil, err
		}
		all[f] = true
	}
	return all, nil
}

// Open makes the handler.
func (c *Config) Open(_ context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if env.Certificates == nil {
		return nil, errors.New("the listener asks for no client certificates: set tls.client_certificates, and restart")
	}
	h := &handler{judge: env.Certificates, issuer: c.issuer(env.Name), kind: c.UserID, units: c.Groups == "ou"}
	var err error
	if h.authorities, err = fingerprints(c.Authorities); err != nil {
		return nil, err
	}
	h.denied, err = fingerprints(c.Denied)
	return h, err
}

func (c *Config) issuer(name string) string {
	if c.Issuer != "" {
		name = c.Issuer
	}
	return "mtls:" + name
}

// IdentitySource names whose user ids these are, if the configuration says so.
func (c *Config) IdentitySource() string {
	if c.Issuer == "" {
		return ""
	}
	return c.issuer("") + " " + c.UserID
}

// YieldsGroups reports whether people have groups by this handler.
func (c *Config) YieldsGroups() bool { return c.Groups != "" }

// CertificatesOf says that certificates are people's.
func (c *Config) CertificatesOf() (people, proxies bool) { return true, false }

// AuthorityFingerprints are those of authorities.
func (c *Config) AuthorityFingerprints() []string { return c.Authorities }

var (
	_ authhandlers.Config           = (*Config)(nil)
	_ authhandlers.Identifier       = (*Config)(nil)
	_ authhandlers.Grouper          = (*Config)(nil)
	_ authhandlers.CertificateTaker = (*Config)(nil)
)

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return false }

// TakesAllBearers reports that all bearer tokens are left to the other handlers.
func (c *Config) TakesAllBearers() bool { return false }
