package chat

import (
	"container/heap"
	"time"
)

// expiries holds the sockets whose credential ends, the next to end first, so that
// looking costs the same with ten sockets and with ten thousand. The hub guards it.
type expiries []*socket

// noExpiry is the place of a socket that is not among them.
const noExpiry = -1

// Len, Less, Swap, Push and Pop are for container/heap alone.
func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].user.Expiry.Before(e[j].user.Expiry) }
func (e expiries) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].expiry, e[j].expiry = i, j
}

// Push adds a socket.
func (e *expiries) Push(x any) {
	s := x.(*socket)
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

func (e *expiries) remove(s *socket) {
	if s.expiry != noExpiry {
		heap.Remove(e, s.expiry)
	}
}

// expired takes out those whose end has come.
func (e *expiries) expired(now time.Time) []*socket {
	var list []*socket
	for len(*e) > 0 && !now.Before((*e)[0].user.Expiry) {
		list = append(list, heap.Pop(e).(*socket))
	}
	return list
}

// watch sees to it that the socket ends with its credential. The hub is locked.
func (h *Hub) watch(s *socket) {
	if s.user.Expiry.IsZero() {
		return
	}
	heap.Push(&h.ends, s)
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
		expired := h.ends.expired(h.now())
		h.looking = len(h.ends) > 0
		more := h.looking
		h.mu.Unlock()
		endAll(expired, closeExpired)
		if !more {
			return
		}
	}
}
