package chat

import (
	"context"
	"errors"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// level is with which rights a room's upstream to the Cat may be open: never with more
// than each of the clients has. It only falls while there is an upstream; who would rise
// gets a new one later. The room guards it.
type level struct {
	most   cat.Permissions // what each client has, of those that have been there
	opened cat.Permissions // what the socket was opened within
}

type withinKey struct{}

// Within returns the rights that all have who will share the socket that is being
// opened with ctx: it must have no others at the Cat.
func Within(ctx context.Context) cat.Permissions {
	if most, ok := ctx.Value(withinKey{}).(cat.Permissions); ok {
		return most
	}
	return cat.All
}

// rightsOf are a client's own.
func (h *Hub) rightsOf(u *authhandlers.AuthUserInfo) cat.Permissions {
	if h.o.Rights == nil {
		return cat.All
	}
	return h.o.Rights(u)
}

var errFewerRights = errors.New("chat: somebody with fewer rights came while the socket was opening")

// dialWithin opens a socket at the Cat within the room's level.
func (r *room) dialWithin(ctx context.Context, dial func(context.Context) (*websocket.Conn, error)) (*websocket.Conn, error) {
	r.mu.Lock()
	most := r.level.most
	r.level.opened = most
	r.mu.Unlock()
	conn, err := dial(context.WithValue(ctx, withinKey{}, most))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.level.most.Covers(most) {
		_ = conn.Close() // nothing was said over it
		return nil, errFewerRights
	}
	return conn, nil
}

// lower has the upstream opened again if it was opened with rights that somebody who is
// here does not have, or no longer. The room is locked.
func (r *room) lower() {
	if len(r.subscribers) == 0 && r.newest.user != nil {
		r.level.most &= r.hub.rightsOf(r.newest.user)
	}
	for _, w := range r.subscribers {
		r.level.most &= w.rights()
	}
	if r.upstream == nil || r.level.most.Covers(r.level.opened) {
		return
	}
	switch l := r.upstream.(type) {
	case *catSocket:
		l.cut()
	case *ownerUpstream:
		l.reopen()
	}
}

// mayRise reports an upstream that nobody uses and that has fewer rights than the client
// who comes: they get a new one. The room is locked.
func (r *room) mayRise(j *Joining) bool {
	return len(r.subscribers) == 0 && !r.upstream.busy() && !r.level.opened.Covers(r.hub.rightsOf(j.User))
}

// lowered is lower for those who have not locked the room.
func (r *room) lowered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lower()
}

// rights are a client's own, and those that another process said all of its clients
// have.
func (w *subscriber) rights() cat.Permissions {
	if w.remote != nil {
		return w.remote.rights
	}
	return w.hub.rightsOf(w.user.Load())
}

// reopen has the socket at the Cat opened again, by whichever process has it.
func (o *ownerUpstream) reopen() {
	switch l := o.way().(type) {
	case *catSocket:
		l.cut()
	case *remoteUpstream:
		l.end(closeMoved) // what is said from here on waits for the next
	}
}

// fits reports whether a client may go on with a socket of its own at the Cat, which
// was opened within these rights.
func (t *tunnel) fits() bool { return t.hub.rightsOf(t.user.Load()).Covers(t.rights) }

// relevel looks at what the person's sockets at the Cat were opened with, after rights
// may have changed.
func (p *person) relevel() {
	p.room.lowered()
	p.mu.Lock()
	var over []*tunnel
	for _, l := range p.atCat {
		if s, ok := l.(*tunnel); ok && !s.fits() {
			over = append(over, s)
		}
	}
	p.mu.Unlock()
	for _, s := range over {
		go s.end(closeChanged)
	}
}

// The rights that a process's clients have travel in the n of a messageOpen, as those
// which they lack: a process that says nothing of them has clients that lack none.
const lackShift = 8

func lacking(most cat.Permissions) uint64 { return uint64(cat.All&^most) << lackShift }

func rightsIn(n uint64) cat.Permissions { return cat.All &^ cat.Permissions(n>>lackShift) }
