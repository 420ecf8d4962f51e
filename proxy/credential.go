package proxy

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// The ways in which the credentials of a request can be wrong. The texts are told
// to the client, and hold nothing of what it sent.
var (
	errTwoCredentials   = errors.New("the request carries two different credentials; send one")
	errAuthorizationTwo = errors.New("the request carries more than one Authorization line; send one")
	errCredentialForm   = errors.New("the credential is malformed: after the scheme one space and one token are due")
	errLegacyForm       = errors.New("the token header must hold one token")
)

// bearerProtocol is the sub-protocol that announces a token: a browser's page,
// which can set no header on a WebSocket, offers it and the token behind it.
const bearerProtocol = "bearer"

// readCredential collects what the client presented, in every carrier. Empty ones
// are absent and equal ones are one; two different ones are an error (RFC 6750
// §2). Query and sub-protocol are carriers on the WebSocket only.
//
// foreign is what stands in Authorization under a scheme that nobody here asks for: a
// front proxy's Basic, say. It is no credential of ours, and stands beside one.
func readCredential(r *http.Request, t *target, socket, query bool, ours []string) (found, foreign *authhandlers.Credential, err error) {
	take := func(c authhandlers.Credential) error {
		if found != nil && (found.Scheme != c.Scheme || found.Value != c.Value) {
			return errTwoCredentials
		}
		if found == nil {
			found = &c
		}
		return nil
	}
	c, err := readAuthorization(r.Header["Authorization"])
	switch {
	case err != nil:
		return nil, nil, err
	case c != nil && c.Bearer(), c != nil && slices.Contains(ours, c.Scheme):
		found = c
	default:
		foreign = c
	}
	for _, value := range r.Header[http.CanonicalHeaderKey(cat.TokenHeader)] {
		if value == "" {
			continue
		}
		if !tokenForm(value) {
			return nil, nil, errLegacyForm
		}
		if err := take(authhandlers.Credential{Scheme: "bearer", Value: value, Carrier: authhandlers.CarrierLegacyHeader}); err != nil {
			return nil, nil, err
		}
	}
	if !socket {
		return found, foreign, nil
	}
	if query {
		for _, value := range t.tokens {
			if err := take(authhandlers.Credential{Scheme: "bearer", Value: value, Carrier: authhandlers.CarrierQuery}); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, value := range protocolTokens(r.Header) {
		if err := take(authhandlers.Credential{Scheme: "bearer", Value: value, Carrier: authhandlers.CarrierSubprotocol}); err != nil {
			return nil, nil, err
		}
	}
	return found, foreign, nil
}

// readAuthorization returns what stands in Authorization; nil: nothing.
func readAuthorization(lines []string) (*authhandlers.Credential, error) {
	if len(lines) > 1 {
		return nil, errAuthorizationTwo
	}
	if len(lines) == 0 || lines[0] == "" {
		return nil, nil //nolint:nilnil // nothing is no error
	}
	scheme, value, _ := strings.Cut(lines[0], " ")
	scheme = strings.ToLower(scheme)
	switch {
	case scheme == "bearer" && value == "":
		return nil, nil //nolint:nilnil // an empty one is absent
	case value == "" && knownScheme(scheme) == "", scheme == "bearer" && !tokenForm(value):
		return nil, errCredentialForm
	}
	return &authhandlers.Credential{Scheme: scheme, Value: value, Carrier: authhandlers.CarrierAuthorization}, nil
}

// knownScheme returns the usual spelling of an authentication scheme (IANA's registry,
// and those that clients are seen to send), or nothing: a stranger's text is not told
// or logged, since it may be a key that was sent without a scheme.
func knownScheme(scheme string) string {
	for _, known := range [...]string{
		"Basic", "Digest", "Negotiate", "NTLM", "Kerberos", "DPoP", "GNAP", "HOBA", "Mutual", "OAuth", "PrivateToken", "SCRAM-SHA-1",
		"SCRAM-SHA-256", "Signature", "vapid", "Concealed", "AWS4-HMAC-SHA256", "Token", "ApiKey", "JWT", "Hawk",
	} {
		if strings.EqualFold(scheme, known) {
			return known
		}
	}
	return ""
}

// tokenForm is the b64token of RFC 6750 §2.1: no white space, no comma, no quote.
func tokenForm(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 128 || tokenBytes[c>>6]&(1<<(c&63)) == 0 {
			return false
		}
	}
	return s != ""
}

// tokenBytes are the characters of a b64token as bits: the digits, +, -, ., / and
// = in the first half of ASCII, the letters, _ and ~ in the second.
const (
	tokenBytesLow  = 0x3ff<<'0' | 1<<'+' | 1<<'-' | 1<<'.' | 1<<'/' | 1<<'='
	tokenBytesHigh = 0x3ffffff<<('A'-64) | 0x3ffffff<<('a'-64) | 1<<('_'-64) | 1<<('~'-64)
)

var tokenBytes = [2]uint64{tokenBytesLow, tokenBytesHigh}

// protocolTokens returns each entry that stands right behind "bearer" in the offered
// sub-protocols, and each later one that can be nothing but a signed token. The others
// behind it are protocols again.
func protocolTokens(h http.Header) []string {
	offered := offeredProtocols(h)
	var tokens []string
	for i, p := range offered {
		behind := i > 0 && offered[i-1] == bearerProtocol
		if behind || len(tokens) > 0 && strings.HasPrefix(p, "eyJ") && strings.Count(p, ".") == 2 {
			tokens = append(tokens, p)
		}
	}
	return tokens
}

func offeredProtocols(h http.Header) []string {
	var offered []string
	for _, line := range h["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(line, ",") {
			if p = strings.TrimSpace(p); p != "" {
				offered = append(offered, p)
			}
		}
	}
	return offered
}
