package chat

import (
	"fmt"
	"slices"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// roomLog holds the messages to a person that somebody has still to read. Each message has
// the next number, and each reader reads them in that order.
//
// A newcomer begins behind the furthest position of all readers, so that it is given the
// messages that nobody has read. A reader that leaves may leave some unread. Readers that
// were there before those were said read them. If there is none, they stay for the next
// newcomer. If others have come since and are past them, they are appended once more.
//
// Words of an answer are dropped where the whole answer waits, too. A message for one
// reader alone has no number; it is in the queue of its reader.
//
// The room guards it. It has no lock, no goroutine and no timer of its own.
type roomLog struct {
	numbered
	person  *person
	readers []*logReader
	slowest *logReader // no reader needs older messages than it does
	left    uint64     // the furthest position of the readers that have left
	lost    int        // messages that were dropped; the next newcomer is told
}

// join takes a reader in, behind the messages that anybody has read. It is told first if
// messages were dropped.
func (l *roomLog) join(r *logReader) {
	r.log, r.start = l, l.position()
	r.given, r.read = r.start, r.start
	if l.lost > 0 {
		m := ours(cat.NotificationFrame(fmt.Sprintf("You were away for too much: %d earlier messages were dropped.", l.lost)))
		m.mustKeep(l.person)
		r.addOwn(ownMessage{m: m, after: r.start, lost: l.lost})
		l.lost = 0
	}
	l.readers = append(l.readers, r)
	l.trim()
}

// append adds a message for all. If the person holds too much already, it returns the
// reason: the caller ends the readers that are behind with it.
func (l *roomLog) append(m *outbound) (full *Closing) {
	alone := !l.hasReader()
	if alone && m.what == cat.FrameChat {
		l.dropWords(len(l.list))
	}
	if full = m.keep(l.person); full != nil {
		if alone {
			l.lose()
			return full
		}
		m.mustKeep(l.person)
	}
	l.add(m)
	if alone {
		l.bound()
	}
	return full
}

// unread returns the messages that wait for the next newcomer.
func (l *roomLog) unread() []*outbound {
	var list []*outbound
	for _, e := range l.list[l.after(l.position()):] {
		list = append(list, e.m)
	}
	return list
}

// settle drops the messages that wait for the next newcomer. No reader is there.
func (l *roomLog) settle() {
	l.left, l.lost = l.head, 0
	l.trim()
}

// tidy forgets the messages that the windows do not keep any more. It returns when it is
// to be called again; 0 means never. A reader that is ending keeps all until it leaves.
func (l *roomLog) tidy(now time.Time, isEnding func(*logReader) bool) (again time.Duration) {
	for _, r := range l.readers {
		wait := r.kind.window()
		if r.marks != nil && !isEnding(r) {
			wait = r.forget(now)
		}
		if r.marks != nil && (again == 0 || wait < again) {
			again = wait
		}
	}
	l.trim()
	return again
}

// position is the last number that any reader has read, or may have.
func (l *roomLog) position() uint64 {
	n := max(l.left, l.gone)
	for _, r := range l.readers {
		n = max(n, r.given)
	}
	return n
}

// hasReader reports whether a reader is there that reads on.
func (l *roomLog) hasReader() bool {
	return slices.ContainsFunc(l.readers, func(r *logReader) bool { return !r.ended })
}

// hasRemote reports whether another Catflap reads.
func (l *roomLog) hasRemote() bool {
	return slices.ContainsFunc(l.readers, func(r *logReader) bool { return r.kind == remoteReads && !r.ended })
}

// isWaiting reports whether nobody is there, and a message waits for the next newcomer.
func (l *roomLog) isWaiting() bool {
	return len(l.readers) == 0 && l.head > l.position() && len(l.unread()) > 0
}

// expects reports whether a reader is there that was given the message n, or will be.
func (l *roomLog) expects(n uint64) bool {
	return slices.ContainsFunc(l.readers, func(r *logReader) bool { return r.start < n })
}

// isCovered reports whether a reader has read the message at a place, or will.
func (l *roomLog) isCovered(i int) bool { return l.list[i].read || l.expects(l.list[i].n) }

// remove takes a reader out.
func (l *roomLog) remove(r *logReader) {
	if i := slices.Index(l.readers, r); i >= 0 {
		l.readers = slices.Delete(l.readers, i, i+1)
	}
	if len(l.readers) == 0 {
		l.readers = nil
	}
}

// part follows the leaving of a reader that has read all up to n. The messages before are
// older than those that it has not read.
func (l *roomLog) part(r *logReader, n uint64, before []*outbound) {
	for i := l.after(r.start); i < len(l.list) && l.list[i].n <= n; i++ {
		l.list[i].read = true
	}
	others, last := l.position(), l.head
	for _, m := range before {
		l.append(m)
	}
	for i := l.after(n); i < len(l.list) && l.list[i].n <= last; {
		e := l.list[i]
		late := e.n <= others || len(before) > 0 // those who are there are past it
		switch {
		case l.isCovered(i):
			i++
		case isWord(e.m) && (late || e.n <= r.given): // it comes again in the whole answer
			l.drop(i)
		case late:
			m := l.take(i)
			m.via, m.n = nil, 0 // its number at another process is no more its place
			l.add(m)
		default:
			i++
		}
	}
	l.left = max(l.left, n)
	for _, heir := range r.dropOwn() {
		l.append(heir)
	}
	r.marks = nil
	l.trim()
	l.keepFew()
}

// keepFew drops messages that wait for the next newcomer, where they are too many or
// needless. It does nothing while a reader reads on.
func (l *roomLog) keepFew() {
	if l.hasReader() {
		return
	}
	whole := len(l.list)
	for whole > 0 && l.list[whole-1].m.what != cat.FrameChat {
		whole--
	}
	l.dropWords(whole)
	l.bound()
}

// dropReadWords drops the words from behind a number up to another, as far as all have read
// them: a page that has not shown them reads them again in the whole answer.
func (l *roomLog) dropReadWords(n, last uint64) {
	for _, r := range l.readers {
		last = min(last, r.read)
	}
	for i := l.after(n); i < len(l.list) && l.list[i].n <= last; {
		if isWord(l.list[i].m) {
			l.drop(i)
		} else {
			i++
		}
	}
}

// dropWords drops the words before a place that wait for the next newcomer.
func (l *roomLog) dropWords(before int) {
	for i := before - 1; i >= l.after(l.position()); i-- {
		if isWord(l.list[i].m) {
			l.drop(i)
		}
	}
}

// bound drops the oldest messages that wait for the next newcomer, while they are too
// many. Words go first, since they come again in the whole answer.
func (l *roomLog) bound() {
	maxBytes, maxCount := l.person.hub.settings.Load().queue()
	for {
		n := l.position()
		if bytes, count := l.between(n, l.head); count <= 1 || count <= maxCount && bytes <= maxBytes {
			return
		}
		first := l.after(n)
		if i := slices.IndexFunc(l.list[first:], func(e logged) bool { return isWord(e.m) }); i >= 0 {
			l.drop(first + i)
			continue
		}
		l.drop(first)
		l.lose()
	}
}

// lose notes that a message was dropped that nobody has read.
func (l *roomLog) lose() {
	l.lost++
	l.person.hub.o.Observe(Event{Kind: EventMissed, User: l.person.room.newest.user})
}

// drop drops the message at a place.
func (l *roomLog) drop(i int) { l.take(i).letGo(l.person) }

// trim forgets the messages that no reader can need any more.
func (l *roomLog) trim() {
	l.slowest = nil
	for _, r := range l.readers {
		if l.slowest == nil || r.floor() <= l.slowest.floor() { // of several the one that reads last
			l.slowest = r
		}
	}
	floor := l.left
	if l.slowest != nil {
		floor = l.slowest.floor()
	}
	l.forget(floor, func(m *outbound) { m.letGo(l.person) })
}

// isWord reports a part of an answer, all of which comes again in the whole.
func isWord(m *outbound) bool { return m.what == cat.FrameToken }
