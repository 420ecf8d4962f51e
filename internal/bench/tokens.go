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
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const benchIssuer = "https://bench.example"

// tokens signs what the loads present.
type tokens struct {
	key    *rsa.PrivateKey
	people []string // one good token each
}

// newTokens makes a key and signs a token for each of so many people.
func newTokens(people int) (*tokens, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	t := &tokens{key: key, people: make([]string, people)}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(people); i = next.Add(1) - 1 {
				t.people[i] = t.sign(fmt.Sprintf("person-%d", i), nil)
			}
		})
	}
	wg.Wait()
	return t, nil
}

// good returns the tokens of n people, from the first.
func (t *tokens) good(n int) []string { return t.people[:min(n, len(t.people))] }

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
	return os.WriteFile(pemFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600)
}

// claims are such as an identity provider writes.
func claims(sub string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": benchIssuer, "aud": "cat", "sub": sub, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": rand.Text(),
		"name": "A Person of the Bench", "email": sub + "@bench.example", "realm_access": map[string]any{"roles": []string{"cat-users", "cat-admins", "offline_access"}},
	}
}

// sign makes a token for a person; changes are made to its claims and header.
func (t *tokens) sign(sub string, change func(claims jwt.MapClaims, header map[string]any)) string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims(sub))
	token.Header["kid"] = "bench"
	if change != nil {
		change(token.Claims.(jwt.MapClaims), token.Header)
	}
	text, err := token.SignedString(t.key)
	if err != nil {
		panic(err) // a key of our own and claims of our own
	}
	return text
}

// forged are n new tokens with right claims, each with a signature of its own that
// is none, but of the right size and below the modulus: what it takes to see that
// is the whole computation.
func (t *tokens) forged(n int) []string {
	list := make([]string, n)
	b64 := base64.RawURLEncoding.EncodeToString
	head := b64([]byte(`{"alg":"RS256","kid":"bench","typ":"JWT"}`))
	mac := make([]byte, t.key.Size())
	for i := range list {
		body, err := json.Marshal(claims(fmt.Sprintf("forged-%d", i)))
		if err != nil {
			panic(err) // claims of our own
		}
		_, _ = rand.Read(mac) // it never fails
		mac[0] &= 0x3f
		list[i] = head + "." + b64(body) + "." + b64(mac)
	}
	return list
}

// The cheap refusals: tokens that can be refused before a signature is computed.
const (
	garbage     = "no JWT"
	algorithm   = "wrong alg"
	unknownKey  = "unknown kid"
	expired     = "expired"
	wrongIssuer = "wrong iss"
	wrongAud    = "wrong aud"
)

// cheap returns one token of each. The signatures are right.
func (t *tokens) cheap() map[string]string {
	claim := func(name string, value any) string {
		return t.sign("x", func(c jwt.MapClaims, _ map[string]any) { c[name] = value })
	}
	header := func(name, value string) string {
		return t.sign("x", func(_ jwt.MapClaims, h map[string]any) { h[name] = value })
	}
	return map[string]string{
		garbage: "no-token-at-all", algorithm: header("alg", "RS384"), unknownKey: header("kid", "unknown"),
		expired: claim("exp", time.Now().Add(-time.Hour).Unix()), wrongIssuer: claim("iss", "https://other.example"), wrongAud: claim("aud", "other"),
	}
}
