package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// minKey is the least length of a key, in bytes.
const minKey = 32

// sealVersion begins everything that is sealed.
const sealVersion = 1

// errSealed means that a text was not sealed by us, for this place.
var errSealed = errors.New("not sealed by a key that is known here, for this place")

// keyring seals with its first key and opens with each. Every purpose has subkeys
// of its own (RFC 5869), so that nothing sealed for one is taken for another.
type keyring struct{ keys []subkeys }

type subkeys struct {
	id   byte // tells keys apart; the seal itself decides
	aead map[string]cipher.AEAD
	mac  map[string][]byte
}

// The purposes.
const (
	forRecord  = "record"
	forAttempt = "attempt"
	forEvent   = "event"
	forTicket  = "ticket"
	forIndex   = "index"
	forDisplay = "display"
)

func newKeyring(keys [][]byte) (*keyring, error) {
	if len(keys) == 0 {
		own := make([]byte, minKey)
		if _, err := rand.Read(own); err != nil {
			return nil, err
		}
		keys = [][]byte{own}
	}
	r := &keyring{}
	for i, k := range keys {
		if len(k) < minKey {
			return nil, fmt.Errorf("session: key %d has %d bytes; %d are needed", i, len(k), minKey)
		}
		s := subkeys{aead: map[string]cipher.AEAD{}, mac: map[string][]byte{}}
		sum := sha256.Sum256(append([]byte("catflap key id "), k...))
		s.id = sum[0]
		for _, purpose := range []string{forRecord, forAttempt, forEvent, forTicket} {
			sub, err := hkdf.Key(sha256.New, k, nil, "catflap session "+purpose, 32)
			if err != nil {
				return nil, err
			}
			block, err := aes.NewCipher(sub)
			if err != nil {
				return nil, err
			}
			if s.aead[purpose], err = cipher.NewGCMWithRandomNonce(block); err != nil {
				return nil, err
			}
		}
		for _, purpose := range []string{forIndex, forDisplay} {
			sub, err := hkdf.Key(sha256.New, k, nil, "catflap session "+purpose, 32)
			if err != nil {
				return nil, err
			}
			s.mac[purpose] = sub
		}
		r.keys = append(r.keys, s)
	}
	return r, nil
}

// seal encrypts for one purpose and one place.
func (r *keyring) seal(purpose, place string, text []byte) []byte {
	k := r.keys[0]
	return k.aead[purpose].Seal([]byte{sealVersion, k.id}, nil, text, []byte(place))
}

// open decrypts what seal made.
func (r *keyring) open(purpose, place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != sealVersion {
		return nil, errSealed
	}
	for _, k := range r.keys {
		if k.id != sealed[1] {
			continue
		}
		if text, err := k.aead[purpose].Open(nil, nil, sealed[2:], []byte(place)); err == nil {
			return text, nil
		}
	}
	return nil, errSealed
}

// mac is a keyed hash of the fields, each with its length, by each key in order.
func (r *keyring) mac(purpose string, fields ...string) [][]byte {
	var l [][]byte
	for _, k := range r.keys {
		h := hmac.New(sha256.New, k.mac[purpose])
		for _, f := range fields {
			fmt.Fprintf(h, "%d:%s", len(f), f)
		}
		l = append(l, h.Sum(nil))
	}
	return l
}
