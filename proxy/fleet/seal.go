package fleet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"
)

// minKey is the least length of a key, in bytes.
const minKey = 32

var errSealed = errors.New("fleet: not sealed by a key of ours, or not for us")

// keyring holds the keys in force. A reload may set others.
type keyring struct{ list atomic.Pointer[keys] }

func (k *keyring) seal(to string, plain []byte) []byte { return k.list.Load().seal(to, plain) }

func (k *keyring) open(to string, sealed []byte) ([]byte, error) {
	return k.list.Load().open(to, sealed)
}

func (k *keyring) people(prefix, person string) []string {
	return k.list.Load().people(prefix, person)
}

// keys are what is derived from each configured key (RFC 5869).
type keys []derived

type derived struct {
	aead cipher.AEAD
	name []byte
}

func newKeys(secrets [][]byte) (keys, error) {
	if len(secrets) == 0 {
		return nil, errors.New("fleet: no key")
	}
	list := make(keys, len(secrets))
	for i, secret := range secrets {
		if len(secret) < minKey {
			return nil, fmt.Errorf("fleet: key %d has %d bytes; it needs at least %d", i, len(secret), minKey)
		}
		seal, err := hkdf.Key(sha256.New, secret, nil, "catflap fleet seal", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(seal)
		if err != nil {
			return nil, err
		}
		if list[i].aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
		if list[i].name, err = hkdf.Key(sha256.New, secret, nil, "catflap fleet name", 32); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// seal encrypts with the first key, for one process alone.
func (k keys) seal(to string, plain []byte) []byte {
	return k[0].aead.Seal(nil, nil, plain, []byte("catflap fleet 1 "+to)) //nolint:gosec // the nonce is made by the AEAD itself
}

func (k keys) open(to string, sealed []byte) ([]byte, error) {
	for _, d := range k {
		if plain, err := d.aead.Open(nil, nil, sealed, []byte("catflap fleet 1 "+to)); err == nil {
			return plain, nil
		}
	}
	return nil, errSealed
}

// people names a person by each key: while keys are turned over, any two processes
// have one in common.
func (k keys) people(prefix, person string) []string {
	names := make([]string, len(k))
	for i, d := range k {
		h := hmac.New(sha256.New, d.name)
		h.Write([]byte(person))
		names[i] = prefix + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	return names
}
