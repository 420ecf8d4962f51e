package chat

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// room is a person's shared session: the clients, and the one upstream to the Cat.
type room struct {
	hub    *Hub
	person *person
	// waiting says that the Cat waits for a client to take something.
	waiting atomic.Bool

	mu          sync.Mutex
	upstream    upstream // nil while there is none
	level       level
	subscribers []*subscriber // in the order of their coming
	newest      newest
	space       chan struct{} // closed when a client has taken something
	absence     absence
	recent      lately // what another process may give a copy back of
	// dropped are remote subscribers that left without a word: whoever they spoke for is told by
	// their own process of what was under way.
	dropped map[uint64]struct{}
}

// newest is how the upstream is opened again: as the client that came last would.
type newest struct {
	user *authhandlers.AuthUserInfo
	dial func(context.Context) (*websocket.Conn, error)
}

// enter lets a client in that comes, when there is an upstream to the Cat. From here on it
// hears what is said, and first what was missed, though it gets to read it only when
// it is open: without that, it would miss what is said at that moment. Without an
// error, leave must follow.
func (r *room) enter(ctx context.Context, w *subscriber, j *Joining) error {
	p := r.person
	if err := p.lockDial(ctx); err != nil {
		return err
	}
	defer p.unlockDial()
	if r.join(w, j, nil) {
		return nil
	}
	if err := p.clear(ctx, closeChanged); err != nil {
		return err
	}
	r.mu.Lock()
	r.newest, r.level.most = newest{j.User, j.Dial}, r.hub.rightsOf(j.User)
	r.mu.Unlock()
	within := *j
	within.Dial = func(ctx context.Context) (*websocket.Conn, error) { return r.dialWithin(ctx, j.Dial) }
	l, err := openUpstream(ctx, p, &within)
	if err != nil {
		return err
	}
	r.join(w, j, l)
	l.start(j.User)
	return nil
}

// join takes a client in, if there is an upstream for it; l is a new one.
func (r *room) join(w *subscriber, j *Joining, l upstream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l != nil {
		r.upstream, r.dropped = l, nil
	} else if r.upstream == nil || r.upstream.isEnding() || r.mayRise(j) {
		return false
	}
	r.newest = newest{j.User, j.Dial}
	r.subscribers = append(r.subscribers, w)
	r.lower()
	r.welcome(w)
	return true
}

// welcome gives what was missed to a client that has just come in. The room is locked.
func (r *room) welcome(w *subscriber) {
	for _, m := range r.absence.take(r.person) {
		m.giveTo(1)
		w.add(m)
	}
	r.check()
	r.signal()
}

// release has a client be given nothing more. It is done in the locked room, so that
// nobody counts on a client that takes no more.
func (r *room) release(w *subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
}

// leave takes a client out. What it was not written is kept for the next if it was
// the last, and goes to the others where they were not given it, too.
func (r *room) leave(w *subscriber, rest []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(w, rest)
}

// remove is leave in a locked room.
func (r *room) remove(w *subscriber, rest []*outbound) {
	if i := slices.Index(r.subscribers, w); i >= 0 {
		r.subscribers = slices.Delete(r.subscribers, i, i+1)
	}
	if len(r.subscribers) == 0 {
		list := append(rest, r.absence.take(r.person)...) // what was said since is later
		if far, ok := r.upstream.(interface{ away([]*outbound) bool }); ok && far.away(list) {
			list = nil // whoever has the Cat keeps it
		}
		for _, m := range list {
			r.miss(m)
		}
	} else {
		for _, m := range rest {
			if m.giveBack() {
				r.toAll(m)
			}
		}
	}
	r.signal()
	r.left()
}

// send passes a client's message to the upstream.
func (r *room) send(m inbound) {
	r.mu.Lock()
	l := r.upstream
	r.mu.Unlock()
	if l == nil { // it has just been given up
		r.failed(m, undelivered())
		return
	}
	l.send(m)
}

// redial opens a socket at the Cat as the configuration in force has it.
func (r *room) redial(ctx context.Context) (*websocket.Conn, error) {
	r.mu.Lock()
	n := r.newest
	r.mu.Unlock()
	return r.dialWithin(ctx, func(ctx context.Context) (*websocket.Conn, error) {
		if r.hub.o.Redial != nil {
			return r.hub.o.Redial(ctx, n.user)
		}
		return n.dial(ctx)
	})
}

// failed tells a sender, or whoever there is, that a message may be lost.
func (r *room) failed(about inbound, why []byte) {
	m := ours(why)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hub.stopping.Load() {
		return // that is what they are told
	}
	if _, told := r.dropped[about.from]; told {
		return // by the process that it came from
	}
	r.hub.o.Observe(Event{Kind: EventUndelivered, User: r.newest.user})
	for _, w := range r.subscribers {
		if w.n == about.from && w.remote != nil && w.isEnding() {
			return // as above
		}
		if w.n == about.from && !w.isEnding() {
			if w.remote != nil {
				m = failure(about.ref, why)
			}
			m.giveTo(1)
			w.enqueue(m)
			return
		}
	}
	r.toAll(m)
	r.check()
}

// toAll tells everybody who is there, or keeps it for whoever comes. The room is
// locked.
func (r *room) toAll(m *outbound) {
	there := slices.DeleteFunc(slices.Clone(r.subscribers), (*subscriber).isEnding)
	m.giveTo(len(there))
	for _, w := range there {
		w.enqueue(m)
	}
	if len(there) == 0 {
		r.miss(m)
	}
}
