package keyset_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/keyset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func asymmetric() []string { return []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"} }

func newKey(t testing.TB, id, algorithm string) *issuer.Key {
	t.Helper()
	k, err := issuer.NewKey(id, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func token(k *issuer.Key) string {
	return issuer.Sign(k, map[string]any{"alg": k.Algorithm, "kid": k.ID}, map[string]any{"sub": "alice"})
}

func document(t testing.TB, jwks ...map[string]any) []byte {
	t.Helper()
	if jwks == nil {
		jwks = []map[string]any{}
	}
	b, err := json.Marshal(map[string]any{"keys": jwks})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func with(k *issuer.Key, changes map[string]any) map[string]any {
	j := k.JWK()
	maps.Copy(j, changes)
	for name, v := range j {
		if v == nil {
			delete(j, name)
		}
	}
	return j
}

// TestParseDocument has each reason for which a key is left out.
func TestParseDocument(t *testing.T) {
	rsaKey, ec, ed := newKey(t, "r", "RS256"), newKey(t, "e", "ES256"), newKey(t, "d", "EdDSA")
	padded := base64.RawURLEncoding.EncodeToString(append([]byte{0}, rsaKey.Public().(*rsa.PublicKey).N.Bytes()...))
	for _, c := range []struct {
		name    string
		jwk     map[string]any
		skipped string // "" when the key is taken
	}{
		{"RSA", rsaKey.JWK(), ""},
		{"EC", ec.JWK(), ""},
		{"Ed25519", ed.JWK(), ""},
		{"RSA without alg", with(rsaKey, map[string]any{"alg": nil}), ""},
		{"without use", with(ec, map[string]any{"use": nil}), ""},
		{"without kid", with(ec, map[string]any{"kid": nil}), ""},
		{"key_ops verify", with(ec, map[string]any{"key_ops": []string{"sign", "verify"}}), ""},
		{"x5c beside it", with(ec, map[string]any{"x5c": []string{"not even base64!"}}), ""},
		{"modulus with a leading zero", with(rsaKey, map[string]any{"n": padded}), ""},

		{"use enc", with(rsaKey, map[string]any{"use": "enc"}), "use"},
		{"key_ops encrypt", with(rsaKey, map[string]any{"key_ops": []string{"encrypt"}}), "key_ops"},
		{"key_ops a text", with(rsaKey, map[string]any{"key_ops": "verify"}), "key_ops"},
		{"key_ops empty", with(rsaKey, map[string]any{"key_ops": []string{}}), "key_ops"},
		{"alg of another use", with(rsaKey, map[string]any{"alg": "RSA-OAEP"}), "alg does not suit"},
		{"alg of another kind", with(rsaKey, map[string]any{"alg": "ES256"}), "alg does not suit"},
		{"alg of another curve", with(ec, map[string]any{"alg": "ES384"}), "alg does not suit"},
		{"alg none", with(ec, map[string]any{"alg": "none"}), "alg does not suit"},
		{"alg HS256 with a public key", with(rsaKey, map[string]any{"alg": "HS256"}), "alg does not suit"},
		{"alg not allowed", with(rsaKey, map[string]any{"alg": "RS512"}), "no allowed algorithm"},
		{"alg a number", with(rsaKey, map[string]any{"alg": 1}), "alg is no text"},
		{"kid a number", with(rsaKey, map[string]any{"kid": 1}), "kid is no text"},
		{"kty missing", with(rsaKey, map[string]any{"kty": nil}), "unknown kty"},
		{"kty unknown", with(rsaKey, map[string]any{"kty": "XX"}), "unknown kty"},
		{"kty in lower case", with(rsaKey, map[string]any{"kty": "rsa"}), "unknown kty"},
		{"oct", newKey(t, "o", "HS256").JWK(), "symmetric"},
		{"n missing", with(rsaKey, map[string]any{"n": nil}), "n is missing"},
		{"n padded", with(rsaKey, map[string]any{"n": rsaKey.JWK()["n"].(string) + "=="}), "no base64url"},
		{"n with a line end", with(rsaKey, map[string]any{"n": rsaKey.JWK()["n"].(string) + "\n"}), "no base64url"},
		{"RSA of 1016 bits", with(rsaKey, map[string]any{"n": padded[4:174] + "E"}), "bits"},
		{"RSA of an even modulus", with(rsaKey, map[string]any{"n": rsaKey.JWK()["n"].(string)[:340] + "AA"}), "even RSA modulus"},
		{"e of 1", with(rsaKey, map[string]any{"e": "AQ"}), "exponent"},
		{"e of 2", with(rsaKey, map[string]any{"e": "Ag"}), "exponent"},
		{"e of 40 bits", with(rsaKey, map[string]any{"e": "AQAAAAE"}), "exponent"},
		{"crv unknown", with(ec, map[string]any{"crv": "secp256k1"}), "unknown curve"},
		{"crv of Ed448", with(ed, map[string]any{"crv": "Ed448"}), "unknown curve"},
		{"crv of X25519", with(ed, map[string]any{"crv": "X25519"}), "unknown curve"},
		{"point off the curve", with(ec, map[string]any{"y": ec.JWK()["x"]}), "not on the curve"},
		{"point at infinity", with(ec, map[string]any{"x": strings.Repeat("A", 43), "y": strings.Repeat("A", 43)}), "not on the curve"},
		{"short coordinate", with(ec, map[string]any{"x": "AQ"}), "wrong size"},
		{"short Ed25519", with(ed, map[string]any{"x": "AQ"}), "wrong size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := keyset.ParseDocument(document(t, c.jwk), asymmetric())
			if err != nil {
				t.Fatal(err)
			}
			if (len(d.Keys) == 1) != (c.skipped == "") {
				t.Fatalf("%d keys; skipped %q", len(d.Keys), d.Skipped)
			}
			for _, why := range d.Skipped {
				if !strings.Contains(why, c.skipped) {
					t.Errorf("%q, want %q", why, c.skipped)
				}
			}
		})
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	ec := newKey(t, "e", "ES256").JWK()
	many := make([]map[string]any, keyset.MaxKeys+1)
	for i := range many {
		many[i] = ec
	}
	for name, text := range map[string][]byte{
		"nothing":       nil,
		"HTML":          []byte("<!doctype html>"),
		"an array":      []byte("[]"),
		"no keys":       []byte("{}"),
		"keys a text":   []byte(`{"keys":"x"}`),
		"a key a text":  []byte(`{"keys":["x"]}`),
		"keys twice":    []byte(`{"keys":[],"keys":[]}`),
		"a bare key":    []byte(`{"kty":"EC"}`),
		"data behind":   []byte(`{"keys":[]} {}`),
		"too deep":      []byte(`{"keys":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`),
		"too many keys": document(t, many...),
		"too large":     []byte(`{"keys":[],"pad":"` + strings.Repeat("x", keyset.MaxDocumentBytes) + `"}`),
	} {
		if _, err := keyset.ParseDocument(text, asymmetric()); err == nil {
			t.Errorf("%s: taken for a key set", name)
		}
	}
	d, err := keyset.ParseDocument(document(t, ec, ec), asymmetric())
	if err != nil || len(d.Keys) != 1 {
		t.Errorf("the same key twice is one: %v %v", d, err)
	}
	if d, err = keyset.ParseDocument(document(t), asymmetric()); err != nil || len(d.Keys) != 0 {
		t.Errorf("an issuer without keys is none the less one: %v %v", d, err)
	}
	private := newKey(t, "p", "ES256").JWK()
	private["d"] = "AQ"
	if d, err = keyset.ParseDocument(document(t, private), asymmetric()); err != nil || d.Private != 1 || len(d.Keys) != 1 {
		t.Errorf("a private key: %v %v", d, err)
	}
}

func TestVerifySignatureRefuses(t *testing.T) {
	k := newKey(t, "k", "ES256")
	path := filepath.Join(t.TempDir(), "k.json")
	if err := os.WriteFile(path, document(t, k.JWK()), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := keyset.OpenFile(path, keyset.Options{Algorithms: []string{"ES256"}, Now: authtest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	forger := newKey(t, "k", "ES256")
	for _, c := range []struct {
		name, token string
		want        error
	}{
		{"forged", token(forger), keyset.ErrSignature},
		{"not allowed", token(newKey(t, "k", "EdDSA")), keyset.ErrAlgorithm},
		{"unknown", token(newKey(t, "z", "ES256")), keyset.ErrUnknownKey},
		{"no token", "x", keyset.ErrMalformed},
		{"crit", issuer.Sign(k, map[string]any{"alg": "ES256", "kid": "k", "crit": []string{"x"}}, nil), keyset.ErrMalformed},
	} {
		if _, err := s.VerifySignature(context.Background(), c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	payload, err := s.VerifySignature(context.Background(), token(k))
	if err != nil || string(payload) != `{"sub":"alice"}` {
		t.Errorf("%q %v", payload, err)
	}
}

// TestRetire holds that nothing that a retired set has verified is current, and that
// a file which comes back changes nothing.
func TestRetire(t *testing.T) {
	k := newKey(t, "a", "ES256")
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, document(t, k.JWK()), 0o600); err != nil {
		t.Fatal(err)
	}
	clock := authtest.NewClock()
	s, err := keyset.OpenFile(path, keyset.Options{Algorithms: []string{"ES256"}, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	key, err := first(s.Find(t.Context(), "a", "ES256"))
	if err != nil || !key.Current() {
		t.Fatal(err)
	}
	before := s.Generation()
	s.Retire()
	if key.Current() || s.Generation() == before || s.Ready() == nil {
		t.Error("a retired set is still good")
	}
	if err := os.WriteFile(path, document(t, k.JWK(), newKey(t, "b", "ES256").JWK()), 0o600); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	for _, kid := range []string{"a", "b"} {
		if k, err := s.Find(t.Context(), kid, "ES256"); err == nil || k != nil {
			t.Errorf("a retired set has the key %s", kid)
		}
	}
}
