package chat

import (
	"slices"
	"time"
)

// broadcast passes a message of the Cat's to all. The Cat waits for a client that is
// behind, but not for long if another is not: then that one is ended, so that the
// others need not wait for it.
func (r *room) broadcast(m *outbound) {
	var few [4]*subscriber
	for tried := false; ; {
		r.mu.Lock()
		idle, wait := r.pass(m, few[:0])
		if wait == 0 {
			r.waiting.Store(false)
			r.mu.Unlock()
			for _, w := range idle {
				w.writeHere()
			}
			return
		}
		if !tried { // whoever takes something says so from here on; look again
			tried = true
			r.waiting.Store(true)
			r.mu.Unlock()
			continue
		}
		if r.space == nil {
			r.space = make(chan struct{})
		}
		space := r.space
		r.mu.Unlock()
		r.await(m, space, wait)
	}
}

// await waits for a client to take something, and charges that to those who are behind.
func (r *room) await(m *outbound, space <-chan struct{}, most time.Duration) {
	start := time.Now()
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-space:
	case <-t.C:
	}
	took := time.Since(start)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		w.charge(m.size(), took)
	}
}

// pass queues a message for everybody, and ends whoever has been waited for long
// enough. It returns how long to wait first for those who are behind, or else those
// whose writing the caller must see to. The room is locked.
func (r *room) pass(m *outbound, idle []*subscriber) ([]*subscriber, time.Duration) {
	if m.via != nil && m.via.isEnding() {
		return nil, 0 // whoever has the Cat keeps it
	}
	var few [4]*subscriber
	ready, slow := few[:0], []*subscriber(nil)
	for _, w := range r.subscribers {
		switch {
		case w.isEnding():
		case w.takes(m.size()):
			ready = append(ready, w)
		default:
			slow = append(slow, w)
		}
	}
	wait := time.Duration(0)
	for _, w := range slow {
		others, stuck := w.waitedFor()
		left := r.hub.times.stall - stuck
		if len(ready) > 0 {
			left = r.hub.times.grace - others
		}
		if left > 0 {
			wait = max(wait, left)
		} else {
			w.end(closeSlow)
		}
	}
	if wait > 0 {
		return nil, wait
	}
	m.passed = true
	if len(ready) > 1 {
		m.prepare()
	}
	m.giveTo(len(ready))
	for _, w := range ready {
		if w.addIdle(m) {
			idle = append(idle, w)
		}
	}
	if slices.ContainsFunc(ready, func(w *subscriber) bool { return w.remote != nil }) {
		r.remember(m)
	}
	if len(ready) == 0 {
		r.miss(m)
	}
	return idle, 0
}

// wrote is told that a client has taken something.
func (r *room) wrote() {
	if r.waiting.Load() {
		r.mu.Lock()
		r.signal()
		r.mu.Unlock()
	}
}

// signal lets heard look again. The room is locked.
func (r *room) signal() {
	if r.space != nil {
		close(r.space)
		r.space = nil
	}
}
