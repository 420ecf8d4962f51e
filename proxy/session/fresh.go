package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wait"
)

// Refresh asks the provider again who somebody is, as LoginProvider.RefreshLogin does.
type Refresh func(context.Context, *authhandlers.Login) (*authhandlers.Login, error)

// The bounds of one renewal. The lock outlasts all that its owner does, so that two
// never spend one refresh token, and ends by itself if the owner has crashed.
const (
	refreshTime = 15 * time.Second
	storeTime   = 10 * time.Second
	lockTime    = refreshTime + storeTime + 5*time.Second
)

// Fresh returns the session with tokens that hold. Where they end soon it asks the
// provider, once for all callers of all Catflaps, whatever becomes of ctx.
//
// A provider that refuses ends the session: the error is ErrNoSession and wraps the
// *Rejection. One that can't answer is asked again after a while; until the tokens
// have ended the session goes on as it is, and then the error is ErrUnavailable until
// the provider is back. The session of a login without refresh token is always fresh.
func (m *Manager) Fresh(ctx context.Context, s *Session, refresh Refresh) (*Session, error) {
	if !m.due(s) {
		return s, nil
	}
	if err := m.renewals.resting(s.key, m.now()); err != nil {
		return m.unrenewed(s, fmt.Errorf("the last attempt has failed: %w", err))
	}
	f, own := m.renewals.flights.Join(s.key)
	if own {
		ctx := context.WithoutCancel(ctx)
		m.running.Go(func() { m.renew(ctx, f, s, refresh) })
	}
	renewed, err := f.Wait(ctx)
	switch {
	case err == nil || errors.Is(err, ErrNoSession):
		return renewed, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return m.unrenewed(s, err)
}

// due reports whether the tokens end soon: within a minute, or within the last quarter
// of their life if that is shorter.
func (m *Manager) due(s *Session) bool {
	if s.Login.RefreshToken == "" || s.Login.Until.IsZero() {
		return false
	}
	ahead := max(0, min(time.Minute, s.Login.Until.Sub(s.renewed)/4))
	return !m.now().Before(s.Login.Until.Add(-ahead))
}

// unrenewed is what callers get while the provider can't be asked.
func (m *Manager) unrenewed(s *Session, err error) (*Session, error) {
	if m.now().Before(s.Login.Until) {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func (m *Manager) renew(ctx context.Context, f *renewal, s *Session, refresh Refresh) {
	renewed, err := m.renewed(ctx, s, refresh)
	fault := err != nil && !errors.Is(err, ErrNoSession)
	if fault {
		m.observe(EventRefreshFailed)
		m.log.WarnContext(ctx, "a session could not be refreshed", "session", s.Handle, "handler", s.Handler, "err", err)
	}
	m.renewals.land(s.key, f, renewed, err, m.now(), fault)
}

// renewed takes the lock, or waits until the one who has it is done.
func (m *Manager) renewed(ctx context.Context, s *Session, refresh Refresh) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		unlock, ok, err := m.store.Lock(ctx, s.key, lockTime)
		if err != nil {
			return nil, err
		}
		if ok {
			defer unlock()
			return m.underLock(ctx, s, refresh)
		}
		now, err := m.reread(ctx, s)
		if err != nil || !m.due(now) {
			return now, err
		}
		if wait.For(ctx, pause) != nil {
			return nil, errors.New("another refresh of the session does not end")
		}
	}
}

// reread returns the session as it is now. The person may have signed in again in the
// meantime: then it has another key.
func (m *Manager) reread(ctx context.Context, s *Session) (*Session, error) {
	now, err := m.load(ctx, s.key)
	if errors.Is(err, ErrNoSession) {
		return m.ByHandle(ctx, s.Handle)
	}
	return now, err
}

func (m *Manager) underLock(ctx context.Context, s *Session, refresh Refresh) (*Session, error) {
	old, err := m.reread(ctx, s)
	if err != nil || old.key != s.key || !m.due(old) {
		return old, err
	}
	login, err := m.ask(ctx, old, refresh)
	if rejection, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return nil, m.refused(ctx, old, rejection)
	}
	if err != nil {
		return nil, err
	}
	renewed := *old
	renewed.Login, renewed.renewed = *login, m.now()
	if err := m.keep(ctx, &renewed); err != nil {
		return nil, err
	}
	if !renewed.Login.Until.After(old.Login.Until) {
		// The new refresh token is kept. What the person is holds until its old end, and
		// the provider is asked again in a while.
		return nil, errSaysNothing
	}
	m.observe(EventRefreshed)
	return &renewed, nil
}

// errSaysNothing means a provider that renews a login and can't say what the person is.
var errSaysNothing = errors.New("the provider has renewed the login without saying what the person is")

// ask calls the handler. Its panic is a fault of this one session. What a provider may
// leave out of its answer stays as it was (RFC 6749 §6, OpenID Connect Core §12.2).
func (m *Manager) ask(ctx context.Context, s *Session, refresh Refresh) (l *authhandlers.Login, err error) {
	defer func() {
		if p := recover(); p != nil {
			l, err = nil, fmt.Errorf("handler %s panicked with a %T", s.Handler, p)
		}
	}()
	old := s.Login
	l, err = refresh(ctx, &old)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, fmt.Errorf("handler %s returned neither a login nor an error", s.Handler)
	}
	renewed := *l
	if renewed.Person.Issuer != s.Login.Person.Issuer || renewed.Person.Subject != s.Login.Person.Subject {
		return nil, authhandlers.Reject(authhandlers.CodeInvalidClaim, "sign in again", "the refresh is another person's")
	}
	if renewed.RefreshToken == "" {
		renewed.RefreshToken = s.Login.RefreshToken
	}
	if renewed.IDToken == "" {
		renewed.IDToken = s.Login.IDToken
	}
	if renewed.Person.SessionID == "" {
		renewed.Person.SessionID = s.Login.Person.SessionID
	}
	return &renewed, nil
}

// keep stores the session before anybody uses it. It is tried for as long as it may,
// since the token that is stored now is spent.
func (m *Manager) keep(ctx context.Context, s *Session) error {
	sealed, err := m.sealed(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err = noSession(m.store.Replace(ctx, s.key, sealed))
		if err == nil || errors.Is(err, ErrNoSession) {
			return err
		}
		if wait.For(ctx, pause) != nil {
			return fmt.Errorf("the new tokens can't be stored: %w", err)
		}
	}
}

// refused ends the session, unless somebody has renewed it after all: an owner of the
// lock who was stopped for longer than the lock lasts.
func (m *Manager) refused(ctx context.Context, s *Session, rejection *authhandlers.Rejection) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if now, err := m.load(ctx, s.key); err == nil && !now.renewed.Equal(s.renewed) {
		return errors.New("another Catflap has refreshed the session")
	}
	m.observe(EventRefreshRefused)
	if err := m.endAll(ctx, []*Session{s}, authhandlers.CodeLoginEnded); err != nil {
		m.log.WarnContext(ctx, "a session that the provider has ended could not be ended everywhere", "session", s.Handle, "err", err)
	}
	return fmt.Errorf("%w: %w", ErrNoSession, rejection)
}
