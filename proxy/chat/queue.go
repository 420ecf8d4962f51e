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
	w.queue = append(w.queue, m)
	w.bytes += m.size()
	w.writeSoon()
}

// writeSoon has what waits written. The window is locked.
func (w *window) writeSoon() {
	if !w.writing && w.isOpen && len(w.queue) > 0 {
		w.writing = true
		go w.write()
	}
}

// write writes what waits, until nothing does.
func (w *window) write() {
	defer w.hub.o.Caught()
	for {
		w.mu.Lock()
		if len(w.queue) == 0 || w.gone {
			w.writing = false
			if len(w.queue) == 0 {
				w.queue = nil
			}
			w.mu.Unlock()
			return
		}
		m := w.queue[0]
		w.mu.Unlock()
		if !w.writeOne(m) {
			return // the rest stays for whoever comes back
		}
		w.mu.Lock()
		if !w.gone {
			w.queue[0] = nil
			w.queue = w.queue[1:]
			w.bytes -= m.size()
			w.stuck = 0
			w.hub.drop(m.size())
		}
		w.mu.Unlock()
		w.person.room.wrote()
	}
}

func (w *window) writeOne(m *said) bool {
	if w.guest != nil {
		return w.guest.write(m)
	}
	c, start := w.peer.conn, time.Now()
	_ = c.SetWriteDeadline(start.Add(w.hub.times.stall + time.Duration(m.size()/slowest)*time.Second))
	if err := m.write(c); err != nil {
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

// empty takes what was not written, when the client is gone.
func (w *window) empty() []*said {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	rest := w.queue
	w.queue = nil
	w.hub.drop(w.bytes)
	w.bytes = 0
	return rest
}
