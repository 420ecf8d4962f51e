package chat

import (
	"errors"
	"net"
	"time"
)

// slowest is how many bytes in a second a client must take of a message, once it has
// had its time without any.
const slowest = 64 << 10

// takes reports whether there is room for one more message: any if nothing waits.
func (w *window) takes(n int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.waited = 0
	}
	return len(w.queue) == 0 || w.bytes+n <= w.maxBytes && len(w.queue) < w.maxCount
}

// charge notes that others have waited for this client, if it is behind.
func (w *window) charge(n int64, took time.Duration) {
	if !w.takes(n) {
		w.mu.Lock()
		w.waited += took
		w.stuck += took
		w.mu.Unlock()
	}
}

// waitedFor is how long others have waited for this client, and how long it has
// taken nothing meanwhile.
func (w *window) waitedFor() (others, stuck time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waited, w.stuck
}

func (w *window) isEnding() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closing != nil || w.gone
}

// tell queues a message, and ends the client if there is no room.
func (w *window) tell(m *said) {
	if !w.takes(m.size()) {
		w.end(closeSlow)
		return
	}
	w.add(m)
}

// add queues a message. A goroutine writes while there is something to write, and
// no longer: an idle client has none.
func (w *window) add(m *said) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queueUp(m)
	w.writeSoon()
}

// addIdle queues a message. Where nothing else was to be written, it reports that the
// caller must see to the writing, with writeHere and without any lock.
func (w *window) addIdle(m *said) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queueUp(m)
	if w.guest == nil && w.canWrite() && len(w.queue) == 1 {
		w.writing = true
		return true
	}
	w.writeSoon()
	return false
}

// queueUp is add without the writing. The window is locked.
func (w *window) queueUp(m *said) {
	if w.gone {
		return
	}
	if !w.hub.hold(m.size()) {
		if len(w.queue) > 0 {
			go w.end(closeFull)
			return
		}
		w.hub.held.Add(m.size()) // it is the client's only one, and bounded itself
	}
	if w.queue == nil {
		w.queue = w.first[:0]
	}
	w.queue = append(w.queue, m)
	w.bytes += m.size()
}

// canWrite reports whether there is something to be written that nobody sees to. The
// window is locked.
func (w *window) canWrite() bool {
	return !w.writing && !w.broken && !w.gone && w.isOpen && len(w.queue) > 0
}

// writeSoon has what waits written. The window is locked.
func (w *window) writeSoon() {
	if w.canWrite() {
		w.writing = true
		go w.write(all)
	}
}

// writeHere writes what addIdle has queued: at once where it is small and the
// connection takes it without waiting, which spares a goroutine that would take as
// long to start as to write.
func (w *window) writeHere(m *said) {
	if m.size() <= smallEnough && w.peer.in.takes() {
		w.write(1)
		return
	}
	go w.write(all)
}

const (
	// smallEnough is how many bytes fit into any connection that takes some at all.
	smallEnough = 2 << 10
	all         = -1
)

// write writes what waits, until nothing does, or until so many have been written; a
// goroutine goes on then. It holds no lock while it writes: a fault there is caught,
// and whoever waits for the end of it goes on.
func (w *window) write(most int) {
	defer w.hub.o.Caught()
	whole, fault, goesOn := false, true, false
	defer func() {
		if goesOn {
			return
		}
		w.written(whole)
		if fault { // else whoever wrote knows how the client ends
			w.end(closeFault)
		}
	}()
	for m := w.next(); m != nil; m = w.next() {
		if most == 0 {
			goesOn = true
			go w.write(all)
			return
		}
		if !w.writeOne(m) {
			fault = false
			return
		}
		w.took(m)
		most--
	}
	whole, fault = true, false
}

// next is the message to write next, if there is one.
func (w *window) next() *said {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 || w.gone {
		return nil
	}
	return w.queue[0]
}

// took takes from the queue what has been written.
func (w *window) took(m *said) {
	w.mu.Lock()
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.bytes -= m.size()
	w.stuck = 0
	kept := w.keepLatest(m)
	w.mu.Unlock()
	if !kept {
		w.hub.drop(m.size())
	}
	w.person.room.wrote()
}

// written notes that nothing is on its way any more. What could not be written stays
// for whoever comes back.
func (w *window) written(whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing, w.broken = false, !whole
	if len(w.queue) == 0 {
		w.queue = nil // an idle client holds nothing
	}
	if w.quiet != nil {
		close(w.quiet)
		w.quiet = nil
	}
	w.writeSoon() // what came since the last look
}

func (w *window) writeOne(m *said) bool {
	if w.guest != nil {
		return w.guest.write(m)
	}
	start := time.Now()
	if err := m.write(w.peer.out, w.hub.times.toWrite(m.size())); err != nil {
		w.unwritable(err)
		return false
	}
	w.towards[toClient].messages.Add(1)
	w.towards[toClient].bytes.Add(m.size())
	if now := time.Now(); now.Sub(start) > waited {
		w.peer.alive(now) // it has read
	}
	return true
}

// unwritable follows a failed write. Where the connection broke or is closing, its
// reader finds out, and says why; it would not of one that takes nothing.
func (w *window) unwritable(err error) {
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		w.end(closeSlow)
		return
	}
	w.peer.cutSoon()
}

// empty takes what was not written, when the client is gone and its connection
// closed. What is on its way is over in no time then, and only that says whether it
// was written: it must be given neither to nobody nor twice.
func (w *window) empty() []*said {
	w.person.room.release(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing {
		quiet := make(chan struct{})
		w.quiet = quiet
		w.mu.Unlock()
		<-quiet
		w.mu.Lock()
	}
	rest := w.queue
	w.queue = nil
	w.hub.drop(w.bytes)
	w.bytes = 0
	return rest
}
