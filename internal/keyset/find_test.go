package keyset_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/keyset"
)

// TestFind has the rules by which a key is chosen.
func TestFind(t *testing.T) {
	a, b := newKey(t, "a", "ES256"), newKey(t, "b", "ES256")
	other, nameless := newKey(t, "a", "EdDSA"), newKey(t, "", "ES384")
	twin := newKey(t, "a", "ES256")
	r := newKey(t, "r", "RS256")
	anyRSA := with(r, map[string]any{"alg": nil})
	for _, c := range []struct {
		name           string
		jwks           []map[string]any
		kid, algorithm string
		found          bool
	}{
		{"by id", []map[string]any{a.JWK(), b.JWK()}, "b", "ES256", true},
		{"by id and algorithm, one kind", []map[string]any{a.JWK(), other.JWK()}, "a", "ES256", true},
		{"by id and algorithm, other kind", []map[string]any{a.JWK(), other.JWK()}, "a", "EdDSA", true},
		{"unknown id", []map[string]any{a.JWK()}, "z", "ES256", false},
		{"id in other case", []map[string]any{a.JWK()}, "A", "ES256", false},
		{"known id, other algorithm", []map[string]any{a.JWK()}, "a", "ES384", false},
		{"two of one id and algorithm", []map[string]any{a.JWK(), twin.JWK()}, "a", "ES256", false},
		{"no id, one fits", []map[string]any{a.JWK(), other.JWK()}, "", "ES256", true},
		{"no id, two fit", []map[string]any{a.JWK(), b.JWK()}, "", "ES256", false},
		{"no id, none fits", []map[string]any{a.JWK()}, "", "EdDSA", false},
		{"a key without id serves any", []map[string]any{a.JWK(), nameless.JWK()}, "z", "ES384", true},
		{"a key without id, other algorithm", []map[string]any{a.JWK(), nameless.JWK()}, "z", "ES256", false},
		{"RSA without alg, RS256", []map[string]any{anyRSA}, "r", "RS256", true},
		{"RSA without alg, PS256", []map[string]any{anyRSA}, "r", "PS256", true},
		{"RSA without alg, not allowed", []map[string]any{anyRSA}, "r", "RS512", false},
		{"RSA with alg", []map[string]any{r.JWK()}, "r", "PS256", false},
		{"no keys", nil, "a", "ES256", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k.json")
			if err := os.WriteFile(path, document(t, c.jwks...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := keyset.OpenFile(path, keyset.Options{Algorithms: asymmetric(), Now: authtest.NewClock().Now})
			if err != nil {
				t.Fatal(err)
			}
			k, err := s.Find(t.Context(), c.kid, c.algorithm)
			if c.found && (err != nil || !k.Fits(c.algorithm) || !k.Current()) {
				t.Errorf("%v %v", k, err)
			}
			if !c.found && !errors.Is(err, keyset.ErrUnknownKey) {
				t.Errorf("%v %v, want ErrUnknownKey", k, err)
			}
		})
	}
}
