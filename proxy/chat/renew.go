package chat

import (
	"context"
	"errors"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

const (
	// renewLead is how long before its end a session is asked to be renewed; of a
	// shorter one, half of what is left.
	renewLead = time.Minute
	// renewLeast is too little time to ask once more.
	renewLeast = time.Second
	// renewWait bounds one asking.
	renewWait = 15 * time.Second
	// renewAgain is how long after a fault it is asked again.
	renewAgain = 5 * time.Second
	// renewers is how many are asked for at once.
	renewers = 8
)

// renewals are the clients whose session is asked for, few at a time: after a lost
// message bus it may be all of them. The hub guards it.
type renewals struct {
	waiting []*client
	workers int
}

func (h *Hub) renewable(u *authhandlers.AuthUserInfo) bool {
	return h.o.Renew != nil && u.Session != ""
}

// Resync asks for each socket that came by a session whether the session still
// is: a message that ended one may have been lost.
func (h *Hub) Resync() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.clients {
		if h.renewable(s.user.Load()) {
			h.renew(s)
		}
	}
}

// renew has a client's session asked for. An answer that is already under way may be
// older than the reason to ask, so the session is asked for once more after it. The
// hub is locked.
func (h *Hub) renew(s *client) {
	if h.stopping.Load() {
		return
	}
	if s.asking {
		s.askAgain = true
		return
	}
	s.asking = true
	h.renewals.waiting = append(h.renewals.waiting, s)
	if h.renewals.workers < renewers {
		h.renewals.workers++
		go h.renewAll()
	}
}

// renewAll asks for one after another until nobody waits.
func (h *Hub) renewAll() {
	for {
		h.mu.Lock()
		if len(h.renewals.waiting) == 0 {
			h.renewals.workers--
			h.mu.Unlock()
			return
		}
		s := h.renewals.waiting[0]
		h.renewals.waiting[0] = nil
		h.renewals.waiting = h.renewals.waiting[1:]
		s.askAgain = false // the asking begins only now
		_, open := h.clients[s]
		h.mu.Unlock()
		if open {
			h.askFor(s)
		}
	}
}

// askFor asks for one session. A fault in there is one of the asking.
func (h *Hub) askFor(s *client) {
	defer h.o.Caught()
	before := s.user.Load()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.asking = false
		if _, open := h.clients[s]; open && s.askAgain {
			h.renew(s)
			return
		}
		h.again(s, before)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), renewWait)
	defer cancel()
	since := h.Mark()
	u, err := h.o.Renew(ctx, before)
	if err == nil {
		err = h.become(s, since, before, u)
	}
	if c := ending(err, closeSessionOver); c != nil {
		s.endpoint.end(*c)
	}
}

// again sees to it that a session which was asked for in vain is asked for once
// more, if there is time. The hub is locked.
func (h *Hub) again(s *client, before *authhandlers.AuthUserInfo) {
	u := s.user.Load()
	if _, open := h.clients[s]; !open || u != before || u.Expiry.IsZero() {
		return
	}
	if next := h.o.Now().Add(renewAgain); next.Before(u.Expiry) {
		s.due = next
		h.await(s)
	}
}

// become makes the socket go on with a renewed credential of the same person, which was
// looked at after a moment.
func (h *Hub) become(s *client, since Mark, before, u *authhandlers.AuthUserInfo) error {
	if u == nil || !u.Same(before) {
		return &EndedError{closeOther}
	}
	if err := h.replace(s, since, u); err != nil {
		return err
	}
	s.person.relevel()
	return nil
}

// replace puts a renewed credential, looked at after a moment, in the place of the old one.
func (h *Hub) replace(s *client, since Mark, u *authhandlers.AuthUserInfo) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !u.Expiry.IsZero() && !h.o.Now().Before(u.Expiry) {
		return &EndedError{closeExpired}
	}
	u, c := h.since(since, u)
	if c != nil {
		return &EndedError{*c}
	}
	if _, open := h.clients[s]; !open {
		return nil
	}
	s.user.Store(u)
	h.watch(s)
	return nil
}

// ending is how a socket ends after an answer about its credential, or nil: a fault
// of ours ends none.
func ending(err error, refused Closing) *Closing {
	if ended, ok := errors.AsType[*EndedError](err); ok {
		return &ended.Closing
	}
	if _, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return &refused
	}
	return nil
}
