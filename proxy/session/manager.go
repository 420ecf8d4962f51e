package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/required"
)

// Errors of a Manager. Any other is a fault on our side: 503, and never access.
var (
	// ErrNoSession means that there is none, or no longer.
	ErrNoSession = errors.New("session: no session")
	// ErrLoggedOut means that the provider has ended the login before it was a session.
	ErrLoggedOut = errors.New("session: the provider has ended this login")
	// ErrUnavailable means that the provider must be asked for the person again, and
	// can't be. The session goes on when it can.
	ErrUnavailable = errors.New("session: the provider can't say whether the login still holds")
	// ErrReplayed means that a logout token has come before.
	ErrReplayed = errors.New("session: the logout token has been used before")
	// ErrTooMany means that somebody holds too many unused tickets.
	ErrTooMany = errors.New("session: too many tickets are unused")
	// ErrTooLarge means that what is to be kept is beyond all measure.
	ErrTooLarge = errors.New("session: too large")
)

// The events that are observed.
const (
	EventStarted        = "session_started"
	EventEnded          = "session_ended"
	EventRefreshed      = "session_refreshed"
	EventRefreshRefused = "refresh_refused"
	EventRefreshFailed  = "refresh_failed"
	EventLoggedOut      = "login_logged_out" // between the provider's answer and the session
	EventLogout         = "logout_token"
	EventLogoutReplayed = "logout_replayed"
	EventUnreadable     = "record_unreadable"
	EventForeign        = "message_foreign"
	EventMissed         = "messages_missed"
)

// Events are the names of all events, for counters that begin at zero.
func Events() []string {
	return []string{
		EventStarted, EventEnded, EventRefreshed, EventRefreshRefused, EventRefreshFailed,
		EventLoggedOut, EventLogout, EventLogoutReplayed, EventUnreadable, EventForeign,
		EventMissed,
	}
}

// Reasons of the revocations that the manager makes itself, beside a logout and the end of
// a login, which are codes too. No request is answered with these.
const (
	ReasonSwitched       authhandlers.Code = "switched_person"
	ReasonProviderLogout authhandlers.Code = "provider_logout"
	ReasonOutnumbered    authhandlers.Code = "too_many_sessions" // newer ones of the same person
)

// Options are the parts of a Manager.
type Options struct {
	Store Store
	// Keys are at least 32 bytes each: the first seals, all open. None means one of
	// this process alone, with which nothing outlives it.
	Keys [][]byte
	// Idle and Lifetime end a session that is not used, and one that is.
	Idle, Lifetime time.Duration
	// PerPerson is how many sessions one person may have: the oldest makes room for
	// another. 0 means any number.
	PerPerson int
	// PublicURL decides names and attributes of the cookies.
	PublicURL string
	// TicketsOnly says that no browser has a session, until TakeCookies.
	TicketsOnly bool
	Now         func() time.Time
	Log         *slog.Logger
	Observe     func(event string)
	// Revoked is called for each access that ends, here or at another Catflap.
	Revoked func(authhandlers.Revocation)
	// Resync is called when revocations of other Catflaps may have been missed:
	// those who are connected must be looked up again.
	Resync func()
}

// Manager makes, finds, renews and ends sessions.
type Manager struct {
	store    Store
	keys     *keyring
	own      atomic.Bool // whether the key is one of this process alone
	cookies  *cookies
	now      func() time.Time
	log      *slog.Logger
	observe  func(string)
	revoked  func(authhandlers.Revocation)
	resync   func()
	self     string // names this process on the bus
	limits   atomic.Pointer[limits]
	share    atomic.Int64 // of each person, in sessions
	touched  *lru.Cache[string, time.Time]
	rounds   *lru.Cache[string, *rounds]
	looping  sync.Mutex
	renewals renewals
	// tokenLife is how long a logout is remembered.
	tokenLife atomic.Int64
	denied    denials
	ended     *graves
	running   sync.WaitGroup
}

type limits struct{ idle, lifetime time.Duration }

// remembered bounds what a process remembers of sessions and browsers to spare the
// store; what is forgotten costs one more call.
const remembered = 16384

