package chat

import (
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// subscriber reads the log of a room: a client of this process, or another Catflap that
// has clients of the person. The room knows nothing else of it.
type subscriber interface {
	// number tells it from every other.
	number() uint64
	// member is its part in the room, which the room guards.
	member() *member
	// wake has the messages that wait for it written, and does not wait for that. With
	// here it may report that nothing but the newest message waits: then the caller must
	// call writeHere without the room's lock. The room is locked.
	wake(here bool) bool
	// writeHere writes the message n, which is the newest.
	writeHere(m *outbound, n uint64)
	// rights are those that it has at the Cat.
	rights() cat.Permissions
	// isEnding reports whether it was ended from here: it takes no more messages.
	isEnding() bool
	// isClosing reports whether its connection has begun to close, from either end.
	isClosing() bool
	// end ends it. The first reason counts. The room may be locked.
	end(Closing)
	// redirect ends it if it can find another way to the Cat. The room is locked.
	redirect()
	// failure is how it is told that a message of its own may be lost, and what all are
	// told in its place if it leaves without that. It is told nothing more without the
	// first, and all are told nothing without the second. The room is locked.
	failure(about inbound, why []byte) (m, heir *outbound)
	// answered and pending are how it is told, if it needs to know, that the answer to a
	// message of its own is complete, and that so many answers are under way to others;
	// nil if not. The room is locked.
	answered(ref uint64) *outbound
	pending(n uint64) *outbound
}

// member is a subscriber's part in the room, which guards it.
type member struct {
	reader   logReader
	maxBytes int64 // of messages that wait for it
	maxCount int
	waited   time.Duration // by others for this subscriber, since nothing waited for it
	stuck    time.Duration // of that, since it has taken anything
}

// takes reports whether there is room for one more message: any if nothing waits.
func (p *member) takes(n int64) bool {
	bytes, count := p.reader.behind()
	if count == 0 {
		p.waited = 0
	}
	return count == 0 || bytes+n <= p.maxBytes && count < p.maxCount
}

// charge notes that others have waited for this subscriber, if it is behind.
func (p *member) charge(n int64, took time.Duration) {
	if !p.takes(n) {
		p.waited += took
		p.stuck += took
	}
}
