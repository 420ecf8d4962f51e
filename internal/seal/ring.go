package seal

import (
	"crypto/aes"
	"crypto/cipher"
)

// Ring seals with its first key, and opens with each. A text is what AES-256-GCM yields,
// its random nonce first. NIST SP 800-38D allows 2^32 of them for each key.
type Ring []cipher.AEAD

// NewRing derives a key of each secret, for one use.
func NewRing(secrets [][]byte, use string) (Ring, error) {
	if err := Check(secrets); err != nil {
		return nil, err
	}
	r := make(Ring, 0, len(secrets))
	for _, secret := range secrets {
		key, err := Derive(secret, use, 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		r = append(r, aead)
	}
	return r, nil
}

// Seal encrypts with the first key, for one place.
func (r Ring) Seal(place, plain []byte) []byte { return r.append(nil, 0, place, plain) }

func (r Ring) append(head []byte, key int, place, plain []byte) []byte {
	return r[key].Seal(head, nil, plain, place) //nolint:gosec // the nonce is made by the AEAD itself
}

// Open decrypts what was sealed for the place. False means that no key opens it there.
func (r Ring) Open(place, sealed []byte) ([]byte, bool) {
	for i := range r {
		if plain, ok := r.open(i, place, sealed); ok {
			return plain, true
		}
	}
	return nil, false
}

func (r Ring) open(key int, place, sealed []byte) ([]byte, bool) {
	plain, err := r[key].Open(nil, nil, sealed, place)
	return plain, err == nil
}
