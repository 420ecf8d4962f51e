package keyfile

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// Prefix begins each key.
const Prefix = authhandlers.KeyPrefix

// The lengths of a key's parts, in characters: catflap_ID_SECRETCHECKSUM. Five bits
// stand in each, so that an id has 40 bits, and a secret 256.
const (
	idLength     = 8
	secretLength = 52
	sumLength    = 7
	keyLength    = len(Prefix) + idLength + 1 + secretLength + sumLength
)

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

var text = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// Key is the text of a key, which is a secret, and what the file keeps of it.
type Key struct {
	Text string
	ID   string
	Hash Hash
}

// Hash is the SHA-256 of a key's whole text.
type Hash [sha256.Size]byte

// NewKey makes a key of random bits.
func NewKey() Key {
	id, secret := make([]byte, 5), make([]byte, 32)
	rand.Read(id) // never fails
	rand.Read(secret)
	k := Key{ID: text.EncodeToString(id)}
	k.Text = Prefix + k.ID + "_" + text.EncodeToString(secret)
	k.Text += checksum(k.Text)
	k.Hash = HashOf(k.Text)
	return k
}

// HashOf is the hash of a key's text.
func HashOf(key string) Hash { return sha256.Sum256([]byte(key)) }

// IDOf returns the id that a key names. The error says what is wrong with its form, and
// holds nothing of the key: a checksum tells a mistyped key from an unknown one.
func IDOf(key string) (string, error) {
	switch {
	case !strings.HasPrefix(key, Prefix):
		return "", errors.New("a key begins with " + Prefix + ", in lower case")
	case len(key) != keyLength:
		return "", fmt.Errorf("it has %d characters, and a key has %d: it is cut, or something is glued to it", len(key), keyLength)
	}
	id, rest, _ := strings.Cut(key[len(Prefix):], "_")
	switch {
	case !IsID(id) || strings.Trim(rest, alphabet) != "":
		return "", errors.New("it holds a character that no key has there")
	case checksum(key[:keyLength-sumLength]) != key[keyLength-sumLength:]:
		return "", errors.New("its checksum does not fit: a character is wrong")
	}
	return id, nil
}

// IsID reports the form of a key's id.
func IsID(s string) bool { return len(s) == idLength && strings.Trim(s, alphabet) == "" }

func checksum(of string) string {
	return text.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(of))))
}
