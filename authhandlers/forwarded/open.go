package forwarded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/clientcert"
)

// Open makes the handler. It reads the secrets.
func (c *Config) Open(_ context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := errors.Join(c.Validate(), c.Inspect()); err != nil {
		return nil, err
	}
	h := &handler{
		issuer: c.issuer(env.Name), now: env.Now, life: c.MaxLife.Std(), separator: separators()[c.GroupsSeparator], email: slices.Contains(env.Claims, "email"),
		user: http.CanonicalHeaderKey(c.UserHeader), name: canonical(c.NameHeader), mail: canonical(c.EmailHeader), groups: canonical(c.GroupsHeader),
		proof: proof{judge: env.Certificates, header: http.CanonicalHeaderKey(c.SecretHeader), authorities: map[clientcert.Fingerprint]bool{}},
	}
	for _, text := range c.From {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		h.from = append(h.from, p)
	}
	for i, s := range c.Secrets {
		text, err := s.Read()
		if err != nil {
			return nil, fmt.Errorf("secrets[%d]: %w", i, err)
		}
		h.secrets = append(h.secrets, sha256.Sum256(text))
	}
	for _, text := range c.Certificates {
		n, err := parseName(text)
		if err != nil {
			return nil, err
		}
		h.names = append(h.names, n)
	}
	for _, text := range c.Authorities {
		f, err := clientcert.ParseFingerprint(text)
		if err != nil {
			return nil, err
		}
		h.authorities[f] = true
	}
	if len(h.names) > 0 && h.judge == nil {
		return nil, errors.New("the listener asks for no client certificates: set tls.client_certificates, and restart")
	}
	return h, nil
}

func canonical(name string) string {
	if name == "" {
		return ""
	}
	return http.CanonicalHeaderKey(name)
}
