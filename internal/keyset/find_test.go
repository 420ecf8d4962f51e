package keyset_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/keyset"
)

// TestFind has the rules by which a key is chosen.
func TestFind(t *testing.T) {
	a, b := newKey(t, "a", "ES256"), newKey(t, "b", "ES256")
	other, nameless := newKey(t, "a", "EdDSA"), newKey(t, "", "ES384")
	twin := newKey(t, "a", "ES256")
	many := []map[string]any{a.JWK(), twin.JWK()}
	for range 3 {
		many = append(many, newKey(t, "a", "ES256").JWK())
	}
	weak := with(newKey(t, "weak", "RS256"), map[string]any{"n": "AQAB", "alg": nil})
	r := newKey(t, "r", "RS256")
	anyRSA := with(r, map[string]any{"alg": nil})
	for _, c := range []struct {
		name           string
		jwks           []map[string]any
		kid, algorithm string
		found          bool
		why            string // where it is not found
	}{
		{"by id", []map[string]any{a.JWK(), b.JWK()}, "b", "ES256", true, ""},
		{"by id and algorithm, one kind", []map[string]any{a.JWK(), other.JWK()}, "a", "ES256", true, ""},
		{"by id and algorithm, other kind", []map[string]any{a.JWK(), other.JWK()}, "a", "EdDSA", true, ""},
		{"unknown id", []map[string]any{a.JWK()}, "z", "ES256", false, "publishes no key of this kid"},
		{"id in other case", []map[string]any{a.JWK()}, "A", "ES256", false, "publishes no key of this kid"},
		{"known id, other algorithm", []map[string]any{a.JWK()}, "a", "ES384", false, "not for ES384"},
		{"two of one id and algorithm", []map[string]any{a.JWK(), twin.JWK()}, "a", "ES256", true, ""},
		{"too many of one id and algorithm", many, "a", "ES256", false, "5 keys of the issuer have this kid"},
		{"a key that is left out", []map[string]any{a.JWK(), weak}, "weak", "RS256", false, "left out: an RSA key of 17 bits"},
		{"several keys without id", []map[string]any{nameless.JWK(), newKey(t, "", "ES384").JWK()}, "z", "ES384", false, "and 2 have none"},
		{"no id, one fits", []map[string]any{a.JWK(), other.JWK()}, "", "ES256", true, ""},
		{"no id, two fit", []map[string]any{a.JWK(), b.JWK()}, "", "ES256", false, "no kid, and 2 keys"},
		{"no id, none fits", []map[string]any{a.JWK()}, "", "EdDSA", false, "no kid, and the issuer publishes no key for EdDSA"},
		{"a key without id serves any", []map[string]any{a.JWK(), nameless.JWK()}, "z", "ES384", true, ""},
		{"a key without id, other algorithm", []map[string]any{a.JWK(), nameless.JWK()}, "z", "ES256", false, "publishes no key of this kid"},
		{"RSA without alg, RS256", []map[string]any{anyRSA}, "r", "RS256", true, ""},
		{"RSA without alg, PS256", []map[string]any{anyRSA}, "r", "PS256", true, ""},
		{"RSA without alg, not allowed", []map[string]any{anyRSA}, "r", "RS512", false, "not for RS512"},
		{"RSA with alg", []map[string]any{r.JWK()}, "r", "PS256", false, "not for PS256"},
		{"no keys", nil, "a", "ES256", false, "publishes no key of this kid"},
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
			keys, err := s.Find(t.Context(), c.kid, c.algorithm)
			for _, k := range keys {
				if !k.Fits(c.algorithm) || !k.Current() {
					t.Errorf("%v", k)
				}
			}
			if c.found != (err == nil && len(keys) > 0) {
				t.Errorf("%v %v", keys, err)
			}
			unknown, ok := errors.AsType[*keyset.KeyError](err)
			if !c.found && (!ok || !errors.Is(err, keyset.ErrUnknownKey) || unknown.Hint == "" || !strings.Contains(err.Error(), c.why)) {
				t.Errorf("%v, want %q", err, c.why)
			}
		})
	}
}

// first is the key that was found, where it is the only one.
func first(keys []*keyset.Key, err error) (*keyset.Key, error) {
	if len(keys) != 1 {
		return nil, cmp.Or(err, fmt.Errorf("%d keys", len(keys)))
	}
	return keys[0], err
}
