package standin

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// reopenWindow is how soon after a close handshake a new socket of the same user
// is lost: the Cat clears the old one's entry late and takes the new one's with
// it. At the real Cat it is a race; here it always happens.
const reopenWindow = 20 * time.Millisecond

// socketBook is the Cat's book of sockets: one entry for each user. The newest
// socket overwrites the entry, and closing any socket deletes it, so that the
// others stay open and hear nothing more.
type socketBook struct {
	mu       sync.Mutex
	entry    map[string]*socket
	closedAt map[string]time.Time
	live     map[*socket]struct{}
	total    map[string]int
}

func newSocketBook() socketBook {
	return socketBook{
		entry:    map[string]*socket{},
		closedAt: map[string]time.Time{},
		live:     map[*socket]struct{}{},
		total:    map[string]int{},
	}
}

func (b *socketBook) opened(s *socket, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[s] = struct{}{}
	b.total[s.user]++
	if at, ok := b.closedAt[s.user]; ok && now.Sub(at) < reopenWindow {
		delete(b.entry, s.user)
		return
	}
	b.entry[s.user] = s
}

func (b *socketBook) closed(s *socket, now time.Time, clean bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.live, s)
	delete(b.entry, s.user)
	maps.DeleteFunc(b.closedAt, func(_ string, at time.Time) bool { return now.Sub(at) >= reopenWindow })
	if clean {
		b.closedAt[s.user] = now
	}
}

// send writes to the socket that has the user's entry; without one it is lost.
func (b *socketBook) send(user string, frame object) {
	b.mu.Lock()
	s := b.entry[user]
	b.mu.Unlock()
	if s == nil {
		return
	}
	if text, err := marshal(frame); err == nil {
		s.send(text)
	}
}

func (b *socketBook) of(user string) []*socket {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []*socket
	for s := range b.live {
		if s.user == user {
			list = append(list, s)
		}
	}
	return list
}

func (b *socketBook) dropAll() {
	b.mu.Lock()
	all := slices.Collect(maps.Keys(b.live))
	b.mu.Unlock()
	for _, s := range all {
		s.drop()
	}
}

// Sockets is how many sockets of a user are open now.
func (c *Cat) Sockets(user string) int { return len(c.sockets.of(user)) }

// SocketsOpened is how many sockets of a user were ever opened.
func (c *Cat) SocketsOpened(user string) int {
	c.sockets.mu.Lock()
	defer c.sockets.mu.Unlock()
	return c.sockets.total[user]
}

// SocketUsers counts the open sockets by user.
func (c *Cat) SocketUsers() map[string]int {
	c.sockets.mu.Lock()
	defer c.sockets.mu.Unlock()
	count := map[string]int{}
	for s := range c.sockets.live {
		count[s.user]++
	}
	return count
}

// Hears reports whether replies to a user reach any socket.
func (c *Cat) Hears(user string) bool {
	c.sockets.mu.Lock()
	defer c.sockets.mu.Unlock()
	return c.sockets.entry[user] != nil
}

// DropSockets ends a user's sockets without a close frame, as a Cat that dies does.
func (c *Cat) DropSockets(user string) {
	for _, s := range c.sockets.of(user) {
		s.drop()
	}
}

// CloseSockets ends a user's sockets with a close frame of this code.
func (c *Cat) CloseSockets(user string, code int, reason string) {
	for _, s := range c.sockets.of(user) {
		s.close(code, reason)
	}
}
