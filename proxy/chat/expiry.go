package chat

import (
	"time"

	"github.com/catflap/catflap/internal/deadline"
)

// expiries holds the clients whose credential ends, the next to be looked at first. The
// hub guards it.
type expiries deadline.Heap[*client]

// noExpiry is the place of a client that is not among them.
const noExpiry = 0

func (e *expiries) heap() *deadline.Heap[*client] { return (*deadline.Heap[*client])(e) }

func (e *expiries) remove(s *client) { e.heap().Remove(s) }

// expired takes out those whose time has come.
func (e *expiries) expired(now time.Time) []*client {
	var list []*client
	for s, ok := e.heap().Expired(now); ok; s, ok = e.heap().Expired(now) {
		list = append(list, s)
	}
	return list
}

// watch sees to it that the socket ends with its credential, and that a session's
// is asked to be renewed before. The hub is locked.
func (h *Hub) watch(s *client) {
	u := s.user.Load()
	if u.Expiry.IsZero() {
		h.ends.remove(s)
		return
	}
	s.due = u.Expiry
	if left := u.Expiry.Sub(h.o.Now()); h.renewable(u) && left > 2*renewLeast {
		s.due = s.due.Add(-min(renewLead, left/2))
	}
	h.await(s)
}

// await has a client looked at when it is due. The hub is locked.
func (h *Hub) await(s *client) {
	h.ends.remove(s)
	h.ends.heap().Add(s)
	if !h.looking {
		h.looking = true
		go h.watchExpiry()
	}
}

// watchExpiry compares with the hub's own clock, a few times a second, while there is
// a socket whose credential ends.
func (h *Hub) watchExpiry() {
	t := time.NewTicker(expiryTick)
	defer t.Stop()
	for range t.C {
		h.mu.Lock()
		now := h.o.Now()
		var over []*client
		for _, s := range h.ends.expired(now) {
			u := s.user.Load()
			if u.Expiry.IsZero() || now.Before(u.Expiry) {
				s.due = u.Expiry // whatever the answer is, that is the end
				h.renew(s)
				if !u.Expiry.IsZero() {
					h.ends.heap().Add(s)
				}
				continue
			}
			over = append(over, s)
		}
		h.looking = len(h.ends) > 0
		more := h.looking
		h.mu.Unlock()
		endAll(over, closeExpired)
		if !more {
			return
		}
	}
}
