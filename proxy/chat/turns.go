package chat

import (
	"slices"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

const (
	// maxTurns bounds the messages that are remembered until they are answered.
	maxTurns = 256
	// maxKept bounds the messages that wait for a Cat that has gone.
	maxKept = 32
	// atRisk is how long a message that gets no answer of the Cat's kind is taken to
	// be lost when the connection ends.
	atRisk = time.Second
)

// turns are the messages that the Cat has not answered yet, in their order: it
// answers one after another. A turn ends with a frame of type chat or error.
type turns struct {
	list    []turn
	answers int // how many of them the Cat answers
	serial  uint64
}

type turn struct {
	from, ref uint64 // the message's
	id        uint64
	at        time.Time
	text      uint64 // the digest of its text; 0 if it has none
	answers   bool   // the Cat answers it: it is an object
	begun     bool   // the first word has come
	leave     func() // the message's
}

// over gives back the place of a turn that is not waited for any more.
func (t *turn) over() {
	if t.leave != nil {
		t.leave()
		t.leave = nil
	}
}

func (ts *turns) begin(m *inbound, now time.Time) {
	for len(ts.list) > 0 && !ts.list[0].answers && now.Sub(ts.list[0].at) >= atRisk {
		ts.forget(1)
	}
	if len(ts.list) >= maxTurns {
		ts.forget(1)
	}
	answers := m.isTurn()
	ts.serial++
	m.id = ts.serial
	t := turn{from: m.from, ref: m.ref, id: m.id, at: now, answers: answers, leave: m.leave}
	if answers {
		t.text = textOf(m.data)
	}
	ts.list = append(ts.list, t)
	if answers {
		ts.answers++
	}
}

// next is the place of the turn that the Cat is at, or -1.
func (ts *turns) next() int {
	if ts.answers == 0 {
		return -1
	}
	return slices.IndexFunc(ts.list, func(t turn) bool { return t.answers })
}

// isNext reports whether an answer says that it is to the turn that the Cat is at.
func (ts *turns) isNext(answer []byte) bool {
	i := ts.next()
	if i < 0 || ts.list[i].text == 0 {
		return false
	}
	text, ok := cat.AnswerTo(answer)
	return ok && digest(text) == ts.list[i].text
}

// word takes note of a word of the Cat's. Of the first of a turn it returns how
// long that took.
func (ts *turns) word(what string, now time.Time) (time.Duration, bool) {
	i := ts.next()
	if i < 0 || ts.list[i].begun || what != cat.FrameChat && what != cat.FrameToken && what != cat.FrameError {
		return 0, false
	}
	ts.list[i].begun = true
	return now.Sub(ts.list[i].at), true
}

// answered ends the turn that the Cat is at, forgets what came before it, and returns
// whose it was.
func (ts *turns) answered() (inbound, bool) {
	i := ts.next()
	if i < 0 {
		return inbound{}, false
	}
	m := ts.list[i].message()
	ts.forget(i + 1)
	return m, true
}

// withdraw takes the turn of a message out that was not sent, and reports whether it was
// there.
func (ts *turns) withdraw(id uint64) bool {
	i := slices.IndexFunc(ts.list, func(t turn) bool { return t.id == id })
	if i < 0 {
		return false
	}
	ts.remove(i)
	return true
}

// settle takes the message out that has this ref; with before, those before it, too.
func (ts *turns) settle(ref uint64, before bool) (inbound, bool) {
	i := slices.IndexFunc(ts.list, func(t turn) bool { return t.ref == ref })
	if i < 0 {
		return inbound{}, false
	}
	m := ts.list[i].message()
	if before {
		ts.forget(i)
		i = 0
	}
	ts.remove(i)
	return m, true
}

// remove takes one out.
func (ts *turns) remove(i int) {
	ts.list[i].over()
	if ts.list[i].answers {
		ts.answers--
	}
	ts.list = slices.Delete(ts.list, i, i+1)
	ts.forget(0)
}

// forget forgets the first n.
func (ts *turns) forget(n int) {
	for i := range n {
		ts.list[i].over()
		if ts.list[i].answers {
			ts.answers--
		}
	}
	ts.list = ts.list[n:]
	if len(ts.list) == 0 {
		ts.list = nil // an idle upstream holds nothing
	}
}

// underWay counts the answers under way to the clients that of reports.
func (ts *turns) underWay(of func(from uint64) bool) (n uint64) {
	for _, t := range ts.list {
		if t.answers && of(t.from) {
			n++
		}
	}
	return n
}

// busy reports whether a turn is in progress that is not older than most.
func (ts *turns) busy(now time.Time, most time.Duration) bool {
	return ts.answers > 0 && slices.ContainsFunc(ts.list, func(t turn) bool { return t.answers && now.Sub(t.at) < most })
}

// lost empties the list and returns what may be lost with the connection.
func (ts *turns) lost(now time.Time) []turn {
	for i := range ts.list {
		ts.list[i].over()
	}
	list := slices.DeleteFunc(ts.list, func(t turn) bool { return !t.answers && now.Sub(t.at) >= atRisk })
	*ts = turns{serial: ts.serial}
	return list
}

// message is the turn's message, without what it says.
func (t turn) message() inbound { return inbound{from: t.from, ref: t.ref} }
