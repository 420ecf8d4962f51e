package jwt

import (
	"fmt"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyset"
)

// Inspect reports key files and variables that can't be used. It asks no network.
func (c *Config) Inspect() error {
	var p authhandlers.FieldErrors
	allowed := c.Allowed()
	if _, err := c.Keys.CAFile.Certificates(); err != nil {
		p.Add("keys.ca_file", err.Error(), "the file is PEM; the path is relative to the folder of the configuration")
	}
	switch k := c.Keys; {
	case k.JWKSFile != "":
		inspectFile(&p, "keys.jwks_file", k.JWKSFile, func(text []byte) error {
			d, err := keyset.ParseDocument(text, allowed)
			if err != nil {
				return err
			}
			if len(d.Keys) == 0 {
				return fmt.Errorf("no key for %s: %s", strings.Join(allowed, ", "), strings.Join(d.Skipped, "; "))
			}
			return nil
		})
	case k.PEMFile != "":
		inspectFile(&p, "keys.pem_file", k.PEMFile, func(text []byte) error {
			_, err := keyset.ParsePEM(text, allowed)
			return err
		})
	case !k.Secret.IsZero():
		c.inspectSecret(&p, allowed)
	}
	return p.Err()
}

func inspectFile(p *authhandlers.FieldErrors, field string, path value.Path, parse func([]byte) error) {
	text, err := value.ReadFile(string(path), keyset.MaxDocumentBytes)
	if err == nil {
		err = parse(text)
	}
	if err != nil {
		p.Add(field, err.Error(), "")
	}
}

// inspectSecret wants a secret that is long enough for each of the algorithms
// (RFC 7518 §3.2), not only for one of them.
func (c *Config) inspectSecret(p *authhandlers.FieldErrors, allowed []string) {
	text, err := c.Keys.Secret.Read()
	if err != nil {
		p.Add("keys.secret", err.Error(), "")
		return
	}
	for _, a := range allowed {
		if least := keyset.LeastSecret(a); len(text) < least {
			p.Add("keys.secret", fmt.Sprintf("it has %d bytes; %s needs %d (RFC 7518 §3.2)", len(text), a, least),
				"make one with: openssl rand -base64 64")
			return
		}
	}
}
