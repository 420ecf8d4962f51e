package chat

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// endAll ends sockets side by side: one whose connection is stuck delays none.
func endAll(seats []*seat, c Closing) {
	for _, s := range seats {
		go s.who.end(c)
	}
}

// Rejudge asks judge about each person with a socket, open or about to be, and
// ends those for whom it returns a Closing. Whoever joins from then on is asked
// about, too: a handshake may have been let in by the rules before. The judge
// must not call the hub.
func (h *Hub) Rejudge(judge func(*authhandlers.AuthUserInfo) *Closing) {
	h.mu.Lock()
	h.judge = judge
	h.mu.Unlock()
	for _, s := range h.all() {
		if c := judge(s.user.Load()); c != nil {
			go s.who.end(*c)
		}
	}
	for _, p := range h.persons() {
		p.relevel()
	}
}

// Revoke ends the sockets, open or about to be, of those whom the revocation means,
// and no other of the same person.
func (h *Hub) Revoke(r authhandlers.Revocation) {
	for _, s := range h.all() {
		if r.Matches(s.user.Load()) {
			go s.who.end(closeSignedOut)
		}
	}
}

func (h *Hub) all() []*seat {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*seat, 0, len(h.seats))
	for s := range h.seats {
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
	defer h.parker.close()
	endAll(h.all(), closeStopping)
	h.handOver()
	for _, r := range h.rooms() {
		r.stop() // where nobody is left
	}
	done := make(chan struct{})
	go func() {
		h.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, s := range h.all() {
		s.who.abort()
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
