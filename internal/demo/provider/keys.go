package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The typ of each kind of token: one can't stand for another.
const (
	accessType = "at+jwt" // RFC 9068 §2.1
	idType     = "JWT"
	logoutType = "logout+jwt" // Back-Channel Logout §2.4
)

const keyID = "demo"

// keys sign everything that the provider says, and know it again.
type keys struct {
	issuer string
	now    func() time.Time
	key    *ecdsa.PrivateKey
	public []byte // a JWK set
}

func newKeys(issuer string, now func() time.Time) (*keys, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	text := base64.RawURLEncoding.EncodeToString
	public, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keyID, "x": text(point[1:33]), "y": text(point[33:]),
	}}})
	return &keys{issuer, now, key, public}, err
}

func (p *Provider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(p.keys.public) // the client has gone: nobody to tell
}

// sign makes a token of these claims that lives as long as said.
func (k *keys) sign(kind string, life time.Duration, claims jwt.MapClaims) (string, error) {
	now := k.now()
	claims["iss"], claims["iat"], claims["exp"], claims["jti"] = k.issuer, now.Unix(), now.Add(life).Unix(), rand.Text()
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	t.Header["kid"], t.Header["typ"] = keyID, kind
	return t.SignedString(k.key)
}

// read verifies one of our own tokens. Life is not looked at if the token may be
// old.
func (k *keys) read(token, kind, audience string, mayBeOld bool) (jwt.MapClaims, error) {
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{"ES256"}), jwt.WithTimeFunc(k.now), jwt.WithExpirationRequired()}
	if mayBeOld {
		options = append(options, jwt.WithoutClaimsValidation())
	}
	claims := jwt.MapClaims{}
	t, err := jwt.NewParser(options...).ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return &k.key.PublicKey, nil })
	if err != nil {
		return nil, err
	}
	issuer, err := claims.GetIssuer()
	if err != nil || issuer != k.issuer || t.Header["typ"] != kind {
		return nil, errors.New("not a token of this kind")
	}
	if aud, err := claims.GetAudience(); err != nil || !slices.Equal(aud, jwt.ClaimStrings{audience}) {
		return nil, errors.New("not a token for this audience")
	}
	return claims, nil
}

// halfHash is at_hash (OpenID Connect Core §3.1.3.6).
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
