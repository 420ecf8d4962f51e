package attributes

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/catflap/catflap/authhandlers"
)

// maxPayload bounds what is said of a person, in bytes of JSON: 300 groups named by 50
// letters each. The token is a third larger, which every server takes in a header.
const maxPayload = 17 << 10

// maxClaimName bounds the path of a claim.
const maxClaimName = 200

// leftOutClaim names what was too large for the token.
const leftOutClaim = "left_out"

// The claims that are no claim of a provider's, but what the handler has made of one.
const (
	nameClaim   = "name"
	groupsClaim = "groups"
)

// texts are the claims that OpenID Connect defines as one text (Core §5.1). Any other is a
// list, also of one: a plugin that looks for a value in a text would find a part of it.
func texts() []string {
	return []string{
		nameClaim, "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email", "gender",
		"birthdate", "zoneinfo", "locale", "phone_number",
	}
}

// truths are those that it defines as true or false.
func truths() []string { return []string{"email_verified", "phone_number_verified"} }

// RefuseClaim says why a claim is never among the attributes; empty means that it may be.
func RefuseClaim(name string) (reason string) {
	steps := strings.ReplaceAll(name, `\.`, "x")
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxClaimName:
		return "is too long"
	case !strings.Contains(name, "://") && slices.Contains(strings.Split(steps, "."), ""):
		return "has an empty step"
	}
	switch name {
	case "sub":
		return "is the user id at the Cat, and always there"
	case "iss", "aud", "exp", "iat", "nbf", "jti", leftOutClaim:
		return "is a claim of the token itself"
	}
	return ""
}

// FromProvider are those of the claims that a handler has to keep of its credential.
func FromProvider(claims []string) []string {
	return slices.DeleteFunc(slices.Clone(claims), func(name string) bool { return name == nameClaim || name == groupsClaim })
}

// fingerprint is equal for equal claimsOf alone.
func (s *Signer) fingerprint(u *authhandlers.AuthUserInfo) [sha256.Size]byte {
	b := make([]byte, 0, 512)
	list := func(values []string) {
		b = binary.AppendUvarint(b, uint64(len(values)))
		for _, v := range values {
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		}
	}
	list([]string{u.ID, u.Name})
	list(u.Groups)
	for _, name := range s.o.Claims {
		list(u.Claims[name])
	}
	return sha256.Sum256(b)
}

// claimsOf is what is said of u, but for the time.
func (s *Signer) claimsOf(u *authhandlers.AuthUserInfo) jwt.MapClaims {
	all := jwt.MapClaims{"iss": s.o.Issuer, "aud": Audience, "sub": u.ID}
	for _, name := range s.o.Claims {
		values := u.Claims[name]
		switch {
		case name == nameClaim:
			if u.Name != "" {
				all[name] = u.Name
			}
		case name == groupsClaim:
			all[name] = append([]string{}, u.Groups...) // an empty list, and never null
		case len(values) == 0:
		case slices.Contains(texts(), name):
			if len(values) == 1 {
				all[name] = values[0]
			}
		case slices.Contains(truths(), name):
			all[name] = len(values) == 1 && values[0] == "true"
		default:
			all[name] = values
		}
	}
	return all
}

// largest names the largest of what can be left out; empty: nothing is left.
func largest(claims jwt.MapClaims) (name string) {
	most := 0
	for n, v := range claims {
		size := 0
		switch v := v.(type) {
		case []string:
			for _, text := range v {
				size += len(text) + 3
			}
		case string:
			size = len(v)
		}
		if RefuseClaim(n) == "" && (size > most || size == most && n < name) {
			name, most = n, size
		}
	}
	return name
}
