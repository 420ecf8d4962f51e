package keyset

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
)

// Present is Find among the keys that are there now: it fetches nothing and does not
// wait. What the set does not have is ErrUnknownKey, also where a fetch could bring it;
// keys that are published one by one are then fetched in the background.
func (s *Set) Present(kid, algorithm string) ([]*Key, error) {
	k, settled, err := s.look(kid, algorithm)
	if w, ok := s.source.(interface{ want(kid string) bool }); ok && !settled && w.want(kid) {
		return nil, ErrUnavailable // it is being fetched
	}
	return k, err
}

// Thumbprint tells the key from every other, and shows nothing of it: 32 bytes.
func (k *Key) Thumbprint() []byte {
	material, ok := k.material.(secret)
	kind := "secret "
	if !ok {
		kind = "public "
		material, _ = x509.MarshalPKIXPublicKey(k.material) // newKey takes no other kinds
	}
	sum := sha256.Sum256(slices.Concat([]byte("catflap "+kind), material))
	return sum[:]
}

// Signature is the third part of the token.
func (t *Token) Signature() []byte { return t.signature }
