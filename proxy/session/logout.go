package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// logoutLeeway is how long after its end a logout token is still known, and for how
// long a login that the token has overtaken is looked for.
const (
	logoutLeeway = 5 * time.Minute
	logoutMark   = attemptLife + logoutLeeway
	maxLogout    = 24 * time.Hour
)

// mark is the trace of a logout for logins that are under way.
type mark struct{ IssuedAt time.Time }

// Logout carries out a verified logout token: it ends the sessions of its sid, or, if
// it has none, those of its subject that began before it, and tells every Catflap, so
// that sockets by token end too. ErrReplayed: the token has been used before. After a
// fault the same token may come again.
func (m *Manager) Logout(ctx context.Context, l *authhandlers.Logout) error {
	r := l.Revocation
	if r.Issuer == "" || r.Subject == "" && r.SessionID == "" || l.TokenID == "" {
		return errors.New("session: a logout without issuer, token id, or anybody")
	}
	if r.Reason == "" {
		r.Reason = ReasonProviderLogout
	}
	life := logoutLeeway + max(0, l.Expiry.Sub(m.now()))
	once := "logout:" + hash(r.Issuer, l.TokenID)
	first, err := m.store.Once(ctx, once, min(life, maxLogout))
	if err != nil {
		return err
	}
	if !first {
		m.observe(EventLogoutReplayed)
		return ErrReplayed
	}
	if err := m.logout(ctx, r, l.IssuedAt); err != nil {
		return errors.Join(err, m.store.Forget(context.WithoutCancel(ctx), once))
	}
	m.observe(EventLogout)
	return nil
}

func (m *Manager) logout(ctx context.Context, r authhandlers.Revocation, issued time.Time) error {
	kind, name, marks := indexSID, r.SessionID, indexMarkSID
	if r.SessionID == "" {
		kind, name, marks = indexPerson, r.Subject, indexMarkSub
	}
	denied, err := m.deny(ctx, r, issued)                                 // first: who is not ended now must not come in later
	noted := errors.Join(err, m.mark(ctx, marks, r.Issuer, name, issued)) // before the search; see begin
	var ended []*Session
	err = m.each(ctx, func(s *Session) {
		if r.Matches(&s.Login.Person) && (r.SessionID != "" || !s.signedIn.After(issued)) {
			ended = append(ended, s)
		}
	}, kind, r.Issuer, name)
	return errors.Join(noted, err, m.endAll(ctx, ended, r.Reason), m.revokeTokens(ctx, r, denied))
}

func (m *Manager) mark(ctx context.Context, kind, issuer, name string, issued time.Time) error {
	plain, err := json.Marshal(mark{issued})
	if err != nil {
		return err
	}
	key := "mark:" + newSecret()
	return m.store.Create(ctx, key, m.keys.seal(sealMark, key, plain), logoutMark, m.keys.index(kind, issuer, name))
}

// loggedOut reports whether a logout has overtaken the login.
func (m *Manager) loggedOut(ctx context.Context, s *Session) (bool, error) {
	p := &s.Login.Person
	ended, err := m.marked(ctx, func(time.Time) bool { return true }, indexMarkSID, p.Issuer, p.SessionID)
	if err != nil || ended {
		return ended, err
	}
	return m.marked(ctx, func(issued time.Time) bool { return !s.signedIn.After(issued) }, indexMarkSub, p.Issuer, p.Subject)
}

func (m *Manager) marked(ctx context.Context, means func(time.Time) bool, kind, issuer, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	for _, index := range m.keys.indexes(kind, issuer, name) {
		keys, err := m.store.Find(ctx, index)
		if err != nil {
			return false, err
		}
		for _, key := range keys {
			sealed, err := m.store.Get(ctx, key)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return false, err
			}
			plain, err := m.keys.open(sealMark, key, sealed)
			var one mark
			if err != nil || json.Unmarshal(plain, &one) != nil || means(one.IssuedAt) {
				return true, nil
			}
		}
	}
	return false, nil
}
