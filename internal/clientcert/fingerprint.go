package clientcert

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
)

// Fingerprint names a certificate, as `openssl x509 -fingerprint -sha256` does.
type Fingerprint [sha256.Size]byte

// FingerprintOf is a certificate's.
func FingerprintOf(c *x509.Certificate) Fingerprint { return sha256.Sum256(c.Raw) }

// ParseFingerprint reads 64 hexadecimal digits, in either case, with colons or without.
func ParseFingerprint(text string) (f Fingerprint, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) != len(f) {
		return f, errors.New("it is no SHA-256 fingerprint: 64 hexadecimal digits, with colons or without")
	}
	return Fingerprint(b), nil
}
