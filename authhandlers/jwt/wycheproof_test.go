package jwt_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/keyset"
)

// wycheproof is a file of testdata/wycheproof.
type wycheproof struct {
	NumberOfTests int
	TestGroups    []struct {
		Type, Comment   string
		Public, Private json.RawMessage
		Tests           []struct {
			TcID    int `json:"tcId"`
			Comment string
			JWS     json.RawMessage
			JWE     json.RawMessage
			Result  string
			Flags   []string
		}
	}
}

func readWycheproof(t *testing.T, name string, rows int) wycheproof {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "wycheproof", name))
	if err != nil {
		t.Fatal(err)
	}
	var w wycheproof
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range w.TestGroups {
		n += len(g.Tests)
	}
	if n != rows {
		t.Fatalf("%s has %d rows, want %d", name, n, rows)
	}
	return w
}

// oddities are the rows whose result is not ours, each with the reason. Nothing
// else may differ.
func oddities() map[string]map[int]string {
	const (
		correct = "said to be invalid, but a plain and correct token"
		strict  = "said to be valid, but a part holds a character that base64url does not have"
		bound   = "said to be valid, but the algorithm is not the one of the key"
		shared  = "said to be valid, but no set of several symmetric keys is ever used"
		roca    = "a ROCA-weak RSA key, which crypto/rsa does not look for"
	)
	return map[string]map[int]string{
		"json_web_signature_test.json": {
			367: correct, 370: correct, 372: strict, 373: strict, 346: bound, 347: bound, 350: bound, 351: bound,
		},
		"json_web_key_test.json":    {2: shared, 7: roca},
		"json_web_crypto_test.json": {46: roca, 48: shared},
	}
}

// verifies reports whether the signature layer takes a token with a key or a key
// set. Symmetric keys are never taken from a document, so a single one stands as the
// shared secret that it is.
func verifies(t *testing.T, key json.RawMessage, token string) bool {
	t.Helper()
	type member struct{ Kty, Alg, K string }
	var head struct {
		member
		Keys []member
	}
	if err := json.Unmarshal(key, &head); err != nil {
		t.Fatal(err)
	}
	if len(head.Keys) == 1 {
		head.member = head.Keys[0]
	}
	o := keyset.Options{
		Now:        authtest.NewClock().Now,
		Algorithms: []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"},
	}
	var set *keyset.Set
	var err error
	if head.Kty == "oct" {
		shared, decodeErr := base64.RawURLEncoding.DecodeString(head.K)
		if decodeErr != nil {
			t.Fatal(decodeErr)
		}
		o.Algorithms = []string{head.Alg}
		set, err = keyset.OpenSecret(shared, o)
	} else {
		document := `{"keys":[` + string(key) + `]}`
		if head.Keys != nil {
			document = string(key)
		}
		set, err = keyset.OpenFile(string(write(t, "keys.json", []byte(document))), o)
	}
	if err != nil {
		return false
	}
	_, err = set.VerifySignature(t.Context(), token)
	return err == nil
}

func TestWycheproofSignatures(t *testing.T) {
	for _, file := range []struct {
		name string
		rows int
	}{
		{"json_web_signature_test.json", 401},
		{"json_web_key_test.json", 26},
		{"json_web_crypto_test.json", 83},
	} {
		t.Run(file.name, func(t *testing.T) {
			odd := oddities()[file.name]
			met := map[int]bool{}
			for _, g := range readWycheproof(t, file.name, file.rows).TestGroups {
				key := g.Public
				if key == nil {
					key = g.Private
				}
				for _, c := range g.Tests {
					if c.JWS == nil {
						continue // a JWE: TestWycheproofEncryption
					}
					token, want := string(c.JWS), c.Result == "valid"
					if json.Unmarshal(c.JWS, &token) != nil || slices.Contains(c.Flags, "JsonSerialization") {
						want = false // no compact form, whatever the result says
					}
					got := verifies(t, key, token)
					if reason := odd[c.TcID]; reason != "" {
						met[c.TcID] = true
						want = !want
					}
					if got != want {
						t.Errorf("%d (%s, %s): accepted %v, want %v; flags %v", c.TcID, g.Comment, c.Comment, got, want, c.Flags)
					}
				}
			}
			if len(met) != len(odd) {
				t.Errorf("oddities that are none: %d of %d were met", len(met), len(odd))
			}
		})
	}
}

// TestWycheproofSymmetric holds that no HMAC token passes where keys are public.
func TestWycheproofSymmetric(t *testing.T) {
	clock := authtest.NewClock()
	h := open(t, authtest.NewEnv(t, clock), keySet(t, newKey(t, "rsa", "RS256").JWK()), nil)
	for _, g := range readWycheproof(t, "json_web_signature_test.json", 401).TestGroups {
		if !strings.Contains(string(g.Private), `"oct"`) {
			continue
		}
		for _, c := range g.Tests {
			var token string
			if json.Unmarshal(c.JWS, &token) != nil || token == "" {
				continue
			}
			if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); err == nil {
				t.Errorf("%d: accepted", c.TcID)
			}
		}
	}
}

// TestWycheproofEncryption holds that no encrypted token is taken, or even tried.
func TestWycheproofEncryption(t *testing.T) {
	clock := authtest.NewClock()
	for _, file := range []struct {
		name string
		rows int
	}{{"json_web_encryption_test.json", 139}, {"json_web_crypto_test.json", 83}} {
		for _, g := range readWycheproof(t, file.name, file.rows).TestGroups {
			h := open(t, authtest.NewEnv(t, clock), keySet(t, newKey(t, "ec", "ES256").JWK()), nil)
			for _, c := range g.Tests {
				var token string
				if c.JWE == nil || json.Unmarshal(c.JWE, &token) != nil || token == "" {
					continue
				}
				_, err := h.Authenticate(t.Context(), authtest.Bearer(token))
				if got := code(err); got == "" || strings.HasPrefix(got, "fault") {
					t.Errorf("%s %d: %q", file.name, c.TcID, got)
				}
				if _, err := keyset.ParseToken(token); err == nil {
					t.Errorf("%s %d: taken for a signed token", file.name, c.TcID)
				}
			}
		}
	}
}
