package jwt_test

import (
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// TestEd25519: the name of RFC 9864 and the one of RFC 8037 are one algorithm, in the
// token, at the key and in the configuration.
func TestEd25519(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock, "EdDSA", "ES256")
	key := idp.Key("eddsa")
	as := func(algorithm any) value.Path {
		jwk := key.JWK()
		jwk["alg"] = algorithm
		if algorithm == nil {
			delete(jwk, "alg")
		}
		return keySet(t, jwk)
	}
	for _, keys := range []value.Path{as(nil), as("EdDSA"), as("Ed25519")} {
		for _, allowed := range [][]string{nil, {"EdDSA"}, {"Ed25519"}, {"Ed25519", "EdDSA", "ES256"}} {
			h := open(t, authtest.NewEnv(t, clock), keys, func(c *jwt.Config) { c.Issuer, c.Algorithms = idp.URL(), allowed })
			for _, alg := range []string{"EdDSA", "Ed25519"} {
				good := idp.Token("alice", issuer.SignedBy(key), issuer.Header("alg", alg))
				if _, err := h.Authenticate(t.Context(), authtest.Bearer(good)); err != nil {
					t.Errorf("%s, allowed %v: %v", alg, allowed, err)
				}
				bad := idp.Token("alice", issuer.ForgedBy(newKey(t, "eddsa", "EdDSA")), issuer.Header("alg", alg), issuer.Header("kid", key.ID))
				if _, err := h.Authenticate(t.Context(), authtest.Bearer(bad)); code(err) != "bad_signature" {
					t.Errorf("%s, forged: %v", alg, err)
				}
			}
			for _, alg := range []string{"ed25519", "Ed448", "none"} {
				token := idp.Token("alice", issuer.SignedBy(key), issuer.Header("alg", alg))
				if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); code(err) != "algorithm_not_allowed" {
					t.Errorf("%s: %v", alg, err)
				}
			}
		}
	}
	not := open(t, authtest.NewEnv(t, clock), as(nil), func(c *jwt.Config) { c.Issuer = idp.URL() })
	es := open(t, authtest.NewEnv(t, clock), write(t, "keys.json", idp.JWKS()), func(c *jwt.Config) { c.Issuer, c.Algorithms = idp.URL(), []string{"ES256"} })
	token := idp.Token("alice", issuer.SignedBy(key), issuer.Header("alg", "Ed25519"))
	if _, err := es.Authenticate(t.Context(), authtest.Bearer(token)); code(err) != "algorithm_not_allowed" {
		t.Errorf("where it is not allowed: %v", err)
	}
	confused := idp.Token("alice", issuer.SignedBy(idp.Key("es256")), issuer.Header("alg", "Ed25519"), issuer.Header("kid", key.ID))
	if _, err := not.Authenticate(t.Context(), authtest.Bearer(confused)); code(err) != "bad_signature" {
		t.Errorf("another key's signature: %v", err)
	}
}
