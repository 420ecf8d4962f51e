package chat

import (
	"context"
	"time"
)

// Fleet is the processes that stand before the same Cat: who has whose socket there,
// and what they tell each other. It is called by many goroutines at once, and none of
// its methods but Claim and Release waits.
type Fleet interface {
	// Listen names who is told what comes. It is called once, before anything else.
	Listen(Listener)
	// Claim takes a person for this process, or says who has them. An error means that
	// nobody can tell: then nobody may open a socket.
	Claim(ctx context.Context, person string) (Claim, error)
	// Holds reports whether a claim of this process's still stands, or is being made.
	Holds(token string) bool
	// Release gives a claim of this process's up, the person's socket being closed. For
	// a moment nobody can claim the person, so that the Cat settles.
	Release(person, token string)
	// Send has a message delivered to another process: in the order of the calls, and
	// once. When that can't be, Gone is told.
	Send(to string, message []byte)
	// Watch has Gone told of a process that falls silent, until stop is called.
	Watch(process string) (stop func())
}

// Claim is the answer of Fleet.Claim.
type Claim struct {
	// Token names the claim that stands. It is empty when nobody may claim now.
	Token string
	// Owner is the process that has the person, if it is another.
	Owner string
	// Wait is how long nobody may claim, if Token is empty.
	Wait time.Duration
}

// Listener is told what comes from the fleet, one thing after another. It must not
// wait.
type Listener interface {
	// Received is told of a message.
	Received(from string, message []byte)
	// Gone is told that messages to or from a process may have been lost, or that it is
	// silent: nothing that was under way with it can be relied on.
	Gone(process string)
	// Lost is told that no claim of this process's stands any more. Sockets at the Cat
	// must be cut before it returns. With late, somebody may have opened one already.
	Lost(late bool)
}
