package chat

import (
	"context"

	"github.com/catflap/catflap/authhandlers"
)

// line is a person's way to the Cat. A wire is one, a socket that this process has
// at the Cat; one that another process has may stand in its place. Nothing else
// than this is known of it here.
type line interface {
	atCat
	// start begins to tell the ears. It is called once, for the client that came first.
	start(*authhandlers.AuthUserInfo)
	// say sends a message up: whole, in the order of the calls, and at most once.
	// Whatever becomes of it that is not an answer is told to the ears.
	say(message)
	// busy reports whether an answer is in progress.
	busy() bool
	// abort cuts it.
	abort()
}

// openLine opens a person's line, for a client that has the person's turn. This is
// where another process's would be found first. The error is a *DialError or ctx's.
func openLine(ctx context.Context, p *person, j *Joining) (line, error) {
	if p.hub.o.Fleet != nil {
		return openRoute(ctx, p, j)
	}
	conn, err := j.Dial(ctx)
	if err != nil {
		p.rest() // the Cat may have seen it come and go
		return nil, &DialError{err}
	}
	l := newWire(p, &p.room, conn)
	p.joined(l)
	return l, nil
}

// ears is what a line tells, one thing after another. A room is one.
type ears interface {
	// heard is told what the Cat says, in its order. It may take its time, and the
	// Cat waits then.
	heard(*said)
	// answered is told that the answer to a message is complete.
	answered(message)
	// failed is told that a message may be lost: its sender is to hear why.
	failed(m message, why []byte)
	// abandoned is asked by a line without the Cat whether nobody is left who needs
	// it; if so, the line is no longer the room's.
	abandoned(line) bool
	// gone is told that the line has given up the Cat.
	gone(line, Closing)
}

// message is something that a client says to the Cat.
type message struct {
	from uint64 // the seat that it came from
	ref  uint64 // another process's name for it, if it came from there
	kind int
	data []byte
	// leave, if set, gives back the place among the turns at the Cat.
	leave func()
}
