package cat

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The Cat's wire names.
const (
	// UserIDHeader is the header that the Cat believes. Go's canonical form of it
	// (User_id) means the same to the Cat, so both must never stand side by side.
	UserIDHeader = "user_id"
	// TokenHeader is the Cat's legacy header for a key or a token.
	TokenHeader = "access_token"
	// TokenParameter is the query parameter of the WebSocket's credential.
	TokenParameter = "token"
	// PanelCookie is the cookie of the admin panel.
	PanelCookie = "ccat_user_token"
	// TokenCookie is the cookie of the Cat 2.
	TokenCookie = "access_token"

	// PanelPath is where the admin panel's pages are.
	PanelPath = "/admin"

	// LoginForm and LoginToken are where the Cat takes a name and a password: as a form
	// of a browser, and as JSON of a program.
	LoginForm  = "/auth/login"
	LoginToken = "/auth/token"

	chatPath = "/ws/"
)

// OwnLogin reports a path at which the Cat signs in people of its own.
func OwnLogin(path string) bool {
	switch strings.TrimSuffix(path, "/") {
	case LoginForm, LoginToken, "/auth/logout":
		return true
	}
	return false
}

// IsRefusal reports the body of the Cat's one answer to a credential that is missing,
// wrong or too weak.
func IsRefusal(body []byte) bool {
	return string(body) == `{"detail":{"error":"Invalid Credentials"}}`
}

// ErrNoIdentity means that a request was about to leave without exactly one
// well-formed user id. The Cat would take it for its own user "user".
var ErrNoIdentity = errors.New("a request without exactly one user id was about to leave")

// SetIdentity writes the one user id. Every other spelling must have been removed.
func SetIdentity(h http.Header, id string) { h[UserIDHeader] = []string{id} }

// CheckIdentity is the last look at what leaves: exactly one header that any
// server could read as the user id, spelt as the Cat spells it, with the value id.
func CheckIdentity(h http.Header, id string) error {
	if id == "" {
		return ErrNoIdentity
	}
	found := 0
	for name, values := range h {
		if !looksLikeUserID(name) {
			continue
		}
		if name != UserIDHeader || len(values) != 1 || values[0] != id {
			return fmt.Errorf("%w: stray header %q", ErrNoIdentity, name)
		}
		found++
	}
	if found != 1 {
		return ErrNoIdentity
	}
	return nil
}

// ClaimedUsers are the user ids that a client's headers claim, by whatever spelling of the
// name a server behind could take for the one; exact: each is spelt as the Cat has it.
func ClaimedUsers(h http.Header) (ids []string, exact bool) {
	exact = true
	for name, values := range h {
		if looksLikeUserID(name) {
			ids = append(ids, values...)
			exact = exact && strings.EqualFold(name, UserIDHeader)
		}
	}
	return ids, exact
}

// looksLikeUserID compares without case, with every other character folded to _.
func looksLikeUserID(name string) bool {
	if len(name) != len(UserIDHeader) {
		return false
	}
	for i := range len(name) {
		c := name[i] | 0x20
		if c < 'a' || c > 'z' {
			c = '_'
		}
		if c != UserIDHeader[i] {
			return false
		}
	}
	return true
}

// Carries reports whether a header, its name folded to lower case and _, is an
// identity or a credential to the Cat or to a plugin of it.
func Carries(folded string) bool {
	switch folded {
	case UserIDHeader, "x_" + UserIDHeader, TokenHeader, "x_" + TokenHeader, "authorization", "x_authorization", "authorization_", "x_api_key", "api_key":
		return true
	}
	return strings.HasPrefix(folded, "ccat_") || strings.HasPrefix(folded, "x_ccat_")
}

// CookieCarries reports whether a cookie of this name is a credential to the Cat.
func CookieCarries(name string) bool { return name == PanelCookie || name == TokenCookie }

// ChatURL is the address of a person's one WebSocket at the Cat.
func ChatURL(base *url.URL, id, token string) string {
	u := url.URL{Scheme: "ws", Host: base.Host, Path: chatPath + id}
	if base.Scheme == "https" {
		u.Scheme = "wss"
	}
	if token != "" {
		u.RawQuery = TokenParameter + "=" + url.QueryEscape(token)
	}
	return u.String()
}

// ParameterCarries reports whether a query parameter claims an identity or is a
// credential, at the Cat or to a plugin of it.
func ParameterCarries(name string) bool {
	return name == TokenParameter || name == TokenHeader || name == UserIDHeader
}
