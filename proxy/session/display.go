package session

import (
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/catflap/catflap/internal/base64url"
)

// A display token is what the Cat's admin panel reads out of its cookie: the form of a
// JWT (RFC 7519 §3), and the claims that the panel shows. It is no credential: without
// the session it was made for it is worth nothing, so that who reads it out of a page
// has gained nothing.
const (
	displayIssuer = "catflap-display-1"
	displayHeader = `{"alg":"HS256","typ":"JWT"}`
	// displayStart is how the claims begin. It is a multiple of three bytes long, so
	// that its text is the same whatever follows.
	displayStart = `{"iss":"` + displayIssuer + `",`
	// maxDisplay keeps the cookie below the 4096 bytes that browsers take.
	maxDisplay = 3800
	// maxShown bounds the name in it, in bytes.
	maxShown = 100
)

// displayMark is what every display token begins with, and no other token.
var displayMark = text([]byte(displayHeader)) + "." + text([]byte(displayStart))

// DisplayToken makes the token that shows the name and the permissions. It is bound to
// the session's browser and person rather than to the session, so that what an open
// page holds stands for a later session of the same person too.
func (m *Manager) DisplayToken(s *Session, username string, permissions map[string][]string) (string, error) {
	key := m.keys.all()[0]
	claims, err := json.Marshal(struct {
		Username    string              `json:"username"`
		Permissions map[string][]string `json:"permissions"`
		IssuedAt    int64               `json:"iat"`
		Expiry      int64               `json:"exp"`
		Binding     string              `json:"bound"`
	}{shortened(username), permissions, m.now().Unix(), s.Ends.Unix(), text(key.binding(s))})
	if err != nil {
		return "", errors.New("session: a display token can't be written")
	}
	signed := text([]byte(displayHeader)) + "." + text(append([]byte(displayStart), claims[1:]...))
	token := signed + "." + text(mac(key.display, "token", signed))
	if len(token) > maxDisplay {
		return "", fmt.Errorf("%w: a display token of %d bytes", ErrTooLarge, len(token))
	}
	return token, nil
}

// IsDisplayToken reports whether a token is marked as one, authentic or not. It needs
// no key and decodes nothing.
func IsDisplayToken(token string) bool {
	if !strings.HasPrefix(token, displayMark) || len(token) > maxDisplay {
		return false
	}
	rest := token[len(displayMark):]
	claims, signature, ok := strings.Cut(rest, ".")
	return ok && len(signature) == secretText && urlSafe(claims) && urlSafe(signature)
}

func urlSafe(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// DisplayMatches reports whether a display token is authentic and was made for the
// browser and the person of this session. Its age does not matter: the session decides.
func (m *Manager) DisplayMatches(token string, s *Session) bool {
	if s == nil || !IsDisplayToken(token) {
		return false
	}
	end := strings.LastIndexByte(token, '.')
	signature, err := base64url.Decode(token[end+1:])
	if err != nil {
		return false
	}
	for _, key := range m.keys.all() {
		if hmac.Equal(signature, mac(key.display, "token", token[:end])) {
			return key.bound(token[len(text([]byte(displayHeader)))+1:end], s)
		}
	}
	return false
}

func (k eachKey) bound(claims string, s *Session) bool {
	plain, err := base64url.Decode(claims)
	if err != nil {
		return false
	}
	var c struct {
		Binding string `json:"bound"`
	}
	if json.Unmarshal(plain, &c) != nil {
		return false
	}
	binding, err := base64url.Decode(c.Binding)
	return err == nil && hmac.Equal(binding, k.binding(s))
}

func (k eachKey) binding(s *Session) []byte {
	p := &s.Login.Person
	return mac(k.display, "bound", s.Browser, p.Issuer, p.Subject)
}

// shortened cuts a name between two characters.
func shortened(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
