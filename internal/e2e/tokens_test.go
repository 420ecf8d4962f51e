package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const issuerName = "https://issuer.example.com"

// staff is the issuer of the tests that need no real provider.
var staff = newIssuer()

// issuer signs tokens with one Ed25519 key.
type issuer struct {
	key ed25519.PrivateKey
}

func newIssuer() *issuer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // no randomness: nothing can be tested
	}
	return &issuer{key}
}

func (i *issuer) keySet() string {
	public := i.key.Public().(ed25519.PublicKey)
	return fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"e2e","alg":"EdDSA","use":"sig","x":%q}]}`,
		base64.RawURLEncoding.EncodeToString(public))
}

// token is a good token of a person, good for a quarter of an hour.
func (i *issuer) token(subject string, groups ...string) string {
	return i.tokenFor(subject, 15*time.Minute, groups...)
}

// tokenFor is a token that ends after life.
func (i *issuer) tokenFor(subject string, life time.Duration, groups ...string) string {
	now := time.Now()
	return i.sign(map[string]any{
		"iss": issuerName, "aud": "catflap", "sub": subject, "groups": groups,
		"iat": now.Unix(), "exp": now.Add(life).Unix(), "jti": rand.Text(),
	})
}

func (i *issuer) sign(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // the claims are written in this package
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"EdDSA","kid":"e2e","typ":"at+jwt"}`)) + "." + encode(payload)
	token := signed + "." + encode(ed25519.Sign(i.key, []byte(signed)))
	plant(token)
	return token
}

// The people of most tests, and what the Cat must know them as.
func alice() string { return staff.token("alice") }
func bob() string   { return staff.token("bob") }
func root() string  { return staff.token("root", "cat-admins") }

func idOf(subject string) string { return "staff:" + subject }

// keyID is the kid of a token, unverified.
func keyID(t testing.TB, token string) string {
	t.Helper()
	kid, _ := tokenPart(t, token, 0)["kid"].(string)
	if kid == "" {
		t.Fatal("the token names no key")
	}
	return kid
}

// claimsOf are the claims of a token, unverified.
func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	return tokenPart(t, token, 1)
}

func tokenPart(t testing.TB, token string, n int) map[string]any {
	t.Helper()
	pieces := strings.Split(token, ".")
	if len(pieces) != 3 {
		t.Fatalf("a token of %d parts", len(pieces))
	}
	var m map[string]any
	b, err := base64.RawURLEncoding.DecodeString(pieces[n])
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
