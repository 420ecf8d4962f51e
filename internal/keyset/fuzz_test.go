package keyset_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/keyset"
)

// FuzzParseToken holds that no text makes the parser fail in another way than by
// its error, and that a token has one spelling.
func FuzzParseToken(f *testing.F) {
	k := newKey(f, "k", "ES256")
	good := token(k)
	for _, s := range []string{
		good, "", ".", "..", "...", good + ".", good + "=", strings.ToUpper(good), "e30.e30.e30", "e30..",
		"eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJkaXIifQ..a.b.c", strings.Repeat(".", 1000),
		issuer.SignRaw(k, []byte(`{"alg":"ES256","Alg":"none"}`), []byte("x")),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := keyset.ParseToken(text)
		if err != nil {
			if !errors.Is(err, keyset.ErrMalformed) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if strings.Count(text, ".") != 2 || len(text) > keyset.MaxTokenBytes || strings.ContainsAny(text, "=+/ \r\n\t") {
			t.Fatalf("%q is taken", text)
		}
		h, err := tok.Header()
		if err != nil {
			return
		}
		for _, m := range tok.Members {
			if slices.Contains([]string{"crit", "b64", "zip"}, m.Name) {
				t.Fatalf("%q is taken with %s", text, m.Name)
			}
		}
		if known, _ := keyset.Known(h.Algorithm); known && strings.EqualFold(h.Algorithm, "none") {
			t.Fatal("none is known")
		}
	})
}

// FuzzParseDocument holds that each key that is taken fits an allowed algorithm,
// whatever the document.
func FuzzParseDocument(f *testing.F) {
	for _, a := range []string{"ES256", "ES512", "EdDSA", "HS256"} {
		k := newKey(f, "k", a)
		f.Add(document(f, k.JWK()))
		f.Add(document(f, with(k, map[string]any{"alg": nil, "d": "AQ"})))
	}
	f.Add(document(f, newKey(f, "k", "RS256").JWK()))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := keyset.ParseDocument(text, asymmetric())
		if err != nil {
			return
		}
		for _, k := range d.Keys {
			if len(k.Algorithms()) == 0 {
				t.Fatal("a key for no algorithm")
			}
			for _, a := range k.Algorithms() {
				if !slices.Contains(asymmetric(), a) {
					t.Fatalf("a key for %s", a)
				}
			}
			if _, secret := k.Public().([]byte); secret {
				t.Fatal("a symmetric key")
			}
		}
	})
}
