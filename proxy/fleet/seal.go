package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/catflap/catflap/internal/seal"
)

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

// keys are what is derived from each configured key.
type keys struct {
	ring  seal.Ring
	names [][]byte
}

func newKeys(secrets [][]byte) (*keys, error) {
	ring, err := seal.NewRing(secrets, "fleet seal")
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	k := &keys{ring: ring}
	for _, secret := range secrets {
		name, err := seal.Derive(secret, "fleet name", 32)
		if err != nil {
			return nil, err
		}
		k.names = append(k.names, name)
	}
	return k, nil
}

// seal encrypts with the first key, for one process alone.
func (k *keys) seal(to string, plain []byte) []byte { return k.ring.Seal(place(to), plain) }

func (k *keys) open(to string, sealed []byte) ([]byte, error) {
	plain, ok := k.ring.Open(place(to), sealed)
	if !ok {
		return nil, errSealed
	}
	return plain, nil
}

// place is the process that a text is for. The number is the version of the form.
func place(process string) []byte { return []byte("catflap fleet 1 " + process) }

// people names a person by each key: while keys are turned over, any two processes
// have one in common.
func (k *keys) people(prefix, person string) []string {
	names := make([]string, len(k.names))
	for i, name := range k.names {
		h := hmac.New(sha256.New, name)
		h.Write([]byte(person))
		names[i] = prefix + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	return names
}
