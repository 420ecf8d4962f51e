package session

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// Find returns the session that the request's cookie names, and notes that it is
// used. ErrNoSession means that there is none (any more); other errors are faults.
func (m *Manager) Find(ctx context.Context, r *http.Request) (*Session, error) {
	id, ok := m.cookies.secretOf(r, m.cookies.session)
	if !ok {
		return nil, ErrNoSession
	}
	s, err := m.read(ctx, storeKey(id))
	if err != nil {
		return nil, err
	}
	return s, m.use(ctx, s)
}

// ByHandle returns a session by its handle, and notes that it is used.
func (m *Manager) ByHandle(ctx context.Context, handle string) (*Session, error) {
	l, err := m.find(ctx, "handle", handle)
	if err != nil {
		return nil, err
	}
	if len(l) == 0 {
		return nil, ErrNoSession
	}
	return l[0], m.use(ctx, l[0])
}

// use moves the end of a session that nobody uses. The store's own time to live is
// what ends it.
func (m *Manager) use(ctx context.Context, s *Session) error {
	ttl := m.ttl(s)
	if ttl <= 0 {
		return ErrNoSession
	}
	err := m.o.Store.Touch(ctx, s.key, ttl)
	if errors.Is(err, ErrNotFound) {
		return ErrNoSession
	}
	return err
}

// Start begins a session for somebody whom the provider has vouched for, and gives
// the browser its cookie: always with a new id, so that nobody can have planted it.
// If the browser has a session already, it goes on where it is the same person's,
// and ends with its sockets where it is somebody else's.
func (m *Manager) Start(
	ctx context.Context, w http.ResponseWriter, r *http.Request, handler string, l *authhandlers.Login,
) (*Session, error) {
	id, now := secret(), m.o.Now()
	s := &Session{
		Handle: rand.Text(), Handler: handler, Login: *l, Browser: m.Browser(w, r), Created: now, Renewed: now,
		Ends: now.Add(time.Duration(m.life.Load())), key: storeKey(id),
	}
	before, err := m.Find(ctx, r)
	if err != nil && !errors.Is(err, ErrNoSession) {
		return nil, err
	}
	goesOn := before != nil && before.Handler == handler && samePerson(&before.Login.Person, &l.Person)
	if goesOn {
		s.Handle = before.Handle
		if _, err := m.o.Store.Delete(ctx, before.key); err != nil {
			return nil, err
		}
	} else if before != nil {
		if err := m.End(ctx, before); err != nil {
			return nil, err
		}
	}
	text, err := s.marshal()
	if err != nil {
		return nil, err
	}
	if err := m.o.Store.Create(ctx, s.key, m.keys.seal(forRecord, s.key, text), m.ttl(s), m.indexes(s)...); err != nil {
		return nil, err
	}
	// A logout that came meanwhile has either found the session, or left its mark.
	if err := m.loggedOut(ctx, s); err != nil {
		_, ended := m.o.Store.Delete(ctx, s.key)
		return nil, errors.Join(err, ended)
	}
	m.cookies.set(w, m.cookies.session, encode(id), int(time.Duration(m.life.Load()).Seconds()))
	if !goesOn {
		m.o.Observe("session_started")
	}
	return s, nil
}

// End ends a session, and tells every Catflap.
func (m *Manager) End(ctx context.Context, s *Session) error {
	return m.end(ctx, s, "signed_out")
}

func (m *Manager) end(ctx context.Context, s *Session, reason authhandlers.Code) error {
	ended, err := m.o.Store.Delete(ctx, s.key)
	if err != nil {
		return err
	}
	if !ended {
		// Under another id, perhaps: the person has signed in anew meanwhile.
		again, err := m.find(ctx, "handle", s.Handle)
		if err != nil {
			return err
		}
		for _, other := range again {
			if _, err := m.o.Store.Delete(ctx, other.key); err != nil {
				return err
			}
			ended = true
		}
	}
	if ended {
		m.o.Observe("session_ended")
	}
	return m.publish(ctx, authhandlers.Revocation{Session: s.Handle, Reason: reason})
}

// EndPerson ends every session of a person, and returns how many there were. The
// sockets of their tokens end, too.
func (m *Manager) EndPerson(ctx context.Context, issuer, subject string) (int, error) {
	if issuer == "" || subject == "" {
		return 0, errors.New("session: nobody is named")
	}
	l, err := m.find(ctx, "subject", issuer, subject)
	if err != nil {
		return 0, err
	}
	n, err := m.endAll(ctx, l)
	if err != nil {
		return n, err
	}
	return n, m.publish(ctx, authhandlers.Revocation{Issuer: issuer, Subject: subject, Reason: "signed_out"})
}

func (m *Manager) endAll(ctx context.Context, l []*Session) (int, error) {
	n := 0
	for _, s := range l {
		ended, err := m.o.Store.Delete(ctx, s.key)
		if err != nil {
			return n, err
		}
		if ended {
			n++
			m.o.Observe("session_ended")
		}
	}
	return n, nil
}
