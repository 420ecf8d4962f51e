// Package base64url reads and writes bytes as RFC 4648 §5 has it.
//
// The rule it guards: bytes have one text, and any other text is refused. Else a stranger
// could write what is known under a second text, and what is found or counted by its text
// would not be found. The decoder of the standard library takes line ends even where it
// is strict.
//
// It keeps nothing, starts no goroutine and holds no lock.
package base64url

import (
	"encoding/base64"
	"errors"
	"strings"
)

// The encodings that take no spare bits. Each has a table, so it is made once.
var (
	raw    = base64.RawURLEncoding.Strict()
	padded = base64.URLEncoding.Strict()
)

var errLineEnd = errors.New("a line end within base64url")

// Encode returns the text, without padding.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Decode returns the bytes of a text without padding.
func Decode(text string) ([]byte, error) { return decode(raw, text) }

// DecodePadded returns the bytes of a text whose padding has to be there.
func DecodePadded(text string) ([]byte, error) { return decode(padded, text) }

func decode(e *base64.Encoding, text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errLineEnd
	}
	return e.DecodeString(text)
}
