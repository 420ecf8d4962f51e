package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/catflap/catflap/internal/base64url"
	"github.com/catflap/catflap/internal/seal"
)

// What a text is sealed for; it opens for nothing else.
const (
	sealSession = "session"
	sealTicket  = "ticket"
	sealMark    = "logout"
	sealMessage = "message"
	sealAttempt = "attempt"
	sealDenied  = "denied"
)

var errSealed = errors.New("session: not sealed by a key of ours, or not for this place")

// keyring has the keys in force. A reload may set others.
type keyring struct{ keys atomic.Pointer[derived] }

// derived is what is made of the configured keys: a ring for what is stored, another for
// what browsers keep of an attempt, and for each key two more.
type derived struct {
	store, attempt *seal.Named
	each           []eachKey
}

// eachKey is what is made of one configured key beside the rings.
type eachKey struct{ display, index []byte }

// same reports whether both are of one configured key.
func (k eachKey) same(other eachKey) bool { return bytes.Equal(k.index, other.index) }

func newKeyring(keys [][]byte) (*keyring, error) {
	if len(keys) == 0 {
		keys = [][]byte{seal.Own()}
	}
	d, err := derive(keys)
	if err != nil {
		return nil, err
	}
	k := &keyring{}
	k.keys.Store(d)
	return k, nil
}

func derive(keys [][]byte) (*derived, error) {
	var d derived
	var err error
	if d.store, err = seal.NewNamed(keys, "session store", "session name"); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if d.attempt, err = seal.NewNamed(keys, "session attempt", "session name"); err != nil {
		return nil, err
	}
	for _, secret := range keys {
		var one eachKey
		if one.display, err = seal.Derive(secret, "session display", 32); err != nil {
			return nil, err
		}
		if one.index, err = seal.Derive(secret, "session index", 32); err != nil {
			return nil, err
		}
		d.each = append(d.each, one)
	}
	return &d, nil
}

// all are the keys in force: the first seals.
func (k *keyring) all() []eachKey { return k.keys.Load().each }

func (d *derived) ring(purpose string) *seal.Named {
	if purpose == sealAttempt {
		return d.attempt
	}
	return d.store
}

// seal encrypts with the first key. What is sealed opens only for the same purpose
// in the same place, such as the key in the store.
func (k *keyring) seal(purpose, place string, plain []byte) []byte {
	return k.keys.Load().ring(purpose).Seal(bound(purpose, place), plain)
}

// open decrypts with the key that the text names.
func (k *keyring) open(purpose, place string, sealed []byte) ([]byte, error) {
	plain, ok := k.keys.Load().ring(purpose).Open(bound(purpose, place), sealed)
	if !ok {
		return nil, errSealed
	}
	return plain, nil
}

// knows reports whether a stored text names a key that is in force.
func (k *keyring) knows(sealed []byte) bool { return k.keys.Load().store.Knows(sealed) }

// indexes names an index by each key: an entry of before a rotation is under a name
// of its time.
func (k *keyring) indexes(kind string, parts ...string) []string {
	keys := k.all()
	names := make([]string, len(keys))
	for i, d := range keys {
		names[i] = kind + ":" + text(mac(d.index, append([]string{kind}, parts...)...))
	}
	return names
}

// index is the name under which an entry of now is found.
func (k *keyring) index(kind string, parts ...string) string { return k.indexes(kind, parts...)[0] }

func bound(purpose, place string) []byte { return joined("catflap", purpose, place) }

// mac is HMAC-SHA-256 over the parts, each with its length before it.
func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(joined(parts...))
	return h.Sum(nil)
}

// hash is SHA-256 over the parts, each with its length before it.
func hash(parts ...string) string {
	sum := sha256.Sum256(joined(parts...))
	return text(sum[:])
}

func joined(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// secretSize is 256 bits: of ids, tickets and what names a browser.
const secretSize = 32

// secretText is the length of their text.
const secretText = 43

func newSecret() string {
	b := make([]byte, secretSize)
	rand.Read(b) // never fails
	return text(b)
}

// isSecret reports the form of newSecret's texts, of which each has just one.
func isSecret(s string) bool {
	if len(s) != secretText {
		return false
	}
	b, err := base64url.Decode(s)
	return err == nil && len(b) == secretSize
}

func text(b []byte) string { return base64url.Encode(b) }
