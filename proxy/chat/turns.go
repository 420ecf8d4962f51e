package chat

import (
	"bytes"
	"time"

	"github.com/gorilla/websocket"

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
type turns []turn

type turn struct {
	message // without what it says
	at      time.Time
	answers bool // the Cat answers it: it is an object
	begun   bool // the first word has come
}

func (ts *turns) begin(m message, now time.Time) {
	for len(*ts) > 0 && !(*ts)[0].answers && now.Sub((*ts)[0].at) >= atRisk {
		*ts = append((*ts)[:0], (*ts)[1:]...)
	}
	if len(*ts) >= maxTurns {
		*ts = append((*ts)[:0], (*ts)[1:]...)
	}
	answers := m.kind == websocket.TextMessage && bytes.HasPrefix(bytes.TrimLeft(m.data, " \t\r\n"), []byte("{"))
	*ts = append(*ts, turn{message{from: m.from, ref: m.ref}, now, answers, false})
}

// next is the place of the turn that the Cat is at, or -1.
func (ts *turns) next() int {
	for i := range *ts {
		if (*ts)[i].answers {
			return i
		}
	}
	return -1
}

// word takes note of a word of the Cat's. Of the first of a turn it returns how
// long that took.
func (ts *turns) word(what string, now time.Time) (time.Duration, bool) {
	i := ts.next()
	if i < 0 || (*ts)[i].begun || what != cat.FrameChat && what != cat.FrameToken && what != cat.FrameError {
		return 0, false
	}
	(*ts)[i].begun = true
	return now.Sub((*ts)[i].at), true
}

// answered ends the turn that the Cat is at, forgets what came before it, and returns
// whose it was.
func (ts *turns) answered() (message, bool) {
	i := ts.next()
	if i < 0 {
		return message{}, false
	}
	m := (*ts)[i].message
	ts.forget(i + 1)
	return m, true
}

// forget forgets the first n.
func (ts *turns) forget(n int) {
	*ts = append((*ts)[:0], (*ts)[n:]...)
	if len(*ts) == 0 {
		*ts = nil // an idle line holds nothing
	}
}

// busy reports whether a turn is in progress that is not older than most.
func (ts *turns) busy(now time.Time, most time.Duration) bool {
	for i := range *ts {
		if (*ts)[i].answers && now.Sub((*ts)[i].at) < most {
			return true
		}
	}
	return false
}

// lost empties the list and returns whose message may be lost with the connection.
func (ts *turns) lost(now time.Time) []message {
	var list []message
	for _, t := range *ts {
		if t.answers || now.Sub(t.at) < atRisk {
			list = append(list, t.message)
		}
	}
	*ts = nil
	return list
}
