package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// Key is a signing key. Its fields may be changed before it is used or published.
type Key struct {
	// ID is the kid of the header and the key set; "" leaves it out.
	ID string
	// Algorithm is the one of RFC 7518 §3.1 or RFC 8037 §3.1 to sign with.
	Algorithm string
	// Private is an *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey, or the
	// []byte of a shared secret.
	Private any
}

// NewKey makes a key for an algorithm. RSA keys have 2048 bits and take a moment.
func NewKey(id, algorithm string) (*Key, error) {
	k := &Key{ID: id, Algorithm: algorithm}
	var err error
	switch algorithm {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		k.Private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		k.Private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		k.Private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		k.Private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, k.Private, err = ed25519.GenerateKey(rand.Reader)
	case "HS256", "HS384", "HS512":
		b := make([]byte, 64)
		_, err = rand.Read(b)
		k.Private = b
	default:
		return nil, fmt.Errorf("issuer: unknown algorithm %q", algorithm)
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Public returns the public key, or nil for a shared secret.
func (k *Key) Public() crypto.PublicKey {
	if s, ok := k.Private.(crypto.Signer); ok {
		return s.Public()
	}
	return nil
}

// JWK returns the public part as a member of a key set (RFC 7517 §4), to be
// published as it is or changed. A shared secret is written out.
func (k *Key) JWK() map[string]any {
	j := map[string]any{"alg": k.Algorithm, "use": "sig"}
	if k.ID != "" {
		j["kid"] = k.ID
	}
	switch p := k.Private.(type) {
	case *rsa.PrivateKey:
		j["kty"], j["n"], j["e"] = "RSA", text(p.N.Bytes()), text(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PrivateKey:
		point, err := p.PublicKey.Bytes()
		if err != nil {
			panic(err) // a key of a curve that NewKey never makes
		}
		half := len(point) / 2
		j["kty"], j["crv"] = "EC", p.Params().Name
		j["x"], j["y"] = text(point[1:1+half]), text(point[1+half:])
	case ed25519.PrivateKey:
		j["kty"], j["crv"], j["x"] = "OKP", "Ed25519", text(p.Public().(ed25519.PublicKey))
	case []byte:
		j["kty"], j["k"] = "oct", text(p)
	}
	return j
}

// Sign returns the signature of a text by the key's algorithm.
func (k *Key) Sign(signed string) ([]byte, error) {
	m := jwt.GetSigningMethod(k.Algorithm)
	if m == nil {
		return nil, fmt.Errorf("issuer: unknown algorithm %q", k.Algorithm)
	}
	return m.Sign(signed, k.Private)
}

// text is base64url without padding (RFC 7515 §2).
func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
