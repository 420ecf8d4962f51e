package chat

import (
	"bytes"
	"context"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// upstream is a person's way to the Cat. A catSocket is one, a socket that this process has
// at the Cat; one that another process has may stand in its place. Nothing else
// than this is known of it here.
type upstream interface {
	atCat
	// start begins to tell the events. It is called once, for the client that came first.
	start(*authhandlers.AuthUserInfo)
	// send sends a message up: whole, in the order of the calls, and at most once.
	// Whatever becomes of it that is not an answer is told to the events. False means
	// that it has not been sent and never will be, since the upstream is ending.
	send(inbound) (taken bool)
	// busy reports whether an answer is in progress.
	busy() bool
	// away gives the messages that nobody has read, now that the last client has left, to
	// the process that has the Cat, if that is another; else they stay here. The room is
	// locked.
	away(unread []*outbound) (given bool)
	// reopen has the socket at the Cat opened again, within the room's level. The room is
	// locked.
	reopen()
	// handsOver reports that this process stops, and leaves the person to another.
	handsOver() bool
	// abort cuts it.
	abort()
}

// openUpstream opens a person's upstream, for a client that has the person's turn. This is
// where another process's would be found first. The error is a *DialError or ctx's.
func openUpstream(ctx context.Context, p *person, j *Joining) (upstream, error) {
	if p.hub.o.Fleet != nil {
		return openOwnerUpstream(ctx, p, j)
	}
	conn, err := j.Dial(ctx)
	if err != nil {
		p.markEnded() // the Cat may have seen it come and go
		return nil, &DialError{err}
	}
	l := newCatSocket(p, &p.room, conn)
	p.joined(l)
	return l, nil
}

// upstreamEvents is what an upstream tells, one thing after another. A room is one.
type upstreamEvents interface {
	// broadcast is told what the Cat says, in its order. It may take its time, and the
	// Cat waits then.
	broadcast(*outbound)
	// answered is told that the answer to a message is complete.
	answered(inbound)
	// failed is told that a message may be lost: its sender is to hear why.
	failed(m inbound, why []byte)
	// abandoned is asked by an upstream without the Cat whether nobody is left who needs
	// it; if so, the upstream is no longer the room's.
	abandoned(upstream) bool
	// gone is told that the upstream has given up the Cat.
	gone(upstream, Closing)
}

// inbound is something that a client says to the Cat.
type inbound struct {
	from uint64 // the client that it came from
	ref  uint64 // another process's name for it, if it came from there
	id   uint64 // of its turn, where it has begun
	kind int
	data []byte
	// leave, if set, gives back the place among the turns at the Cat.
	leave func()
	// passed, if set, tells the process that it came from that it need not keep it any
	// more: it has been sent, or will never be.
	passed func()
}

// tellPassed calls passed.
func (m *inbound) tellPassed() {
	if m.passed != nil {
		m.passed()
	}
}

// isTurn reports a message that the Cat answers: an object.
func (m *inbound) isTurn() bool {
	return m.kind == websocket.TextMessage && bytes.HasPrefix(bytes.TrimLeft(m.data, " \t\r\n"), []byte("{"))
}
