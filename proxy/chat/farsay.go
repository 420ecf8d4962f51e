package chat

import (
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// say sends a message to the process that has the Cat. It waits while too much has
// not been passed on there.
func (f *far) say(m message) {
	most, _ := f.hub.settings.Load().queue()
	n := int64(len(m.data))
	f.mu.Lock()
	for !f.isOver && f.waiting > 0 && f.waiting+n > most {
		f.space.Wait()
	}
	if f.isOver {
		f.mu.Unlock()
		f.route.failed(m, undelivered())
		return
	}
	f.ref++
	m.ref = f.ref
	f.sizes[m.ref] = n
	f.waiting += n
	f.turns.begin(m, time.Now())
	f.send(&parcel{kind: parcelSay, n: m.ref, frame: m.kind, data: m.data})
	f.mu.Unlock()
}

// bye ends the session since its last client has left; what that one has not read is
// given back. False means that the session is over already. The room is locked.
func (f *far) bye(rest []*said) bool {
	f.mu.Lock()
	if f.isOver {
		f.mu.Unlock()
		return false
	}
	taken := f.taken
	if f.current != nil && f.current.passed {
		taken++
	}
	f.send(&parcel{kind: parcelBye, n: taken, rest: rest})
	f.mu.Unlock()
	if _, ok := f.stop(); ok {
		close(f.finished)
	}
	return true
}

// over follows the end from the other side, or the loss of it.
func (f *far) over(how int) {
	lost, ok := f.stop()
	if !ok {
		return
	}
	for _, m := range lost {
		m.ref = 0
		f.route.failed(m, interrupted())
	}
	switch how {
	case endMissed:
		f.route.room.announce(ours(missed()))
	case endFinal:
		f.route.gone(f, closeCatGone)
	}
	close(f.finished)
}

// missed tells clients that they may not have heard all.
func missed() []byte {
	return cat.ErrorFrame("Missed", "Something that the Cat said may be missing here.")
}

// end ends the session from here. Nobody has to be told of what is under way: it is
// answered where the socket is, or the clients are ended.
func (f *far) end(c Closing) {
	f.mu.Lock()
	if !f.isOver {
		f.send(&parcel{kind: parcelBye, n: f.taken})
	}
	f.mu.Unlock()
	if _, ok := f.stop(); ok {
		close(f.finished)
	}
}

func (f *far) abort() { f.end(closeUnused) }

// stop ends the session, once, and returns what may be lost with it.
func (f *far) stop() ([]message, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver {
		return nil, false
	}
	f.isOver = true
	f.space.Broadcast()
	if f.ack != nil {
		f.ack.Stop()
	}
	f.unwatch()
	f.hub.post.removeFar(f)
	return f.turns.lost(time.Now()), true
}

func (f *far) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.turns.busy(time.Now(), f.hub.times.turn)
}

func (f *far) isEnding() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isOver
}

func (f *far) done() <-chan struct{} { return f.finished }
