package upstream

import (
	"net"
	"sync"
)

// seats are the people who have a socket open at one of several Cats. A person who sits
// there goes there with everything else, too: when their own Cat is back, or
// another has come, a conversation that is open is not torn in two.
type seats struct {
	mu    sync.Mutex
	taken map[string]int // open sockets, by the person's id
}

// has reports a person with an open socket.
func (s *seats) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[id] > 0
}

// take keeps a seat until leave is called. More calls of it do nothing.
func (s *seats) take(id string) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[id]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.taken[id]--; s.taken[id] == 0 {
			delete(s.taken, id)
		}
	})
}

// seatedConn leaves the seat when it is closed. The embedded type is the concrete
// one, so that what else a TCP connection can do still works.
type seatedConn struct {
	*net.TCPConn
	leave func()
}

func (c seatedConn) Close() error {
	c.leave()
	return c.TCPConn.Close()
}
