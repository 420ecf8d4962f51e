package session

import (
	"container/heap"
	"time"
)

// deadline is when something under a key ends.
type deadline struct {
	key   string
	at    time.Time
	place int
}

// deadlines holds them by their time, so that expiry needs neither a goroutine nor a
// walk through all.
type deadlines struct{ heap deadlineHeap }

func (d *deadlines) add(one *deadline) { heap.Push(&d.heap, one) }

func (d *deadlines) remove(one *deadline) { heap.Remove(&d.heap, one.place) }

func (d *deadlines) move(one *deadline, at time.Time) {
	one.at = at
	heap.Fix(&d.heap, one.place)
}

// first returns the one that ends first, or nil.
func (d *deadlines) first() *deadline {
	if len(d.heap) == 0 {
		return nil
	}
	return d.heap[0]
}

// expired returns one that has ended, or nil.
func (d *deadlines) expired(now time.Time) *deadline {
	if one := d.first(); one != nil && !now.Before(one.at) {
		return one
	}
	return nil
}

type deadlineHeap []*deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *deadlineHeap) Push(x any) {
	one := x.(*deadline)
	one.place = len(*h)
	*h = append(*h, one)
}

func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	one := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return one
}

// marks are the keys of Once: a bounded number, of which the one that would end first
// makes room, since it protects for the shortest time.
type marks struct {
	max   int
	known map[string]*deadline
	ends  deadlines
}

func newMarks(max int) *marks { return &marks{max: max, known: map[string]*deadline{}} }

func (m *marks) set(key string, until time.Time) bool {
	if m.known[key] != nil {
		return false
	}
	if len(m.known) >= m.max {
		if one := m.ends.first(); one != nil {
			m.forget(one.key)
		}
	}
	one := &deadline{key: key, at: until}
	m.known[key] = one
	m.ends.add(one)
	return true
}

func (m *marks) forget(key string) {
	if one := m.known[key]; one != nil {
		delete(m.known, key)
		m.ends.remove(one)
	}
}

func (m *marks) expire(now time.Time) {
	for one := m.ends.expired(now); one != nil; one = m.ends.expired(now) {
		m.forget(one.key)
	}
}
