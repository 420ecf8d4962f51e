package jwt

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset/groupclaim"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// maxNameBytes bounds the name that people read.
const maxNameBytes = 200

// identity makes a person of claims.
type identity struct {
	issuer     string
	user, name strictjson.Path
	groups     groupclaim.Reader
	email      bool // the user is the e-mail address
	lower      bool // which is read in lower case
	retained   []strictjson.Path
}

// person returns who the claims say that it is, but for the expiry. Its texts are
// those of the payload, and keep all of it in memory until they are copied.
func (id *identity) person(claims strictjson.Object) (authhandlers.AuthUserInfo, error) {
	info := authhandlers.AuthUserInfo{Issuer: id.issuer}
	var err error
	if info.Subject, err = id.subject(claims); err != nil {
		return info, err
	}
	info.Name = id.displayName(claims)
	info.SessionID = id.session(claims)
	info.Groups = id.groups.Of(claims)
	info.Claims = id.retainedOf(claims)
	return info, nil
}

// retainedOf reads the claims that the configuration grants by.
func (id *identity) retainedOf(claims strictjson.Object) map[string][]string {
	var all map[string][]string
	for _, p := range id.retained {
		v, _ := claims.At(p)
		if values := retained(v); values != nil {
			if all == nil {
				all = make(map[string][]string, len(id.retained))
			}
			all[p.String()] = values
		}
	}
	return all
}

// subject reads the claim that names the person, and proves that an id can be made
// of it, so that no signature is computed for one that can't.
func (id *identity) subject(claims strictjson.Object) (string, error) {
	v, ok := claims.At(id.user)
	if !ok {
		return "", invalid("the claim with the user id is missing")
	}
	subject, ok := v.Str()
	if !ok || subject == "" {
		return "", invalid("the claim with the user id is no string, or empty")
	}
	if id.email {
		// Exactly true: an address that anybody could have typed in is nobody's.
		if v, _ := claims.Get("email_verified"); v.Text() != "true" {
			return "", invalid("email_verified is not true")
		}
	}
	if id.lower {
		subject = lowerASCII(subject)
	}
	if _, err := authhandlers.UserID("", subject); err != nil {
		return "", reject(authhandlers.CodeInvalidUserID, "the token's subject can't be used as a user id", "%w", err)
	}
	return subject, nil
}

// lowerASCII leaves every other letter as it is: some of Unicode's fold into ASCII,
// such as the Kelvin sign into k, and would make somebody else's address of one.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func (id *identity) displayName(claims strictjson.Object) string {
	v, _ := claims.At(id.name)
	name, _ := v.Str()
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	if len(name) <= maxNameBytes {
		return name
	}
	cut := maxNameBytes
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut]
}

// session reads sid (OpenID Connect Front-Channel Logout §3), by which a logout
// finds the person's sockets.
func (id *identity) session(claims strictjson.Object) string {
	v, _ := claims.Get("sid")
	sid, _ := v.Str()
	return sid
}

// retained returns what of a claim may be granted by: a text, a list of texts, or
// the JSON text of a number or of true and false.
func retained(v strictjson.Value) []string {
	if text, ok := v.Str(); ok {
		return []string{text}
	}
	if list, ok := v.Strings(); ok {
		return list
	}
	if _, isBool := v.Bool(); isBool || v.IsNumber() {
		return []string{v.Text()}
	}
	return nil
}
