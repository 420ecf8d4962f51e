package chat

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// endAll ends sockets side by side: one whose connection is stuck delays none.
func endAll(clients []*client, c Closing) {
	for _, s := range clients {
		go s.endpoint.end(c)
	}
}

// Rejudge asks judge about each person with a socket, open or about to be, and
// ends those that it returns a Closing for; the others are from then on as it returns
// them. Those who began to come in before are asked about when they take a place. The judge
// must not call the hub.
func (h *Hub) Rejudge(judge Judge) {
	h.mu.Lock()
	h.judge = judge
	h.judged.Add(1)
	h.mu.Unlock()
	for _, p := range h.persons() {
		h.rejudge(p, judge)
		p.relevel()
	}
}

// rejudge judges a person's sockets, and their room where nobody is left in it.
func (h *Hub) rejudge(p *person, judge Judge) {
	h.mu.Lock()
	clients := slices.Clone(p.clients)
	h.mu.Unlock()
	stay := false
	for _, s := range clients {
		before := s.user.Load()
		u, c := judge(before)
		if c != nil {
			go s.endpoint.end(*c)
			continue
		}
		stay = true
		h.mu.Lock()
		if _, open := h.clients[s]; open && s.user.CompareAndSwap(before, u) { // else it was renewed, and judged
			h.watch(s)
		}
		h.mu.Unlock()
	}
	if !stay {
		p.room.expel(judge)
	}
}

// Revoke ends the sockets, open or about to be, of those that the revocation means,
// and no other of the same person. It holds for those who began to come in before, too.
func (h *Hub) Revoke(r authhandlers.Revocation) {
	h.mu.Lock()
	h.lately.add(r)
	h.mu.Unlock()
	for _, s := range h.all() {
		if r.Matches(s.user.Load()) {
			go s.endpoint.end(closeSignedOut)
		}
	}
}

func (h *Hub) all() []*client {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*client, 0, len(h.clients))
	for s := range h.clients {
		list = append(list, s)
	}
	return list
}

func (h *Hub) rooms() []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*room, 0, len(h.people))
	for _, p := range h.people {
		list = append(list, &p.room)
	}
	return list
}

func (h *Hub) persons() []*person {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.people))
}

// Shutdown takes no more sockets, ends those that are open with 1001, and waits
// for them; when ctx ends first, they are cut.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.stopping.Store(true)
	h.renewals.waiting = nil
	h.mu.Unlock()
	defer h.poller.Close()
	endAll(h.all(), closeStopping)
	h.handOver()
	for _, r := range h.rooms() {
		r.stop() // where nobody is left
	}
	done := make(chan struct{})
	go func() {
		h.idle.Wait()
		h.router.waitPassed()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, s := range h.all() {
		s.endpoint.abort()
	}
	for _, r := range h.rooms() {
		r.abort()
	}
	// What is cut is over in no time, and told of before the process ends.
	select {
	case <-done:
	case <-time.After(abortWait):
	}
	return ctx.Err()
}
