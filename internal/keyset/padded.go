package keyset

import "github.com/catflap/catflap/internal/base64url"

// ParsePadded is ParseToken for tokens as the load balancers of AWS write them: each
// part is base64url with its padding, which RFC 7515 leaves out. What RFC 7515 would
// take is no such token, unless no part needs padding.
func ParsePadded(text string) (*Token, error) {
	return parse(text, MaxTokenBytes, base64url.DecodePadded)
}
