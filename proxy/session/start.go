package session

import (
	"context"
	"errors"
	"net/http"

	"github.com/catflap/catflap/authhandlers"
)

// Start makes a session of a finished login, under a new id, which it gives to the
// browser. What the browser had before ends: of the same person the id alone, so that
// the handle and the sockets stay; of another person everything. ErrLoggedOut: the
// provider has ended this login in the meantime.
func (m *Manager) Start(ctx context.Context, w http.ResponseWriter, r *http.Request, handler string, l *authhandlers.Login) (*Session, error) {
	if l.Person.Issuer == "" || l.Person.Subject == "" {
		return nil, errors.New("session: a login of nobody")
	}
	now := m.now()
	s := &Session{
		Handle: newHandle(), Handler: handler, Login: *l, Browser: m.keepBrowser(w, r),
		Created: now, Ends: now.Add(m.limits.Load().lifetime), renewed: now, signedIn: l.IssuedAt,
	}
	before, err := m.before(ctx, r, s)
	if err != nil {
		return nil, err
	}
	var id string
	if before != nil && samePerson(before, s) {
		id, err = m.exchange(ctx, before, s)
	} else {
		id, err = m.begin(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	m.cookies.set(w, m.cookies.session, id, s.Ends.Sub(now))
	m.observe(EventStarted)
	return s, nil
}

// before returns the session of the request's cookie, or nil, and ends those of other
// people in the same browser.
func (m *Manager) before(ctx context.Context, r *http.Request, s *Session) (*Session, error) {
	var others []*Session
	var same *Session
	if id, ok := read(r, m.cookies.session); ok && isSecret(id) {
		old, err := m.load(ctx, storageKey(id))
		switch {
		case errors.Is(err, ErrNoSession):
		case err != nil:
			return nil, err
		case samePerson(old, s):
			same = old
		default:
			others = append(others, old)
		}
	}
	err := m.each(ctx, func(old *Session) {
		if !samePerson(old, s) {
			others = append(others, old)
		}
	}, indexBrowser, s.Browser)
	if err != nil {
		return nil, err
	}
	return same, m.endAll(ctx, others, ReasonSwitched)
}

// begin stores a session under a new id. The marks of logouts are read after that, and
// Logout sets its mark before it looks for sessions: one of the two sees the other.
func (m *Manager) begin(ctx context.Context, s *Session) (string, error) {
	id := newSecret()
	s.key = storageKey(id)
	if err := m.createWithin(ctx, s); err != nil {
		return "", err
	}
	ended, err := m.loggedOut(ctx, s)
	if err == nil && !ended {
		return id, nil
	}
	if ended {
		m.observe(EventLoggedOut)
		err = ErrLoggedOut
	}
	_, undo := m.store.Delete(ctx, s.key)
	return "", errors.Join(err, undo)
}

// exchange makes s the successor of a session of the same person. If somebody has
// ended that in the meantime, its handle stays dead: s is a new session.
func (m *Manager) exchange(ctx context.Context, old, s *Session) (string, error) {
	fresh := s.Handle
	s.Handle = old.Handle
	id, err := m.begin(ctx, s)
	if err != nil {
		return "", err
	}
	replaced, err := m.store.Delete(ctx, old.key)
	m.ended.buryKey(old.key)
	if err == nil && replaced {
		return id, nil
	}
	_, undo := m.store.Delete(ctx, s.key)
	if err = errors.Join(err, undo); err != nil {
		return "", err
	}
	s.Handle = fresh
	return m.begin(ctx, s)
}

func samePerson(a, b *Session) bool {
	return a.Login.Person.Issuer == b.Login.Person.Issuer && a.Login.Person.Subject == b.Login.Person.Subject
}

// newHandle is random, so that nothing can be read out of it, and says in a log what
// it is.
func newHandle() string { return "s_" + newSecret()[:22] }
