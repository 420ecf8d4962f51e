package app

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/attributes"
)

// attributeIssuer is the iss of attributes where no public_url is configured.
const attributeIssuer = "catflap"

// attributes makes what tells the Cat's plugins who somebody is, if they are told. A key
// that is made here lives as long as the process.
func (a *app) attributes(c *config.Config) (*attributes.Signer, error) {
	s := c.Cat.Attributes
	if s == nil {
		return nil, nil //nolint:nilnil // plugins are told nothing
	}
	keys, err := a.attributeKeys(s)
	if err != nil {
		return nil, err
	}
	issuer := c.PublicURL
	if issuer == "" {
		issuer = attributeIssuer
	}
	return attributes.New(attributes.Options{
		Keys: keys, Issuer: issuer, Claims: s.Claims, Lifetime: s.Lifetime.Std(), Now: time.Now, Log: a.log,
	})
}

func (a *app) attributeKeys(s *config.Attributes) (*attributes.Keys, error) {
	if len(s.Keys) == 0 {
		var err error
		if a.signs == nil {
			a.signs, err = attributes.OwnKeys()
		}
		return a.signs, err
	}
	var secrets [][]byte
	for i, k := range s.Keys {
		b, err := k.Read()
		if err != nil {
			return nil, fmt.Errorf("cat.attributes.keys[%d]: %w", i, err)
		}
		secrets = append(secrets, b)
	}
	return attributes.NewKeys(secrets)
}

// toldToo has the handlers keep what plugins are told, beside what the rules grant by.
func toldToo(s *config.Attributes, granting func(handler string) []string) func(string) []string {
	if s == nil {
		return granting
	}
	told := attributes.FromProvider(s.Claims)
	return func(handler string) []string {
		all := append(granting(handler), told...)
		slices.Sort(all)
		return slices.Compact(all)
	}
}

// serveKeys serves the public keys of the attributes (RFC 7517).
func (a *app) serveKeys(w http.ResponseWriter, r *http.Request) {
	g := a.current.Load()
	if g == nil || g.told == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(g.told.Keys().JWKS()) // the client has gone: nobody to tell
}
