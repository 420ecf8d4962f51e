package chat

import (
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

// unheardFor is how long before it goes away a page may have been written what it
// never showed. A browser that loads a page again stops the old page's script first,
// and closes its socket some 20 ms later; what comes in between is taken and dropped.
// The rest is for the way there.
const unheardFor = 250 * time.Millisecond

// keepLatest keeps what has just been written, and reports whether it did; the memory
// is then given back later. Words are not kept: they come again in the whole answer.
// The subscriber is locked.
func (w *subscriber) keepLatest(m *outbound) bool {
	if !w.page || m.what == cat.FrameToken {
		return false
	}
	w.latest.keep(w.person, m, w.maxBytes, w.maxCount, unheardFor, w.forgetLatest)
	return true
}

// forgetLatest gives up what is older than a page's end can make it matter.
func (w *subscriber) forgetLatest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest.timer != nil && !w.conn.IsEnding() { // else leave sees to it
		w.latest.forget(w.person, unheardFor)
	}
}

// unheard takes what the client was written and may not have heard, when it is gone.
// A page that goes away says so with 1001 (RFC 6455 §7.4.1), which no script can, and
// nothing of it is left that could hear the same twice.
func (w *subscriber) unheard() []*outbound {
	how, at := w.conn.Ending()
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.latest
	if l.timer != nil {
		l.timer.Stop()
	}
	var rest []*outbound
	if w.closing == nil && how.Code == websocket.CloseGoingAway {
		for _, x := range l.list {
			if at.Sub(x.at) < unheardFor {
				rest = append(rest, x.m)
			}
		}
	}
	for _, x := range l.list {
		x.m.letGo(w.person)
	}
	w.latest = lately{}
	return rest
}
