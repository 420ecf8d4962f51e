package chat

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// room is a person's shared session: the clients, and the one line to the Cat.
type room struct {
	hub    *Hub
	person *person
	// waiting says that the Cat waits for a client to take something.
	waiting atomic.Bool

	mu      sync.Mutex
	line    line // nil while there is none
	windows []*window
	coming  int // clients whose handshake is under way
	newest  newest
	space   chan struct{} // closed when a client has taken something
	absence absence
}

// newest is how the line is opened anew: as the client that came last would.
type newest struct {
	user *authhandlers.AuthUserInfo
	dial func(context.Context) (*websocket.Conn, error)
}

// enter sees to it that there is a line, for a client that comes. Without an error,
// join or turnBack must follow.
func (r *room) enter(ctx context.Context, j *Joining) error {
	p := r.person
	if err := p.takeTurn(ctx); err != nil {
		return err
	}
	defer p.giveTurn()
	if r.expect(j, nil) {
		return nil
	}
	if err := p.clear(ctx, closeChanged); err != nil {
		return err
	}
	conn, err := j.Dial(ctx)
	if err != nil {
		p.rest() // the Cat may have seen it come and go
		return &DialError{err}
	}
	l := newWire(p, r, conn)
	p.joined(l)
	r.expect(j, l)
	l.start(j.User)
	return nil
}

// expect counts a client that comes, if there is a line for it; l is a new one.
func (r *room) expect(j *Joining, l line) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l != nil {
		r.line = l
	} else if r.line == nil || r.line.isEnding() {
		return false
	}
	r.coming++
	r.newest = newest{j.User, j.Dial}
	r.check()
	return true
}

// turnBack is for a client whose handshake failed.
func (r *room) turnBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coming--
	r.left()
}

// join lets a client hear what is said from here on, and first what was missed.
func (r *room) join(w *window) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coming--
	r.windows = append(r.windows, w)
	for _, m := range r.absence.take(r.hub) {
		w.add(m)
	}
	if r.line == nil { // given up while the handshake was under way
		w.end(closeCatGone)
	}
}

// leave takes a client out. What it was not written is kept for the next if it was
// the last.
func (r *room) leave(w *window, rest []*said) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.windows, w); i >= 0 {
		r.windows = slices.Delete(r.windows, i, i+1)
	}
	if len(r.windows) == 0 {
		for _, m := range rest {
			r.miss(m)
		}
	}
	r.signal()
	r.left()
}

// say passes a client's message to the line.
func (r *room) say(m message) {
	r.mu.Lock()
	l := r.line
	r.mu.Unlock()
	if l == nil { // it has just been given up
		r.failed(m.from, undelivered())
		return
	}
	l.say(m)
}

// redial opens a socket at the Cat as the configuration in force has it.
func (r *room) redial(ctx context.Context) (*websocket.Conn, error) {
	r.mu.Lock()
	n := r.newest
	r.mu.Unlock()
	if r.hub.o.Redial != nil {
		return r.hub.o.Redial(ctx, n.user)
	}
	return n.dial(ctx)
}

// heard passes a message of the Cat's to all. A client that is behind is ended, so
// that the others need not wait; when all are behind, the Cat waits.
func (r *room) heard(m *said) {
	patience := time.NewTimer(r.hub.times.stall)
	defer patience.Stop()
	for tried := false; ; {
		r.mu.Lock()
		slow := r.behind(m)
		if len(slow) == 0 || len(slow) < len(r.windows) {
			r.spread(m, slow)
			r.mu.Unlock()
			return
		}
		if !tried { // look again when whoever takes something says so
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
		select {
		case <-space:
			tried = false
		case <-patience.C:
			r.mu.Lock()
			r.spread(m, r.behind(m))
			r.mu.Unlock()
			return
		}
	}
}

// behind lists who has no room for a message. The room is locked.
func (r *room) behind(m *said) []*window {
	var slow []*window
	for _, w := range r.windows {
		if !w.takes(m.size()) {
			slow = append(slow, w)
		}
	}
	return slow
}

// spread queues a message for all but the slow, who are ended. The room is locked.
func (r *room) spread(m *said, slow []*window) {
	r.waiting.Store(false)
	for _, w := range slow {
		w.end(closeSlow)
	}
	if len(r.windows) == len(slow) {
		r.miss(m)
		return
	}
	if len(r.windows)-len(slow) > 1 {
		m.prepare()
	}
	for _, w := range r.windows {
		if !slices.Contains(slow, w) {
			w.add(m)
		}
	}
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

// failed tells a sender, or whoever there is, that a message may be lost.
func (r *room) failed(from uint64, why []byte) {
	m := ours(why)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hub.stopping.Load() {
		return // that is what they are told
	}
	r.hub.o.Observe(Event{Kind: EventUndelivered, User: r.newest.user})
	for _, w := range r.windows {
		if w.n == from {
			w.tell(m)
			return
		}
	}
	for _, w := range r.windows {
		w.tell(m)
	}
	if len(r.windows) == 0 {
		r.miss(m)
		r.check()
	}
}
