package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const benchIssuer = "https://bench.example"

// tokens signs what the loads present.
type tokens struct{ key *rsa.PrivateKey }

func newTokens() (*tokens, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &tokens{key}, err
}

// writeKeys writes the key set for Catflap and the public key for HAProxy.
func (t *tokens) writeKeys(jwksFile, pemFile string) error {
	b64 := base64.RawURLEncoding.EncodeToString
	jwks, err := json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "bench", "n": b64(t.key.N.Bytes()), "e": b64(big.NewInt(int64(t.key.E)).Bytes()),
	}}})
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&t.key.PublicKey)
	if err != nil {
		return err
	}
	if err := os.WriteFile(jwksFile, jwks, 0o600); err != nil {
		return err
	}
	return os.WriteFile(pemFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

// sign makes a token for a person; changes are made to its claims and header.
func (t *tokens) sign(sub string, change func(claims jwt.MapClaims, header map[string]any)) string {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": benchIssuer, "aud": "cat", "sub": sub, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": rand.Text(),
		"name": "A Person of the Bench", "email": sub + "@bench.example", "realm_access": map[string]any{"roles": []string{"cat-users", "cat-admins", "offline_access"}},
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "bench"
	if change != nil {
		change(claims, token.Header)
	}
	text, err := token.SignedString(t.key)
	if err != nil {
		panic(err) // a key of our own and claims of our own
	}
	return text
}

func (t *tokens) good(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = t.sign(fmt.Sprintf("person-%d", i), nil)
	}
	return list
}

// forged are tokens with right claims and a signature that is not theirs.
func (t *tokens) forged(n int) []string {
	list := make([]string, n)
	head := t.sign("forged", nil)
	signature := head[len(head)-342:]
	for i := range list {
		claims, _ := json.Marshal(map[string]any{
			"iss": benchIssuer, "aud": "cat", "sub": fmt.Sprintf("forged-%d", i), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "jti": rand.Text(),
		})
		list[i] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"bench","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + signature
	}
	return list
}

// unknownKey is the place of the token with an unknown kid in cheap. Its signature
// is right.
const unknownKey = 6

// cheap are tokens that can be refused before a signature is computed.
func (t *tokens) cheap() []string {
	return []string{
		"no-token-at-all", "aaaa.bbbb.cccc",
		t.sign("x", func(_ jwt.MapClaims, h map[string]any) { h["alg"] = "RS384" }),
		t.sign("x", func(c jwt.MapClaims, _ map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
		t.sign("x", func(c jwt.MapClaims, _ map[string]any) { c["iss"] = "https://other.example" }),
		t.sign("x", func(c jwt.MapClaims, _ map[string]any) { c["aud"] = "other" }),
		t.sign("x", func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "unknown" }),
		t.forged(1)[0],
	}
}
