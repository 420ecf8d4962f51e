package attributes

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/catflap/catflap/internal/seal"
)

// Keys sign attributes: the first signs, all are published.
type Keys struct {
	list []key
	jwks []byte
}

type key struct {
	id      string
	private ed25519.PrivateKey
}

// NewKeys makes a key of each secret. The same secret always makes the same key.
func NewKeys(secrets [][]byte) (*Keys, error) {
	if err := seal.Check(secrets); err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	k := &Keys{}
	for _, secret := range secrets {
		seed, err := seal.Derive(secret, "attributes ed25519", ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		private := ed25519.NewKeyFromSeed(seed)
		k.list = append(k.list, key{thumbprint(private), private})
	}
	return k, k.publish()
}

// OwnKeys makes a key of this process alone.
func OwnKeys() (*Keys, error) { return NewKeys([][]byte{seal.Own()}) }

// JWKS returns the public keys (RFC 7517, RFC 8037).
func (k *Keys) JWKS() []byte { return k.jwks }

// publicKey is one of a set of keys.
type publicKey struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
}

func (k *Keys) publish() (err error) {
	var set struct {
		Keys []publicKey `json:"keys"`
	}
	for _, one := range k.list {
		set.Keys = append(set.Keys, publicKey{"OKP", "Ed25519", public(one.private), one.id, "sig", "EdDSA"})
	}
	k.jwks, err = json.Marshal(set)
	return err
}

func public(private ed25519.PrivateKey) string {
	return base64.RawURLEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
}

// thumbprint names a key (RFC 7638).
func thumbprint(private ed25519.PrivateKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + public(private) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
