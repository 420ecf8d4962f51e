// Package seal encrypts what Catflap gives away and takes back, and derives the keys.
//
// The rule it guards: from each configured secret one key is derived for each use, so
// that none tells anything of another, and a text of one use opens for no other. A text
// is bound to its place, and opens there alone. The first key seals, and every key in
// force opens: so secrets are turned over while texts are under way. A secret that is
// too short for its strength is refused.
//
// Rings do not change, and any number of goroutines may use one. Who turns keys over
// makes another ring, and swaps it.
package seal

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// MinKey is the least length of a secret, in bytes: that of the keys' whole strength.
const MinKey = 32

// ErrNoKey says that there is no secret at all.
var ErrNoKey = errors.New("no key")

// Check reports secrets that no key can be derived of.
func Check(secrets [][]byte) error {
	if len(secrets) == 0 {
		return ErrNoKey
	}
	for i, secret := range secrets {
		if len(secret) < MinKey {
			return fmt.Errorf("key %d has %d bytes; it needs at least %d", i, len(secret), MinKey)
		}
	}
	return nil
}

// Own is a secret of this process alone.
func Own() []byte {
	secret := make([]byte, MinKey)
	rand.Read(secret) // never fails
	return secret
}

// Derive makes a key of a secret, for one use (RFC 5869). No two uses have one name.
func Derive(secret []byte, use string, size int) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, "catflap "+use, size)
}
