package keyset

import (
	"encoding/base64"
	"errors"
	"strings"
)

// paddedBase64 takes one spelling of each value, too: the padding has to be there.
var paddedBase64 = base64.URLEncoding.Strict()

// ParsePadded is ParseToken for tokens as the load balancers of AWS write them: each
// part is base64url with its padding, which RFC 7515 leaves out. What RFC 7515 would
// take is no such token, unless no part needs padding.
func ParsePadded(text string) (*Token, error) {
	return parse(text, MaxTokenBytes, func(part string) ([]byte, error) {
		if strings.ContainsAny(part, "\r\n") {
			return nil, errors.New("a line end within base64url")
		}
		return paddedBase64.DecodeString(part)
	})
}
