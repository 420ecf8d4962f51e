package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

const (
	// renewalTime bounds one renewal, whoever waits for it.
	renewalTime = 15 * time.Second
	// lockLife is the life of a crashed Catflap's lock.
	lockLife = renewalTime + 5*time.Second
	// lockLook is how often somebody else's renewal is looked after.
	lockLook = 50 * time.Millisecond
	// After a fault the provider is left alone for a while, which doubles.
	firstPause, longestPause = 5 * time.Second, time.Minute
	// mostAhead bounds how long before its end a login is renewed.
	mostAhead = time.Minute
	// keptFailures bounds the sessions whose faults are remembered.
	keptFailures = 10_000
)

// renewals are those under way in this process, and the faults of the last ones.
type renewals struct {
	mu       sync.Mutex
	flights  map[string]*flight
	failures map[string]failure
}

type flight struct {
	done    chan struct{}
	session *Session
	err     error
}

type failure struct {
	next  time.Time
	pause time.Duration
}

// Refresh asks the provider anew; see authhandlers.LoginProvider.
type Refresh func(context.Context, *authhandlers.Login) (*authhandlers.Login, error)

// Fresh returns the session as the provider sees it. When its login is about to end
// it is renewed, once for everybody who asks, here and on every other Catflap. The
// error is ErrNoSession, with the *authhandlers.Rejection by which the provider
// ended it, or ErrUnavailable, or another fault.
func (m *Manager) Fresh(ctx context.Context, s *Session, refresh Refresh) (*Session, error) {
	if !m.due(s) {
		return s, nil
	}
	if m.resting(s) {
		return m.unlessOver(s, ErrUnavailable)
	}
	m.renewal.mu.Lock()
	f, under := m.renewal.flights[s.Handle]
	if !under {
		f = &flight{done: make(chan struct{})}
		m.renewal.flights[s.Handle] = f
		// On its own: who leaves must not spend the refresh token of those who stay.
		go m.fly(context.WithoutCancel(ctx), f, s, refresh)
	}
	m.renewal.mu.Unlock()
	select {
	case <-f.done:
		return f.session, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// due reports a login that ends soon, or has ended.
func (m *Manager) due(s *Session) bool {
	l := &s.Login
	if l.RefreshToken == "" {
		return false
	}
	life := l.Until.Sub(s.Renewed)
	ahead := min(mostAhead, max(life/4, 0))
	return !m.o.Now().Before(l.Until.Add(-ahead))
}

// unlessOver lets a session go on without the provider until its login has ended.
func (m *Manager) unlessOver(s *Session, err error) (*Session, error) {
	if m.o.Now().Before(s.Login.Until) {
		return s, nil
	}
	return nil, err
}

func (m *Manager) fly(ctx context.Context, f *flight, s *Session, refresh Refresh) {
	ctx, cancel := context.WithTimeout(ctx, renewalTime)
	defer cancel()
	f.err = ErrUnavailable // unless it comes to an end
	defer func() {
		if p := recover(); p != nil {
			m.o.Log.Error("a renewal panicked", "type", fmt.Sprintf("%T", p))
		}
		m.renewal.mu.Lock()
		delete(m.renewal.flights, s.Handle)
		m.renewal.mu.Unlock()
		close(f.done)
	}()
	f.session, f.err = m.renew(ctx, s, refresh)
}

// renew takes the lock, or waits for whoever has it.
func (m *Manager) renew(ctx context.Context, s *Session, refresh Refresh) (*Session, error) {
	for {
		release, ok, err := m.o.Store.Lock(ctx, "renew:"+s.Handle, lockLife)
		if err != nil {
			return m.unlessOver(s, err)
		}
		if ok {
			defer release()
			return m.renewLocked(ctx, s, refresh)
		}
		t := time.NewTimer(lockLook)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return m.unlessOver(s, ErrUnavailable)
		}
		now, err := m.read(ctx, s.key)
		switch {
		case errors.Is(err, ErrNoSession):
			return m.moved(ctx, s)
		case err == nil && !m.due(now):
			return now, nil
		}
	}
}

// moved finds a session whose cookie's id has changed meanwhile.
func (m *Manager) moved(ctx context.Context, s *Session) (*Session, error) {
	l, err := m.find(ctx, "handle", s.Handle)
	if err != nil {
		return nil, err
	}
	if len(l) == 0 {
		return nil, ErrNoSession
	}
	return l[0], nil
}

// renewLocked reads again, since somebody else may have renewed before, asks the
// provider, and keeps what it said before anybody uses it.
func (m *Manager) renewLocked(ctx context.Context, s *Session, refresh Refresh) (*Session, error) {
	now, err := m.read(ctx, s.key)
	switch {
	case errors.Is(err, ErrNoSession):
		return m.moved(ctx, s)
	case err != nil:
		return m.unlessOver(s, err)
	case !m.due(now):
		return now, nil
	}
	old := now.Login
	l, err := refresh(ctx, &old)
	if rejected, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		m.o.Observe("refresh_refused")
		m.rested(s)
		return nil, errors.Join(ErrNoSession, rejected, m.end(ctx, now, rejected.Code))
	}
	if err == nil && !samePerson(&l.Person, &old.Person) {
		m.o.Observe("refresh_refused")
		return nil, errors.Join(ErrNoSession, errors.New("the provider renewed the login as another person's"), m.end(ctx, now, "login_ended"))
	}
	if err != nil {
		m.o.Observe("refresh_failed")
		m.o.Log.Warn("a session can't be renewed; it goes on until its login ends", "handler", now.Handler, "session", now.Handle, "err", err.Error())
		m.rest(s)
		return m.unlessOver(now, fmt.Errorf("%w: %w", ErrUnavailable, err))
	}
	next := *now
	next.Login, next.Renewed = *l, m.o.Now()
	// On a context of its own: the old refresh token is spent, so that this one must
	// not be lost because the provider was slow.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTimeout)
	defer cancel()
	if err := m.rewrite(keep, &next); err != nil {
		return nil, err
	}
	if !l.Until.After(old.Until) {
		// Renewed, but the provider could not say what the person is: what it said
		// before holds until its old end, and it is asked again in a while.
		m.o.Observe("refresh_failed")
		m.rest(s)
		return m.unlessOver(&next, ErrUnavailable)
	}
	m.rested(s)
	m.o.Observe("session_refreshed")
	return &next, nil
}

// resting reports that the provider failed a moment ago.
func (m *Manager) resting(s *Session) bool {
	m.renewal.mu.Lock()
	defer m.renewal.mu.Unlock()
	f, ok := m.renewal.failures[s.Handle]
	return ok && m.o.Now().Before(f.next)
}

func (m *Manager) rest(s *Session) {
	m.renewal.mu.Lock()
	defer m.renewal.mu.Unlock()
	if len(m.renewal.failures) >= keptFailures {
		clear(m.renewal.failures)
	}
	f := m.renewal.failures[s.Handle]
	f.pause = min(max(2*f.pause, firstPause), longestPause)
	f.next = m.o.Now().Add(f.pause)
	m.renewal.failures[s.Handle] = f
}

func (m *Manager) rested(s *Session) {
	m.renewal.mu.Lock()
	defer m.renewal.mu.Unlock()
	delete(m.renewal.failures, s.Handle)
}
