package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

const (
	// markLife is how long a logout is remembered for sessions that were about to
	// begin: longer than any sign-in takes.
	markLife = 15 * time.Minute
	// replayLife is how long, at least, a logout token's id is remembered after its
	// end, for clocks that are apart.
	replayLife = 5 * time.Minute
)

// mark says that a provider has ended a session, or every session of somebody that
// began before.
type mark struct{ IssuedAt time.Time }

// Logout takes a verified logout token: it ends what the token names, on every
// Catflap, with the sockets. ErrReplayed is returned for one that came before.
func (m *Manager) Logout(ctx context.Context, l *authhandlers.Logout) error {
	r := l.Revocation
	if r.Issuer == "" || r.Subject == "" && r.SessionID == "" || l.TokenID == "" {
		return errors.New("session: the logout names nobody")
	}
	life := max(l.Expiry.Sub(m.o.Now()), 0) + replayLife
	first, err := m.o.Store.Once(ctx, "jti:"+m.index("jti", r.Issuer, l.TokenID)[0], life)
	if err != nil {
		return err
	}
	if !first {
		return ErrReplayed
	}
	// The mark first: a session that begins from here on finds it.
	name := m.markName(r)
	text, err := json.Marshal(mark{l.IssuedAt})
	if err != nil {
		return err
	}
	if err := m.o.Store.Create(ctx, name, m.keys.seal(forEvent, name, text), markLife); err != nil {
		return err
	}
	var found []*Session
	if r.SessionID != "" {
		found, err = m.find(ctx, "sid", r.Issuer, r.SessionID)
	} else {
		found, err = m.find(ctx, "subject", r.Issuer, r.Subject)
	}
	if err != nil {
		return err
	}
	if _, err := m.endAll(ctx, meant(found, r)); err != nil {
		return err
	}
	m.o.Observe("logout_received")
	r.Reason = "signed_out"
	return m.publish(ctx, r)
}

// meant leaves those whom every field of the revocation names.
func meant(found []*Session, r authhandlers.Revocation) []*Session {
	var l []*Session
	for _, s := range found {
		if r.Subject == "" || s.Login.Person.Subject == r.Subject {
			l = append(l, s)
		}
	}
	return l
}

func (m *Manager) markName(r authhandlers.Revocation) string {
	if r.SessionID != "" {
		return "mark:" + m.index("mark sid", r.Issuer, r.SessionID)[0]
	}
	return "mark:" + m.index("mark subject", r.Issuer, r.Subject)[0]
}

// loggedOut reports ErrLoggedOut if the provider has ended what is about to begin.
func (m *Manager) loggedOut(ctx context.Context, s *Session) error {
	p := &s.Login.Person
	for _, r := range []authhandlers.Revocation{{Issuer: p.Issuer, SessionID: p.SessionID}, {Issuer: p.Issuer, Subject: p.Subject}} {
		if r.SessionID == "" && r.Subject == "" {
			continue
		}
		name := m.markName(r)
		sealed, err := m.o.Store.Get(ctx, name)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		text, err := m.keys.open(forEvent, name, sealed)
		if err != nil {
			return ErrLoggedOut // somebody meant something there
		}
		var at mark
		if err := json.Unmarshal(text, &at); err != nil {
			return ErrLoggedOut
		}
		// A session's end is for good; a person's is for what began before it.
		if r.SessionID != "" || !s.Login.IssuedAt.After(at.IssuedAt) {
			return ErrLoggedOut
		}
	}
	return nil
}
