package chat

import (
	"slices"
	"time"
)

const (
	// maxStrangers bounds how often answers that nobody here asked for make a catSocket open
	// its socket again: a plugin may send such frames all the time.
	maxStrangers = 8
	// halfOpen is how long after its connection broke the Cat may not know of that.
	halfOpen = time.Minute
)

// doubt is what a catSocket knows of turns that earlier sockets of its person have left
// running. Their answers come over the socket of now; then the Cat ends what it had for
// the old one, and by that forgets the new one: it hears, and never speaks again. So the
// catSocket lets those answers come, and opens its socket again behind them.
type doubt struct {
	owed      []owed
	strangers time.Time // until then turns may run that this process does not know of
	uncertain time.Time // until then the Cat may have forgotten the socket unseen
	seen      int       // answers to strangers
	heard     time.Time // when the Cat said something last, or was written to
	hearing   bool      // it is saying something
	wait      time.Duration
	blind     bool      // the Cat may hear of the last socket's end after this one's beginning
	holding   bool      // messages wait
	renewing  bool      // the socket is being opened again
	deadline  time.Time // when they have waited for long enough
	fresh     *time.Timer
	patience  *time.Timer
	dog       *time.Timer
}

// stop ends all waiting.
func (d *doubt) stop() {
	for _, t := range []*time.Timer{d.fresh, d.patience, d.dog} {
		if t != nil {
			t.Stop()
		}
	}
	d.fresh, d.patience, d.dog = nil, nil, nil
}

// owesWord reports whether somebody waits for an answer to a turn whose socket was
// replaced, and has not been told that it may be lost.
func (d *doubt) owesWord() bool {
	return slices.ContainsFunc(d.owed, func(o owed) bool { return !o.told })
}

// waits reports whether an answer is worth waiting for.
func (d *doubt) waits() bool {
	return slices.ContainsFunc(d.owed, func(o owed) bool { return !o.late })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// giveUp waits for nothing any more, and returns whose senders are to be told.
func (d *doubt) giveUp() []inbound {
	for i := range d.owed {
		d.owed[i].late = true
	}
	d.deadline = time.Time{}
	return d.tellAll()
}

// tellAll returns the messages whose senders have not been told yet, and are now.
func (d *doubt) tellAll() []inbound {
	var m []inbound
	for i := range d.owed {
		if o := &d.owed[i]; !o.told {
			o.told = true
			m = append(m, o.message())
		}
	}
	return m
}

// match is the owed turn that an answer to this text ends, or -1. One that does not say
// what it is to is taken for the oldest's that is waited for.
func (d *doubt) match(text uint64, own bool) int {
	if text == 0 {
		return slices.IndexFunc(d.owed, func(o owed) bool { return !o.late || !own })
	}
	return slices.IndexFunc(d.owed, func(o owed) bool { return o.text == text })
}
