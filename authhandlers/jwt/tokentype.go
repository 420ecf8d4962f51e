package jwt

import (
	"strings"

	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// tokenType tells access tokens from the other tokens that an issuer signs with
// the same key, by the marks that real issuers leave in the claims: Keycloak's typ,
// Cognito's token_use, and what only an ID token, a logout token or a token that is
// bound to a key has. It reports whether the token is an ID token, and refuses what
// is not accepted.
func (j *judge) tokenType(claims strictjson.Object) (isID bool, err error) {
	if _, ok := claims.Get("events"); ok { // RFC 8417 §2.2, Back-Channel Logout §2.4
		return false, wrongType("this is no access token", "events marks a logout or security event token")
	}
	if v, ok := claims.Get("cnf"); ok {
		// RFC 9449 §7.1, RFC 8705 §3: a service that takes it must check the proof, which
		// Catflap can't; to take it as a bearer token would undo the binding.
		if o, ok := v.Object(); !ok || len(o) > 0 {
			return false, wrongType("the token is bound to a key of its client; a plain bearer token is needed", "cnf binds the token")
		}
	}
	declared := ""
	for _, name := range []string{"typ", "token_use"} {
		v, ok := claims.Get(name)
		if !ok {
			continue
		}
		text, ok := v.Str()
		if !ok {
			return false, invalid(name + " is no string")
		}
		switch strings.ToLower(text) {
		case "refresh", "offline", "logout":
			return false, wrongType("this is no access token", "%s is %s", name, quote(text))
		case "id":
			declared = "id"
		case "bearer", "access", "at+jwt":
			if declared == "" {
				declared = "access"
			}
		}
	}
	if declared == "access" || declared == "" && !looksLikeID(claims) {
		return false, nil
	}
	if !j.idTokens {
		return true, wrongType("this is an ID token; send the access token", "the claims are those of an ID token, and accept_id_tokens is off")
	}
	return true, nil
}

// looksLikeID goes by what OpenID Connect Core §2 and §3.3.2.11 put into ID tokens
// alone. Issuers that leave such claims in access tokens either declare these
// (older Keycloak: nonce beside typ Bearer) or need accept_id_tokens (Dex: at_hash).
func looksLikeID(claims strictjson.Object) bool {
	for _, name := range []string{"nonce", "at_hash", "c_hash"} {
		if _, ok := claims.Get(name); ok {
			return true
		}
	}
	return false
}
