package session

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// displayMark is the issuer of a display token: by it one is recognised, whoever
// sends it and however old it is.
const displayMark = "catflap:display"

// displayHeader is the first part of each: it looks like a JWT's and is no algorithm's
// that anybody verifies.
var displayHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"display+jwt"}`))

// displayLife is for show: nobody looks at it.
const displayLife = 24 * time.Hour

type displayClaims struct {
	Issuer      string              `json:"iss"`
	Subject     string              `json:"sub"` // whose session's browser; no name
	Username    string              `json:"username"`
	Permissions map[string][]string `json:"permissions"`
	Expiry      int64               `json:"exp"`
}

// DisplayToken makes what the Cat's admin panel wants to find in its cookie: a text
// in the form of a JWT that says whom and what to show. It is no credential, and
// worth nothing without the session. A later session of the same person in the
// same browser is as good: tabs that stay open keep theirs.
func (m *Manager) DisplayToken(s *Session, username string, permissions map[string][]string) (string, error) {
	payload, err := json.Marshal(displayClaims{
		Issuer: displayMark, Subject: m.displayOwner(s)[0], Username: username, Permissions: permissions, Expiry: m.o.Now().Add(displayLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed := displayHeader + "." + encode(payload)
	return signed + "." + encode(m.keys.mac(forDisplay, "token", signed)[0]), nil
}

// displayOwner names the browser and the person, by each key.
func (m *Manager) displayOwner(s *Session) []string {
	var l []string
	for _, sum := range m.keys.mac(forDisplay, "owner", s.Browser, s.Login.Person.Issuer, s.Login.Person.Subject) {
		l = append(l, encode(sum[:16]))
	}
	return l
}

// IsDisplayToken reports a text that claims to be a display token.
func IsDisplayToken(text string) bool {
	return strings.HasPrefix(text, displayHeader) && len(text) > len(displayHeader) && text[len(displayHeader)] == '.'
}

// DisplayMatches reports that the token was made here, for this person in this
// browser.
func (m *Manager) DisplayMatches(text string, s *Session) bool {
	signed, signature, ok := cutLast(text)
	if !ok || !IsDisplayToken(text) {
		return false
	}
	sum, err := decode(signature)
	if err != nil {
		return false
	}
	genuine := false
	for _, want := range m.keys.mac(forDisplay, "token", signed) {
		genuine = hmac.Equal(want, sum) || genuine
	}
	payload, err := decode(strings.TrimPrefix(signed, displayHeader+"."))
	if !genuine || err != nil {
		return false
	}
	var c displayClaims
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer != displayMark {
		return false
	}
	for _, owner := range m.displayOwner(s) {
		if hmac.Equal([]byte(owner), []byte(c.Subject)) {
			return true
		}
	}
	return false
}

func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}
