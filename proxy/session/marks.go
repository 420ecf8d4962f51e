package session

import (
	"time"

	"github.com/catflap/catflap/internal/deadline"
)

// ending is when something under a key ends.
type ending struct {
	key   string
	at    time.Time
	place int
}

// Due implements deadline.Item.
func (e *ending) Due() time.Time { return e.at }

// Place implements deadline.Item.
func (e *ending) Place() *int { return &e.place }

// marks are the keys of Once: a bounded number, of which the one that would end first
// makes room, since it protects for the shortest time.
type marks struct {
	max   int
	known map[string]*ending
	ends  deadline.Heap[*ending]
}

func newMarks(max int) *marks { return &marks{max: max, known: map[string]*ending{}} }

func (m *marks) set(key string, until time.Time) bool {
	if m.known[key] != nil {
		return false
	}
	if len(m.known) >= m.max {
		if one, ok := m.ends.First(); ok {
			m.forget(one.key)
		}
	}
	one := &ending{key: key, at: until}
	m.known[key] = one
	m.ends.Add(one)
	return true
}

func (m *marks) forget(key string) {
	if one := m.known[key]; one != nil {
		delete(m.known, key)
		m.ends.Remove(one)
	}
}

func (m *marks) expire(now time.Time) {
	for one, ok := m.ends.Expired(now); ok; one, ok = m.ends.Expired(now) {
		m.forget(one.key)
	}
}
