package session

import (
	"context"
	"errors"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
)

// End signs out: it ends the session, and those that the same person has begun in the
// same browser in other tabs at the same time. It reaches every Catflap.
func (m *Manager) End(ctx context.Context, s *Session) error {
	sessions := []*Session{s}
	err := m.each(ctx, func(other *Session) {
		if samePerson(other, s) && other.key != s.key {
			sessions = append(sessions, other)
		}
	}, indexBrowser, s.Browser)
	return errors.Join(err, m.endAll(ctx, sessions, refusals.SignedOut))
}

// EndPerson ends every session of a person, and returns how many there were. Tokens of
// before are refused from then on.
func (m *Manager) EndPerson(ctx context.Context, issuer, subject string) (int, error) {
	if issuer == "" || subject == "" {
		return 0, errors.New("session: nobody has neither issuer nor subject")
	}
	r := authhandlers.Revocation{Issuer: issuer, Subject: subject, Reason: refusals.SignedOut}
	denied, failed := m.deny(ctx, r, m.now())
	ended, err := m.deleteUnder(ctx, indexPerson, issuer, subject)
	return ended, errors.Join(failed, err, m.revokeTokens(ctx, r, denied))
}

// endAll deletes sessions and tells of each, also of one that was gone already: to end
// sockets twice costs nothing.
func (m *Manager) endAll(ctx context.Context, sessions []*Session, reason authhandlers.Code) error {
	var all error
	for _, s := range sessions {
		ended, err := m.store.Delete(ctx, s.key)
		if ended {
			m.observe(EventEnded)
		}
		all = errors.Join(all, err, m.revoke(ctx, authhandlers.Revocation{Session: s.Handle, Reason: reason}))
	}
	return all
}

func (m *Manager) deleteUnder(ctx context.Context, kind string, parts ...string) (int, error) {
	ended := 0
	for _, index := range m.keys.indexes(kind, parts...) {
		keys, err := m.store.Find(ctx, index)
		if err != nil {
			return ended, err
		}
		for _, key := range keys {
			s, _ := m.load(ctx, key) // what can't be read is deleted all the same
			ok, err := m.store.Delete(ctx, key)
			if err == nil && s != nil {
				err = m.revoke(ctx, authhandlers.Revocation{Session: s.Handle, Reason: refusals.SignedOut})
			}
			if err != nil {
				return ended, err
			}
			if ok {
				ended++
				m.observe(EventEnded)
			}
		}
	}
	return ended, nil
}
