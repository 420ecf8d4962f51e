package chat

import (
	"time"

	"github.com/catflap/catflap/internal/deadline"
)

// expiries holds the seats whose credential ends, the next to be looked at first. The
// hub guards it.
type expiries deadline.Heap[*seat]

// noExpiry is the place of a seat that is not among them.
const noExpiry = 0

// Due implements deadline.Item.
func (s *seat) Due() time.Time { return s.due }

// Place implements deadline.Item.
func (s *seat) Place() *int { return &s.expiry }

func (e *expiries) heap() *deadline.Heap[*seat] { return (*deadline.Heap[*seat])(e) }

func (e *expiries) remove(s *seat) { e.heap().Remove(s) }

// expired takes out those whose time has come.
func (e *expiries) expired(now time.Time) []*seat {
	var list []*seat
	for s, ok := e.heap().Expired(now); ok; s, ok = e.heap().Expired(now) {
		list = append(list, s)
	}
	return list
}

// watch sees to it that the socket ends with its credential, and that a session's
// is asked to be renewed before. The hub is locked.
func (h *Hub) watch(s *seat) {
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

// await has a seat looked at when it is due. The hub is locked.
func (h *Hub) await(s *seat) {
	h.ends.remove(s)
	h.ends.heap().Add(s)
	if !h.looking {
		h.looking = true
		go h.look()
	}
}

// look compares with the hub's own clock, a few times a second, while there is
// a socket whose credential ends.
func (h *Hub) look() {
	t := time.NewTicker(look)
	defer t.Stop()
	for range t.C {
		h.mu.Lock()
		now := h.o.Now()
		var over []*seat
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
