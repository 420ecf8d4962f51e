package chat

import (
	"slices"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// turnEnded says whose turn has ended with a frame of the Cat's; secret means that it was
// somebody else's under the same id. The catSocket is locked.
func (l *catSocket) turnEnded(m *outbound) (of inbound, whole, secret bool) {
	d, now := &l.doubt, l.doubt.heard
	d.owed = slices.DeleteFunc(d.owed, func(o owed) bool { return now.Sub(o.at) >= l.hub.times.turn })
	if len(d.owed) == 0 && !now.Before(d.strangers) {
		of, whole = l.turns.answered()
		return of, whole, false
	}
	text := uint64(0)
	if m.what == cat.FrameChat {
		if s, ok := cat.AnswerTo(m.data); ok {
			text = digest(s)
		}
	}
	own := l.turns.next()
	switch i := d.match(text, own >= 0); {
	case i < 0 && own >= 0 && (text == 0 || l.turns.list[own].text == 0 || l.turns.list[own].text == text):
		of, whole = l.turns.answered()
		return of, whole, false
	case i >= 0:
		secret = d.owed[i].asker != nil
		of = l.owedEnded(i)
		return of, !secret, secret
	}
	if d.seen < maxStrangers {
		d.seen++
		l.freshSoon(l.conn)
	}
	return inbound{}, false, false
}

// match is the owed turn that an answer to this text ends, or -1. One that does not say
// what it is to is taken for the oldest's that is waited for.
func (d *doubt) match(text uint64, own bool) int {
	if text == 0 {
		return slices.IndexFunc(d.owed, func(o owed) bool { return !o.late || !own })
	}
	return slices.IndexFunc(d.owed, func(o owed) bool { return o.text == text })
}

// owedEnded takes out an owed turn, and those before it; after the last one the socket
// is opened again. The catSocket is locked.
func (l *catSocket) owedEnded(i int) inbound {
	d := &l.doubt
	m := d.owed[i].message()
	l.hub.pace.note(d.heard.Sub(d.owed[i].at), d.heard)
	d.owed = slices.Delete(d.owed, 0, i+1)
	d.deadline = time.Time{}
	if len(d.owed) == 0 {
		d.owed, d.strangers = nil, time.Time{}
	}
	if !d.waits() {
		l.freshSoon(l.conn)
	}
	return m
}
