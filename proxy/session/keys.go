package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
)

// minKey is the least length of a key, in bytes: that of its whole strength.
const minKey = 32

// The form of a sealed text: a version, the name of the key, and what AES-GCM
// yields, its random nonce first. NIST SP 800-38D allows 2^32 of them for each key.
const (
	sealVersion = 1
	keyNameSize = 8
	sealHead    = 1 + keyNameSize
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

// keyring derives from each configured key one for each use (RFC 5869). A reload may
// set others.
type keyring struct{ keys atomic.Pointer[[]derived] }

type derived struct {
	name           [keyNameSize]byte
	store, attempt cipher.AEAD
	display, index []byte
}

func newKeyring(keys [][]byte) (*keyring, error) {
	if len(keys) == 0 {
		keys = [][]byte{ownKey()}
	}
	list, err := deriveAll(keys)
	if err != nil {
		return nil, err
	}
	k := &keyring{}
	k.keys.Store(&list)
	return k, nil
}

// ownKey is one of this process alone.
func ownKey() []byte {
	one := make([]byte, minKey)
	rand.Read(one) // never fails
	return one
}

// all are the keys in force: the first seals.
func (k *keyring) all() []derived { return *k.keys.Load() }

func deriveAll(keys [][]byte) ([]derived, error) {
	var list []derived
	for i, secret := range keys {
		if len(secret) < minKey {
			return nil, fmt.Errorf("session: key %d has %d bytes; it needs at least %d", i, len(secret), minKey)
		}
		d, err := derive(secret)
		if err != nil {
			return nil, err
		}
		list = append(list, *d)
	}
	return list, nil
}

func derive(secret []byte) (*derived, error) {
	use := func(what string, size int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "catflap session "+what, size)
	}
	var d derived
	name, err := use("name", keyNameSize)
	if err != nil {
		return nil, err
	}
	copy(d.name[:], name)
	for what, aead := range map[string]*cipher.AEAD{"store": &d.store, "attempt": &d.attempt} {
		key, err := use(what, 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		if *aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
	}
	if d.display, err = use("display", 32); err != nil {
		return nil, err
	}
	d.index, err = use("index", 32)
	return &d, err
}

func (d *derived) aead(purpose string) cipher.AEAD {
	if purpose == sealAttempt {
		return d.attempt
	}
	return d.store
}

// seal encrypts with the first key. What is sealed opens only for the same purpose
// in the same place, such as the key in the store.
func (k *keyring) seal(purpose, place string, plain []byte) []byte {
	d := &k.all()[0]
	sealed := append([]byte{sealVersion}, d.name[:]...)
	return d.aead(purpose).Seal(sealed, nil, plain, bound(purpose, place)) //nolint:gosec // the nonce is made by the AEAD itself
}

// open decrypts with the key that the text names.
func (k *keyring) open(purpose, place string, sealed []byte) ([]byte, error) {
	if len(sealed) < sealHead || sealed[0] != sealVersion {
		return nil, errSealed
	}
	for _, d := range k.all() {
		if [keyNameSize]byte(sealed[1:sealHead]) != d.name {
			continue
		}
		if plain, err := d.aead(purpose).Open(nil, nil, sealed[sealHead:], bound(purpose, place)); err == nil {
			return plain, nil
		}
	}
	return nil, errSealed
}

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
	b, err := untext(s)
	return err == nil && len(b) == secretSize
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// untext takes the one text of some bytes: no line ends, which the decoder would
// skip, and no other last character.
func untext(s string) ([]byte, error) {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			return nil, base64.CorruptInputError(i)
		}
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}
