package provider

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"
)

// session is a person who has signed in in one browser.
type session struct {
	cookie string // secret
	sid    string // what tokens say, and nobody can use
	who    person
	since  time.Time // when they last said who they are
	until  time.Time
}

// grant is what one code, and the refresh tokens that follow from it, stand for.
type grant struct {
	session                           *session
	redirect, challenge, nonce, scope string
	over                              bool
}

// ticket is a code or a refresh token: worth a grant, once.
type ticket struct {
	grant *grant
	until time.Time
	spent bool
}

// store is all that the provider remembers.
type store struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[string]*session // by cookie
	codes    map[string]*ticket
	refresh  map[string]*ticket
}

func newStore(now func() time.Time) store {
	return store{now: now, sessions: map[string]*session{}, codes: map[string]*ticket{}, refresh: map[string]*ticket{}}
}

// signIn starts a session, or goes on with the old one if it is the same person's;
// the cookie is new either way. Another person's is over, and returned as ended.
func (s *store) signIn(old *session, who person) (cookie string, now, ended *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.now()
	maps.DeleteFunc(s.sessions, func(_ string, x *session) bool { return !at.Before(x.until) })
	fresh := &session{cookie: rand.Text(), sid: rand.Text(), who: who, since: at, until: at.Add(sessionLife)}
	if old != nil && s.sessions[old.cookie] == old {
		delete(s.sessions, old.cookie)
		if old.who.name != who.name {
			ended = old
		} else {
			old.cookie, old.since, old.until = fresh.cookie, fresh.since, fresh.until
			fresh = old
		}
	}
	s.sessions[fresh.cookie] = fresh
	return fresh.cookie, fresh, ended
}

// session is a copy of the one with this cookie, with itself.
func (s *store) session(cookie string) (copied session, itself *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[cookie]; s.alive(x) {
		return *x, x
	}
	return session{}, nil
}

// alive reports a session that has not ended. The lock is held.
func (s *store) alive(x *session) bool {
	return x != nil && s.sessions[x.cookie] == x && s.now().Before(x.until)
}

// known reports whether the session with this sid lives.
func (s *store) known(sid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.sid == sid && s.alive(x) {
			return true
		}
	}
	return false
}

// end ends a session, and with it its codes and refresh tokens. It reports false
// if it had ended before.
func (s *store) end(x *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive(x) {
		return false
	}
	delete(s.sessions, x.cookie)
	return true
}

// newCode returns a code for the grant.
func (s *store) newCode(g *grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(s.codes, g, s.now().Add(codeLife))
}

// newRefresh returns a refresh token that lives as long as the session.
func (s *store) newRefresh(g *grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(s.refresh, g, g.session.until)
}

func (s *store) issue(tickets map[string]*ticket, g *grant, until time.Time) string {
	now := s.now()
	maps.DeleteFunc(tickets, func(_ string, t *ticket) bool { return !now.Before(t.until) })
	value := rand.Text()
	tickets[value] = &ticket{grant: g, until: until}
	return value
}

// takeCode spends a code.
func (s *store) takeCode(value string) (*grant, session, bool) { return s.take(s.codes, value) }

// takeRefresh spends a refresh token.
func (s *store) takeRefresh(value string) (*grant, session, bool) { return s.take(s.refresh, value) }

// take spends a ticket. One that was spent before has been stolen, from this client
// or by it: the whole grant is over (RFC 6749 §4.1.2, RFC 9700 §4.14.2).
func (s *store) take(tickets map[string]*ticket, value string) (*grant, session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := tickets[value]
	if !ok || !s.now().Before(t.until) {
		return nil, session{}, false
	}
	if t.spent {
		t.grant.over = true
	}
	t.spent = true
	if t.grant.over || !s.alive(t.grant.session) {
		return nil, session{}, false
	}
	return t.grant, *t.grant.session, true
}
