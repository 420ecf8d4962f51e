package anonymous

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/catflap/catflap/internal/base64url"
	"github.com/catflap/catflap/internal/seal"
)

// The form of a cookie: version, name of the key, id, when the guest was made and
// when this cookie was, in Unix seconds, and HMAC-SHA-256 over all of that.
const (
	passVersion = 1
	nameSize    = 8
	idSize      = 16
	factsSize   = 1 + nameSize + idSize + 8 + 8
	passSize    = factsSize + sha256.Size
)

var (
	errForm   = errors.New("the guest's cookie is malformed")
	errForged = errors.New("the guest's cookie is of no key of ours")
)

// pass is what a guest's cookie says.
type pass struct {
	key          [nameSize]byte
	id           [idSize]byte
	made, sealed int64
}

// newPass is a new guest's.
func newPass(now time.Time) pass {
	p := pass{made: now.Unix(), sealed: now.Unix()}
	rand.Read(p.id[:]) // never fails
	return p
}

// subject is by what the Cat knows the guest: a hash, so that nothing of the cookie
// is ever told there.
func (p pass) subject() string {
	sum := sha256.Sum256(append([]byte("catflap guest subject "), p.id[:]...))
	return hex.EncodeToString(sum[:idSize])
}

// facts are all of a pass but what proves it.
func (p pass) facts() []byte {
	b := append([]byte{passVersion}, p.key[:]...)
	b = append(b, p.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.made))      //nolint:gosec // back and forth
	return binary.BigEndian.AppendUint64(b, uint64(p.sealed)) //nolint:gosec // back and forth
}

func readFacts(b []byte) (pass, error) {
	var p pass
	if len(b) != factsSize || b[0] != passVersion {
		return p, errForm
	}
	b = b[1+copy(p.key[:], b[1:]):]
	b = b[copy(p.id[:], b):]
	p.made, p.sealed = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:])) //nolint:gosec // back and forth
	return p, nil
}

// evidence is the facts as text: a ticket holds it as JSON.
func (p pass) evidence() string { return base64url.Encode(p.facts()) }

func readEvidence(text string) (pass, error) {
	b, err := base64url.Decode(text)
	if err != nil {
		return pass{}, errForm
	}
	return readFacts(b)
}

// ring are the keys by which passes are made, and verified.
type ring []ringKey

type ringKey struct {
	name [nameSize]byte
	key  []byte
}

// newRing takes keys of 32 bytes at least. Without any it makes one.
func newRing(keys [][]byte) ring {
	if len(keys) == 0 {
		keys = [][]byte{seal.Own()}
	}
	var r ring
	for _, k := range keys {
		r = append(r, ringKey{name: [nameSize]byte(sum(k, "name", nil)), key: k})
	}
	return r
}

func sum(key []byte, what string, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("catflap guest " + what + "\x00"))
	h.Write(b)
	return h.Sum(nil)
}

// seal makes the cookie of a pass with the first key.
func (r ring) seal(p pass) string {
	p.key = r[0].name
	b := p.facts()
	return base64url.Encode(append(b, sum(r[0].key, "pass", b)...))
}

// open reads a cookie. Each pass has just one text.
func (r ring) open(text string) (pass, error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(passSize) {
		return pass{}, errForm
	}
	b, err := base64url.Decode(text)
	if err != nil || len(b) != passSize {
		return pass{}, errForm
	}
	p, err := readFacts(b[:factsSize])
	if err != nil {
		return pass{}, err
	}
	if k := r.key(p.key); k == nil || !hmac.Equal(b[factsSize:], sum(k, "pass", b[:factsSize])) {
		return pass{}, errForged
	}
	return p, nil
}

// key returns the key of a name, or nil.
func (r ring) key(name [nameSize]byte) []byte {
	for _, k := range r {
		if k.name == name {
			return k.key
		}
	}
	return nil
}
