package chat

import (
	"context"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// register takes a socket into the hub, which from now on ends it in time.
func (h *Hub) register(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets[s] = struct{}{}
	if h.stopping {
		go s.end(closeStopping)
	}
	if !h.looking {
		h.looking = true
		go h.watchExpiry()
	}
}

func (h *Hub) unregister(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
}

// watchExpiry ends the sockets whose credential has ended. It compares with the
// hub's own clock, a few times a second, and stops when no socket is open.
func (h *Hub) watchExpiry() {
	t := time.NewTicker(look)
	defer t.Stop()
	for range t.C {
		now := h.now()
		h.mu.Lock()
		if len(h.sockets) == 0 {
			h.looking = false
			h.mu.Unlock()
			return
		}
		var expired []*socket
		for s := range h.sockets {
			if end := s.joining.User.Expiry; !end.IsZero() && !now.Before(end) {
				expired = append(expired, s)
			}
		}
		h.mu.Unlock()
		endAll(expired, closeExpired)
	}
}

// endAll ends sockets side by side: one whose connection is stuck delays none.
func endAll(sockets []*socket, c Closing) {
	for _, s := range sockets {
		go s.end(c)
	}
}

// Rejudge asks judge about each person with an open socket, after a reload, and
// ends those for whom it returns a Closing.
func (h *Hub) Rejudge(judge func(*authhandlers.AuthUserInfo) *Closing) {
	for _, s := range h.open() {
		if c := judge(s.joining.User); c != nil {
			go s.end(*c)
		}
	}
}

// Revoke ends the sockets of those whom the revocation means.
func (h *Hub) Revoke(r authhandlers.Revocation) {
	for _, s := range h.open() {
		if r.Matches(s.joining.User) {
			go s.end(Closing{CodeSignedOut, "signed out"})
		}
	}
}

func (h *Hub) open() []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*socket, 0, len(h.sockets))
	for s := range h.sockets {
		list = append(list, s)
	}
	return list
}

// Shutdown takes no more sockets, ends those that are open with 1001, and waits
// for them; when ctx ends first, they are cut.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.stopping = true
	h.mu.Unlock()
	endAll(h.open(), closeStopping)
	done := make(chan struct{})
	go func() {
		h.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		for _, s := range h.open() {
			s.abort()
		}
		return ctx.Err()
	}
}
