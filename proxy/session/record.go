package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// Session is somebody who has signed in in a browser. It is a copy for the caller to
// read; nobody changes it.
type Session struct {
	// Handle names the session for logs and revocations. It is no secret, and stays
	// the same when the cookie's id changes.
	Handle  string
	Handler string // the name of the handler by which the person came
	Login   authhandlers.Login
	Browser string // which browser, as Manager.Browser names it
	// Created is when the person signed in last, and Ends when the session ends even
	// if it is in use.
	Created, Ends time.Time

	key      string    // in the store
	renewed  time.Time // when the provider was asked last, in our time
	signedIn time.Time // when the person signed in, in the provider's time
}

// record is what is sealed in the store.
type record struct {
	Handle, Handler   string
	Login             authhandlers.Login
	Browser           string
	Created, Ends     time.Time
	Renewed, SignedIn time.Time
}

// maxRecord bounds a session in the store, in bytes: tokens with thousands of groups
// still fit.
const maxRecord = 256 << 10

// The indexes of sessions.
const (
	indexHandle  = "handle"
	indexBrowser = "browser"
	indexPerson  = "person"  // issuer, subject
	indexSID     = "sid"     // issuer, sid
	indexMarkSID = "markSid" // of logouts
	indexMarkSub = "markSub"
	indexTickets = "tickets"
	indexDenied  = "denied" // issuer, subject, sid of a logout
	// indexDeniedAll is of all logouts.
	indexDeniedAll = "deniedAll"
)

// storageKey keeps who reads the store from making cookies.
func storageKey(id string) string { return "session:" + hash("id", id) }

func (m *Manager) sealed(s *Session) ([]byte, error) {
	plain, err := json.Marshal(record{
		Handle: s.Handle, Handler: s.Handler, Login: s.Login, Browser: s.Browser,
		Created: s.Created, Ends: s.Ends, Renewed: s.renewed, SignedIn: s.signedIn,
	})
	if err != nil {
		// The text of the error may hold what could not be written.
		return nil, errors.New("session: the login can't be stored")
	}
	if len(plain) > maxRecord {
		return nil, fmt.Errorf("%w: %d bytes of login", ErrTooLarge, len(plain))
	}
	return m.keys.seal(sealSession, s.key, plain), nil
}

// create stores a new session under its indexes.
func (m *Manager) create(ctx context.Context, s *Session) error {
	sealed, err := m.sealed(s)
	if err != nil {
		return err
	}
	p := &s.Login.Person
	indexes := []string{
		m.keys.index(indexHandle, s.Handle), m.keys.index(indexBrowser, s.Browser),
		m.keys.index(indexPerson, p.Issuer, p.Subject),
	}
	if p.SessionID != "" {
		indexes = append(indexes, m.keys.index(indexSID, p.Issuer, p.SessionID))
	}
	ttl := min(m.limits.Load().idle, s.Ends.Sub(m.now()))
	return m.store.Create(ctx, s.key, sealed, ttl, indexes...)
}

// load reads a session. What can't be opened is none: it is of a key that is no more,
// or somebody has put it there.
func (m *Manager) load(ctx context.Context, key string) (*Session, error) {
	sealed, err := m.store.Get(ctx, key)
	if err != nil {
		return nil, noSession(err)
	}
	plain, err := m.keys.open(sealSession, key, sealed)
	var r record
	if err != nil || json.Unmarshal(plain, &r) != nil {
		m.observe(EventUnreadable)
		m.log.WarnContext(ctx, "a session in the store can't be opened: another key, or not ours")
		return nil, ErrNoSession
	}
	s := &Session{
		Handle: r.Handle, Handler: r.Handler, Login: r.Login, Browser: r.Browser,
		Created: r.Created, Ends: r.Ends, key: key, renewed: r.Renewed, signedIn: r.SignedIn,
	}
	if m.ended.has(s) { // the store was put back to an older state
		_, err := m.store.Delete(ctx, key)
		return nil, errors.Join(ErrNoSession, err)
	}
	if end := s.Created.Add(m.limits.Load().lifetime); end.Before(s.Ends) {
		s.Ends = end
	}
	if !m.now().Before(s.Ends) {
		return nil, ErrNoSession
	}
	return s, nil
}

// each reads the live sessions under an index.
func (m *Manager) each(ctx context.Context, do func(*Session), kind string, parts ...string) error {
	for _, index := range m.keys.indexes(kind, parts...) {
		keys, err := m.store.Find(ctx, index)
		if err != nil {
			return err
		}
		for _, key := range keys {
			s, err := m.load(ctx, key)
			if errors.Is(err, ErrNoSession) {
				continue
			}
			if err != nil {
				return err
			}
			do(s)
		}
	}
	return nil
}
