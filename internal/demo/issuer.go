package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// audience is what the tokens are for.
const audience = "cat"

// tokenLife is long enough to play, and ends by itself.
const tokenLife = 8 * time.Hour

// people are those whom the issuer knows, with their groups.
var people = [...]struct {
	name   string
	groups []string
}{
	{"alice", []string{"cat-admins"}},
	{"bob", []string{}},
}

// issuer signs tokens for its people. It asks nobody for a password.
type issuer struct {
	url string
	key *ecdsa.PrivateKey
}

func newIssuer(url string) (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return &issuer{url: url, key: key}, nil
}

// jwks is the key set (RFC 7517).
func (i *issuer) jwks() ([]byte, error) {
	point, err := i.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	text := base64.RawURLEncoding.EncodeToString
	return json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "demo", "x": text(point[1:33]), "y": text(point[33:]),
	}}})
}

// token signs a token for one of the people; false for anybody else.
func (i *issuer) token(name string) (string, bool) {
	for _, p := range people {
		if p.name != name {
			continue
		}
		now := time.Now()
		t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": i.url, "aud": audience, "sub": p.name, "name": p.name, "groups": p.groups,
			"iat": now.Unix(), "exp": now.Add(tokenLife).Unix(), "jti": rand.Text(),
		})
		t.Header["kid"] = "demo"
		signed, err := t.SignedString(i.key)
		return signed, err == nil
	}
	return "", false
}

// serveToken answers /token/alice with the token as plain text, so that a shell
// can take it as it is.
func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	token, ok := i.token(r.PathValue("name"))
	if !ok {
		http.Error(w, "the demo knows alice and bob", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(token)) // the client has gone: nobody to tell
}

func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	keys, err := i.jwks()
	if err != nil {
		http.Error(w, "no keys", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(keys) // as above
}
