package chat

import (
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

// unheardFor is how long before it goes away a page may have been written what it
// never showed. A browser that loads a page anew stops the old page's script first,
// and closes its socket some 20 ms later; what comes in between is taken and dropped.
// The rest is for the way there.
const unheardFor = 250 * time.Millisecond

// latest is what a client was written in the last moments. The window guards it.
type latest struct {
	list  []written
	bytes int64
	timer *time.Timer // set while there is something
}

type written struct {
	m  *said
	at time.Time
}

// keepLatest keeps what has just been written, and reports whether it did; the memory
// is then given back later. Words are not kept: they come again in the whole answer.
// The window is locked.
func (w *window) keepLatest(m *said) bool {
	if !w.page || m.what == cat.FrameToken {
		return false
	}
	l := &w.latest
	for len(l.list) > 0 && (l.bytes+m.size() > w.maxBytes || len(l.list) >= w.maxCount) {
		w.dropLatest()
	}
	l.list = append(l.list, written{m, time.Now()})
	l.bytes += m.size()
	if l.timer == nil {
		l.timer = time.AfterFunc(unheardFor, w.forgetLatest)
	}
	return true
}

// dropLatest gives up the eldest. The window is locked.
func (w *window) dropLatest() {
	l := &w.latest
	n := l.list[0].m.size()
	l.list[0] = written{}
	l.list = l.list[1:]
	l.bytes -= n
	w.hub.drop(n)
}

// forgetLatest gives up what is older than a page's end can make it matter.
func (w *window) forgetLatest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.latest
	if l.timer == nil || w.peer.isEnding() {
		return // leave sees to it
	}
	now := time.Now()
	for len(l.list) > 0 && now.Sub(l.list[0].at) >= unheardFor {
		w.dropLatest()
	}
	if len(l.list) > 0 {
		l.timer.Reset(unheardFor - now.Sub(l.list[0].at))
		return
	}
	l.list, l.timer = nil, nil // an idle client holds nothing
}

// unheard takes what the client was written and may not have heard, when it is gone.
// A page that goes away says so with 1001 (RFC 6455 §7.4.1), which no script can, and
// nothing of it is left that could hear the same twice.
func (w *window) unheard() []*said {
	how, at := w.peer.ending()
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.latest
	if l.timer != nil {
		l.timer.Stop()
	}
	var rest []*said
	if w.closing == nil && how.Code == websocket.CloseGoingAway {
		for _, x := range l.list {
			if at.Sub(x.at) < unheardFor {
				rest = append(rest, x.m)
			}
		}
	}
	w.hub.drop(l.bytes)
	w.latest = latest{}
	return rest
}
