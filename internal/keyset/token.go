package keyset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/catflap/catflap/internal/base64url"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

const (
	// MaxTokenBytes bounds a token of a stranger, before anything of it is read.
	MaxTokenBytes = 16 << 10
	// MaxAnsweredBytes bounds one that the issuer itself has given us.
	MaxAnsweredBytes = 256 << 10
)

// maxKeyIDBytes bounds a kid. Real ones are hashes, UUIDs and short names.
const maxKeyIDBytes = 512

// ErrMalformed is wrapped by the error for a text that is no signed token in
// compact form.
var ErrMalformed = errors.New("no signed token in compact form")

// Token is a signed token in compact form (RFC 7515 §3.1) that nobody has verified.
type Token struct {
	// Members are those of the header, as the stranger wrote them.
	Members strictjson.Object
	// Payload is the decoded second part.
	Payload string

	signed    string
	signature []byte
}

// Header is what a token's header says, as far as anybody reads it.
type Header struct {
	Algorithm string // Canonical; "" when alg is missing or no string
	KeyID     string
	Type      string
}

// ParseToken takes a token apart: at most MaxTokenBytes, exactly three parts of
// strict base64url, of which the first is a JSON object. Encrypted tokens (five
// parts) and the JSON serialisation are none.
func ParseToken(text string) (*Token, error) { return ParseTokenUpTo(text, MaxTokenBytes) }

// ParseTokenUpTo is ParseToken with another bound.
func ParseTokenUpTo(text string, most int) (*Token, error) {
	return parse(text, most, base64url.Decode)
}

// parse takes a token apart whose parts are of the form that decode reads.
func parse(text string, most int, decode func(string) ([]byte, error)) (*Token, error) {
	if len(text) > most {
		return nil, malformed(fmt.Sprintf("larger than %d KiB", most>>10))
	}
	// Not strings.Split: a text of dots would cost a slice of them (CVE-2025-30204).
	head, rest, ok := strings.Cut(text, ".")
	if !ok {
		return nil, malformed("not three parts")
	}
	body, mac, ok := strings.Cut(rest, ".")
	if !ok || strings.IndexByte(mac, '.') >= 0 {
		return nil, malformed("not three parts")
	}
	header, err := decode(head)
	if err != nil {
		return nil, malformed("the header is no base64url")
	}
	payload, err := decode(body)
	if err != nil {
		return nil, malformed("the payload is no base64url")
	}
	signature, err := decode(mac)
	if err != nil {
		return nil, malformed("the signature is no base64url")
	}
	t := &Token{Payload: string(payload), signed: text[:len(head)+1+len(body)], signature: signature}
	if t.Members, err = strictjson.ParseObject(string(header), maxDepth); err != nil {
		return nil, malformed("the header is " + err.Error())
	}
	return t, nil
}

// Header reads the header. It refuses each extension that must be understood
// (crit, RFC 7515 §4.1.11), an unencoded payload (b64, RFC 7797), compression
// (zip) and a token inside of the token (cty), none of which is supported.
func (t *Token) Header() (Header, error) {
	var h Header
	for i := range t.Members {
		m := &t.Members[i]
		text, isText := m.Value.Str()
		switch m.Name {
		case "alg":
			h.Algorithm = Canonical(text)
		case "typ":
			if !isText {
				return Header{}, malformed("typ is no string")
			}
			h.Type = text
		case "kid":
			if !isText || len(text) > maxKeyIDBytes {
				return Header{}, malformed("kid is no string, or too long")
			}
			h.KeyID = text
		case "crit", "b64", "zip":
			return Header{}, malformed("the header has " + m.Name)
		case "cty":
			kind := strings.ToLower(text)
			if !isText || kind == "jwt" || kind == "application/jwt" {
				return Header{}, malformed("the token holds a token")
			}
		default:
			if lookAlike(m.Name) {
				return Header{}, malformed("the header has a look-alike of a known name")
			}
		}
	}
	return h, nil
}

// lookAlike reports a name that a careless decoder would take for one of those
// that decide, such as Alg. We read exact names only; nobody writes these in good
// faith.
func lookAlike(name string) bool {
	for _, known := range []string{"alg", "typ", "kid", "crit", "b64", "zip", "cty"} {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

type malformedError struct{ problem string }

func malformed(problem string) error { return &malformedError{problem} }

func (e *malformedError) Error() string { return e.problem }
func (e *malformedError) Unwrap() error { return ErrMalformed }
