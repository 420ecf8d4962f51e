package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// The errors of the Manager. Any other is a fault, and says nothing about a person.
var (
	// ErrNoSession means that there is none: none was named, or it has ended.
	ErrNoSession = errors.New("there is no such session")
	// ErrLoggedOut means that the provider has ended the session which was about to
	// begin.
	ErrLoggedOut = errors.New("the provider has signed the person out meanwhile")
	// ErrReplayed means that a logout token has come before.
	ErrReplayed = errors.New("the logout token has come before")
	// ErrUnavailable means that the provider has to be asked and can't be.
	ErrUnavailable = errors.New("the provider can't be asked whether the session goes on")
)

// Session is somebody who has signed in in one browser. It is a copy, for reading.
type Session struct {
	// Handle names the session where it is spoken of: in the log, in
	// authhandlers.AuthUserInfo.Session. It is random, no secret, and stays the same
	// when the cookie's id changes.
	Handle string
	// Handler is the name of the handler through which the person signed in.
	Handler string
	// Login is what the provider said last.
	Login authhandlers.Login
	// Browser names the browser.
	Browser string
	// Created is when the person signed in, Ends when they have to again at the latest.
	Created, Ends time.Time
	// Renewed is when the provider said so, by our own clock.
	Renewed time.Time

	key string // the place in the store
}

// record is a Session as it is kept.
type record struct {
	Handle, Handler, Browser string
	Person                   person
	IDToken, RefreshToken    string
	IssuedAt, Until          time.Time
	Created, Ends, Renewed   time.Time
}

// person is what is kept of an AuthUserInfo: what a handler said, and nothing that
// the chain or the configuration adds.
type person struct {
	Name, Issuer, Subject, SessionID string
	Groups                           []string            `json:",omitempty"`
	Claims                           map[string][]string `json:",omitempty"`
}

func (s *Session) marshal() ([]byte, error) {
	l := &s.Login
	return json.Marshal(record{
		Handle: s.Handle, Handler: s.Handler, Browser: s.Browser,
		Person: person{
			Name: l.Person.Name, Issuer: l.Person.Issuer, Subject: l.Person.Subject, SessionID: l.Person.SessionID, Groups: l.Person.Groups,
			Claims: l.Person.Claims,
		},
		IDToken: l.IDToken, RefreshToken: l.RefreshToken, IssuedAt: l.IssuedAt, Until: l.Until, Created: s.Created, Ends: s.Ends,
		Renewed: s.Renewed,
	})
}

func unmarshal(key string, text []byte) (*Session, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("a session that can't be read: %w", err)
	}
	return &Session{
		Handle: r.Handle, Handler: r.Handler, Browser: r.Browser, Created: r.Created, Ends: r.Ends, Renewed: r.Renewed, key: key,
		Login: authhandlers.Login{
			Person: authhandlers.AuthUserInfo{
				Name: r.Person.Name, Issuer: r.Person.Issuer, Subject: r.Person.Subject, SessionID: r.Person.SessionID, Groups: r.Person.Groups,
				Claims: r.Person.Claims,
			},
			IDToken: r.IDToken, RefreshToken: r.RefreshToken, IssuedAt: r.IssuedAt, Until: r.Until,
		},
	}, nil
}

// samePerson reports whether both are one person at one provider.
func samePerson(a, b *authhandlers.AuthUserInfo) bool {
	return a.Issuer == b.Issuer && a.Subject == b.Subject
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode is strict: each value has one spelling.
func decode(text string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(text) }
