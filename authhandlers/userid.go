package authhandlers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The bounds of scheme cid1.
const (
	MaxUserIDBytes  = 200  // of the canonical id; a file name of the Cat must stay under 255
	MaxSubjectBytes = 1024 // of the claim that names the person
)

// Reserved ids mean somebody or nobody at the Cat by themselves, in any case of letters.
var reserved = [...]string{"user", "admin", "system", "anonymous", "root", "default", "none", "null", "undefined"}

// AnonymousID is the user id of requests to public endpoints. It is reserved:
// no person's id equals it.
const AnonymousID = "anonymous"

var aliasForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,30}\z`)

// UserIDError says why a subject can't be made a user id.
type UserIDError struct {
	// Reason is one of empty, too_long, not_unicode, replacement_character and
	// control_character.
	Reason string
}

func (e *UserIDError) Error() string { return "the subject is no user id: " + e.Reason }

// ValidAlias reports an alias that can't stand before a user id. The empty alias
// is valid; that it is used for one issuer only is the configuration's to check.
func ValidAlias(alias string) error {
	if alias != "" && !aliasForm.MatchString(alias) {
		return fmt.Errorf("%q is no alias: lower-case letters, digits and -, not first, at most 31", alias)
	}
	return nil
}

// UserID computes the canonical user id (scheme cid1) of a subject: the same
// octets in the Cat's header, in its WebSocket path, and as a file name there.
//
// It is injective (no two pairs of alias and subject share an id, up to SHA-256
// for over-long ones), depends on nothing else, and never yields a reserved id,
// a dot segment, or a character that any hop would escape. The error is a
// *UserIDError or that of ValidAlias.
func UserID(alias, subject string) (string, error) {
	if err := ValidAlias(alias); err != nil {
		return "", err
	}
	return userID(alias, subject, collides)
}

func userID(alias, subject string, collides func(subject string) bool) (string, error) {
	if err := checkSubject(subject); err != nil {
		return "", err
	}
	escaped := escape(subject, alias == "" && collides(subject))
	prefix := ""
	if alias != "" {
		prefix = alias + ":"
	}
	if len(prefix)+len(escaped) > MaxUserIDBytes {
		sum := sha256.Sum256([]byte(subject))
		escaped = "~~" + hex.EncodeToString(sum[:])
	}
	return prefix + escaped, nil
}

func checkSubject(s string) error {
	switch {
	case s == "":
		return &UserIDError{Reason: "empty"}
	case len(s) > MaxSubjectBytes:
		return &UserIDError{Reason: "too_long"}
	case !utf8.ValidString(s):
		return &UserIDError{Reason: "not_unicode"}
	}
	for _, r := range s {
		switch {
		case r == utf8.RuneError:
			return &UserIDError{Reason: "replacement_character"}
		case r < 0x20, r >= 0x7f && r <= 0x9f:
			return &UserIDError{Reason: "control_character"}
		}
	}
	return nil
}

// collidesOwn is collides for the Cat's own users, whose names admin and user mean these
// very users there. Nobody's id is nobody's in any case.
func collidesOwn(subject string) bool {
	nobody := len(subject) == len(AnonymousID) && equalFoldASCII(subject, AnonymousID)
	return nobody || subject[0] == '.' || subject[0] == '-'
}

// collides reports a subject which, written bare, would be a reserved id, a
// hidden file or an option. No reserved id holds an escape, so comparing the
// subject itself is comparing what would be written.
func collides(subject string) bool {
	if subject[0] == '.' || subject[0] == '-' {
		return true
	}
	for _, r := range reserved {
		if len(subject) == len(r) && equalFoldASCII(subject, r) {
			return true
		}
	}
	return false
}

// equalFoldASCII compares without the Unicode folds (U+017F to s, U+212A to k)
// that strings.EqualFold does.
func equalFoldASCII(s, lower string) bool {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func escape(s string, first bool) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if literal(c) && (i > 0 || !first) {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'~', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

func literal(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '@' || c == '.' || c == '_' || c == '-'
}
