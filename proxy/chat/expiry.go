package chat

import (
	"container/heap"
	"time"
)

// expiries holds the places whose credential ends, the next to be looked at first, so
// that looking costs the same with ten sockets and with ten thousand. The hub
// guards it.
type expiries []*client

// noExpiry is the place of a client that is not among them.
const noExpiry = -1

// Len, Less, Swap, Push and Pop are for container/heap alone.
func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].due.Before(e[j].due) }
func (e expiries) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].expiry, e[j].expiry = i, j
}

// Push adds a client.
func (e *expiries) Push(x any) {
	s := x.(*client)
	s.expiry = len(*e)
	*e = append(*e, s)
}

// Pop removes the last.
func (e *expiries) Pop() any {
	last := len(*e) - 1
	s := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	s.expiry = noExpiry
	return s
}

func (e *expiries) remove(s *client) {
	if s.expiry != noExpiry {
		heap.Remove(e, s.expiry)
	}
}

// expired takes out those whose time has come.
func (e *expiries) expired(now time.Time) []*client {
	var list []*client
	for len(*e) > 0 && !now.Before((*e)[0].due) {
		list = append(list, heap.Pop(e).(*client))
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
	heap.Push(&h.ends, s)
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
					heap.Push(&h.ends, s)
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