// New makes a manager. The end of ctx ends what it runs in the background; Wait then
// returns.
func New(ctx context.Context, o Options) (*Manager, error) {
	if err := required.Parts("session.Options", map[string]bool{"Store": o.Store != nil, "Idle": o.Idle > 0, "Lifetime": o.Lifetime > 0}); err != nil {
		return nil, err
	}
	keys, err := newKeyring(o.Keys)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		store: o.Store, keys: keys, now: o.Now, log: o.Log, observe: o.Observe,
		revoked: o.Revoked, resync: o.Resync, self: newSecret(),
	}
	if !o.TicketsOnly {
		if err := m.TakeCookies(o.PublicURL); err != nil {
			return nil, err
		}
	}
	m.fill()
	m.own.Store(len(o.Keys) == 0)
	m.Reconfigure(o.Idle, o.Lifetime)
	m.Share(o.PerPerson)
	m.KeepLogouts(DefaultTokenLife)
	if m.touched, err = lru.New[string, time.Time](remembered); err != nil {
		return nil, err
	}
	if m.rounds, err = lru.New[string, *rounds](remembered); err != nil {
		return nil, err
	}
	if err = m.renewals.init(); err != nil {
		return nil, err
	}
	if m.ended, err = newGraves(); err != nil {
		return nil, err
	}
	messages, err := m.store.Subscribe(ctx)
	if err != nil {
		return nil, fmt.Errorf("session: hearing of other Catflaps: %w", err)
	}
	m.loadDenied(ctx) // after that, so that none is missed in between
	m.running.Go(func() { m.listen(ctx, messages) })
	return m, nil
}

// TakeCookies has browsers have sessions from now on, with the cookies of a public URL.
// It is called once, before the first request of a browser.
func (m *Manager) TakeCookies(publicURL string) error {
	cookies, err := newCookies(publicURL)
	if err == nil {
		m.cookies = cookies
	}
	return err
}

func (m *Manager) fill() {
	if m.now == nil {
		m.now = time.Now
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.observe == nil {
		m.observe = func(string) {}
	}
	if m.revoked == nil {
		m.revoked = func(authhandlers.Revocation) {}
	}
	if m.resync == nil {
		m.resync = func() {}
	}
}

// Reconfigure sets the lifetimes. They hold for live sessions too: a shorter lifetime
// at once, another idle time from a session's next use.
func (m *Manager) Reconfigure(idle, lifetime time.Duration) {
	m.limits.Store(&limits{idle: idle, lifetime: lifetime})
}

// Ready says why sessions can't be served, without a secret.
func (m *Manager) Ready(ctx context.Context) error { return m.store.Ready(ctx) }

// Wait returns when what runs in the background has ended: the subscription, with the
// ctx of New, and each refresh that has begun, within half a minute. A refresh that is
// cut short costs the person the session.
func (m *Manager) Wait() { m.running.Wait() }

// Find returns the session of the request's cookie. ErrNoSession: there is no cookie
// of a live session, or two that differ. Any other error is a fault. Finding a session
// keeps it from ending for being idle.
func (m *Manager) Find(ctx context.Context, r *http.Request) (*Session, error) {
	id, ok := read(r, m.cookies.session)
	if !ok || !isSecret(id) {
		return nil, ErrNoSession
	}
	s, err := m.load(ctx, storageKey(id))
	if err != nil {
		return nil, err
	}
	if err := m.Extend(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

// ByHandle returns a live session by its public name, without extending it.
func (m *Manager) ByHandle(ctx context.Context, handle string) (*Session, error) {
	var found *Session
	err := m.each(ctx, func(s *Session) {
		if s.Handle == handle && (found == nil || s.Created.After(found.Created)) {
			found = s
		}
	}, indexHandle, handle)
	if err == nil && found == nil {
		return nil, ErrNoSession
	}
	return found, err
}

// Extend notes that the session is in use, so that it does not end for being idle. It
// asks the store only now and then, so that a session may end for that a tenth of the
// time, and at most a minute, too early.
func (m *Manager) Extend(ctx context.Context, s *Session) error {
	now, idle := m.now(), m.limits.Load().idle
	if last, ok := m.touched.Get(s.key); ok && now.Sub(last) < min(time.Minute, idle/10) {
		return nil
	}
	if err := m.store.Touch(ctx, s.key, min(idle, s.Ends.Sub(now))); err != nil {
		return noSession(err)
	}
	m.touched.Add(s.key, now)
	return nil
}

// Until is when the session has to be looked at again by those who hold something open
// with it: it may have ended by then, or its login.
func (m *Manager) Until(s *Session) time.Time {
	until := s.Ends
	if idle := m.now().Add(m.limits.Load().idle); idle.Before(until) {
		until = idle
	}
	if s.Login.RefreshToken != "" && !s.Login.Until.IsZero() && s.Login.Until.Before(until) {
		until = s.Login.Until
	}
	return until
}

// noSession tells that an entry is not there from a store that can't say.
func noSession(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrNoSession
	}
	return err
}
