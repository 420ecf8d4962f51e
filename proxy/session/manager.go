package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
)

// Options are the parts of a Manager.
type Options struct {
	Store Store
	// Keys encrypt what is kept: the first seals, each opens. None: a random one of
	// this process, for a store that ends with it.
	Keys [][]byte
	// Idle is how long a session lives that nobody uses, Lifetime how long any does.
	Idle, Lifetime time.Duration
	// PublicURL is our own origin, which decides what the cookies are like.
	PublicURL string
	Now       func() time.Time
	Log       *slog.Logger
	// Observe, if not nil, counts an event by its name, of a small fixed set.
	Observe func(event string)
	// Revoked is told whose access has ended, here or on another Catflap.
	Revoked func(authhandlers.Revocation)
	// Resync, if not nil, is called when something may have been missed.
	Resync func()
}

// Manager keeps the sessions. It outlives configuration reloads.
type Manager struct {
	o       Options
	keys    *keyring
	cookies cookies
	idle    atomic.Int64
	life    atomic.Int64
	loops   *lru.Cache[string, []time.Time]
	loopsMu sync.Mutex
	renewal renewals
}

// loopBrowsers bounds how many browsers' sign-ins are counted.
const loopBrowsers = 10_000

// New makes a Manager. What it does in the background ends with ctx.
func New(ctx context.Context, o Options) (*Manager, error) {
	if o.Store == nil || o.Idle <= 0 || o.Lifetime <= 0 || o.Now == nil || o.Log == nil || o.Revoked == nil {
		return nil, errors.New("session: incomplete Options")
	}
	if o.Observe == nil {
		o.Observe = func(string) {}
	}
	if o.Resync == nil {
		o.Resync = func() {}
	}
	m := &Manager{o: o, renewal: renewals{flights: map[string]*flight{}, failures: map[string]failure{}}}
	var err error
	if m.keys, err = newKeyring(o.Keys); err != nil {
		return nil, err
	}
	if m.cookies, err = newCookies(o.PublicURL); err != nil {
		return nil, err
	}
	if m.loops, err = lru.New[string, []time.Time](loopBrowsers); err != nil {
		return nil, err
	}
	m.Reconfigure(o.Idle, o.Lifetime)
	o.Store.Subscribe(ctx, m.hear)
	return m, nil
}

// Reconfigure sets the lives of sessions: idle for all from their next use, lifetime
// for those that begin from now on.
func (m *Manager) Reconfigure(idle, lifetime time.Duration) {
	m.idle.Store(int64(idle))
	m.life.Store(int64(lifetime))
}

// Ready reports why sessions can't be read or written now.
func (m *Manager) Ready(ctx context.Context) error { return m.o.Store.Ready(ctx) }

// ttl is how long a session is kept when it is used now.
func (m *Manager) ttl(s *Session) time.Duration {
	return min(time.Duration(m.idle.Load()), s.Ends.Sub(m.o.Now()))
}

// Until is when the session has to be looked at again, by whoever holds a socket
// open with it: before then it may have ended.
func (m *Manager) Until(s *Session) time.Time {
	until := s.Ends
	if idle := m.o.Now().Add(time.Duration(m.idle.Load())); idle.Before(until) {
		until = idle
	}
	if s.Login.RefreshToken != "" && s.Login.Until.Before(until) {
		until = s.Login.Until
	}
	return until
}

// read returns what is kept under a key.
func (m *Manager) read(ctx context.Context, key string) (*Session, error) {
	sealed, err := m.o.Store.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	text, err := m.keys.open(forRecord, key, sealed)
	if err != nil {
		m.o.Log.Warn("a session in the store can't be opened: was sessions.keys changed without keeping the old one?")
		return nil, ErrNoSession
	}
	s, err := unmarshal(key, text)
	if err != nil {
		return nil, err
	}
	if !m.o.Now().Before(s.Ends) {
		return nil, ErrNoSession
	}
	return s, nil
}

// rewrite keeps a session that has changed, if it has not ended.
func (m *Manager) rewrite(ctx context.Context, s *Session) error {
	text, err := s.marshal()
	if err != nil {
		return err
	}
	err = m.o.Store.Replace(ctx, s.key, m.keys.seal(forRecord, s.key, text))
	if errors.Is(err, ErrNotFound) {
		return ErrNoSession
	}
	return err
}

// indexes are the names by which a session is found. They are keyed hashes: the
// store shows nobody's.
func (m *Manager) indexes(s *Session) []string {
	p := &s.Login.Person
	l := []string{m.index("handle", s.Handle)[0], m.index("subject", p.Issuer, p.Subject)[0]}
	if p.SessionID != "" {
		l = append(l, m.index("sid", p.Issuer, p.SessionID)[0])
	}
	return l
}

// index returns the name of an index, by the present key and by each before it.
func (m *Manager) index(fields ...string) []string {
	var l []string
	for _, sum := range m.keys.mac(forIndex, fields...) {
		l = append(l, encode(sum))
	}
	return l
}

// find returns the sessions with an index.
func (m *Manager) find(ctx context.Context, fields ...string) ([]*Session, error) {
	var l []*Session
	for _, index := range m.index(fields...) {
		keys, err := m.o.Store.Find(ctx, index)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			switch s, err := m.read(ctx, key); {
			case err == nil:
				l = append(l, s)
			case !errors.Is(err, ErrNoSession):
				return nil, err
			}
		}
	}
	return l, nil
}

// storeKey is the place of a session in the store. Whoever reads it there can't
// find the cookie's id.
func storeKey(id []byte) string {
	sum := sha256.Sum256(append([]byte("catflap session "), id...))
	return encode(sum[:])
}

// secret makes 256 random bits.
func secret() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// publish tells every Catflap, this one too, whose access has ended. It is sealed:
// the way shows nobody's name, and nobody else can say such a thing.
func (m *Manager) publish(ctx context.Context, r authhandlers.Revocation) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return m.o.Store.Publish(ctx, m.keys.seal(forEvent, "", text))
}

func (m *Manager) hear(message []byte) {
	if message == nil {
		m.o.Observe("events_missed")
		m.o.Resync()
		return
	}
	text, err := m.keys.open(forEvent, "", message)
	var r authhandlers.Revocation
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		m.o.Log.Warn("a message of the session store is not ours", "err", err.Error())
		return
	}
	m.o.Revoked(r)
}
