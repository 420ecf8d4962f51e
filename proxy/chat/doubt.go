package chat

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

const (
	// maxStrangers bounds how often answers that nobody here asked for make a wire open
	// its socket anew: a plugin may send such frames all the time.
	maxStrangers = 8
	// halfOpen is how long after its connection broke the Cat may not know of that.
	halfOpen = time.Minute
)

// doubt is what a wire knows of turns that earlier sockets of its person have left
// running. Their answers come over the socket of now; then the Cat ends what it had for
// the old one, and by that forgets the new one: it hears, and never speaks again. So the
// wire lets those answers come, and opens its socket anew behind them.
type doubt struct {
	owed      []owed
	strangers time.Time // until then turns may run that this process does not know of
	silence   time.Time // until then the Cat may have forgotten the socket unseen
	seen      int       // answers to strangers
	heard     time.Time // when the Cat said something last
	blind     bool      // the Cat may hear of the last socket's end after this one's beginning
	holding   bool      // messages wait
	renewing  bool      // the socket is being opened anew
	deadline  time.Time // when they have waited for long enough
	fresh     *time.Timer
	patience  *time.Timer
	dog       *time.Timer
}

// inDoubt is the doubt that a new wire begins with.
func (p *person) inDoubt(now time.Time) doubt {
	h := p.hub
	d := doubt{owed: p.takeOwed(), strangers: h.born.Add(h.times.turn), silence: h.born.Add(h.times.turn)}
	if h.o.Fleet != nil { // another process may have had the person a moment ago
		d.strangers = now.Add(h.times.turn)
	}
	d.holding = len(d.owed) > 0
	return d
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

// replaced follows the end of a connection, and reports whether it was closed to be
// opened anew.
func (d *doubt) replaced(lost []turn, how Closing, now time.Time) bool {
	renewed := d.renewing
	d.owed = append(d.owed, asOwed(lost)...)
	d.blind = how == closeSilent
	if how.Code == websocket.CloseAbnormalClosure {
		d.silence = later(d.silence, now.Add(halfOpen))
	}
	d.stop()
	return renewed
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// refused follows a failed try to reach the Cat. Where nothing listens, its turns have
// ended with it; where something else answers in its place, most likely.
func (l *wire) refused(err error) {
	l.mu.Lock()
	d := &l.doubt
	var tell []message
	if gone := errors.Is(err, syscall.ECONNREFUSED); gone || errors.Is(err, websocket.ErrBadHandshake) {
		tell = d.giveUp()
		if gone {
			*d = doubt{heard: d.heard}
		}
	}
	l.mu.Unlock()
	for _, m := range tell {
		l.room.failed(m, interrupted())
	}
}

// giveUp waits for nothing any more, and returns whose senders are to be told.
func (d *doubt) giveUp() []message {
	for i := range d.owed {
		d.owed[i].late = true
	}
	d.deadline = time.Time{}
	return d.tellAll()
}

// tellAll returns the messages whose senders have not been told yet, and are now.
func (d *doubt) tellAll() []message {
	var m []message
	for i := range d.owed {
		if o := &d.owed[i]; !o.told {
			o.told = true
			m = append(m, o.message())
		}
	}
	return m
}

// reopened follows the opening of another socket, and reports whether messages must
// wait for yet another. The wire is locked.
func (l *wire) reopened(pr *peer) bool {
	d := &l.doubt
	d.renewing = false
	d.holding = d.waits() || d.blind
	switch {
	case !d.holding:
		d.blind = false
	case d.waits():
		if len(l.held) > 0 || d.owesWord() {
			l.bePatient(pr)
		}
	default:
		d.blind = false
		l.freshSoon(pr)
	}
	return d.holding
}

// mustWait reports whether a message must wait for a fresh socket. Somebody who asks
// again, while nothing at all has come to what was asked before, deserves one. The wire
// is locked.
func (l *wire) mustWait(pr *peer) bool {
	d, now := &l.doubt, time.Now()
	if !d.holding && !d.renewing && l.isSilent(now, 2*l.hub.times.patience) {
		l.renew(pr)
	}
	if d.holding {
		l.bePatient(pr)
	}
	return d.holding || d.renewing
}

// isSilent reports whether the Cat owes an answer and has said nothing for so long. The
// wire is locked.
func (l *wire) isSilent(now time.Time, most time.Duration) bool {
	i := l.turns.next()
	return i >= 0 && now.Sub(later(later(l.turns.list[i].at, l.doubt.heard), l.up)) >= most
}

// renew closes the socket, so that another is opened. The wire is locked.
func (l *wire) renew(pr *peer) {
	l.doubt.renewing = true
	pr.end(closeFresh)
}

// freshSoon opens the socket anew when the Cat has had the time to end what it still had
// for the last one. Until then no message goes up. The wire is locked.
func (l *wire) freshSoon(pr *peer) {
	d := &l.doubt
	d.holding = true
	if d.fresh == nil {
		d.fresh = l.after(settle, pr, l.renew)
	} else {
		d.fresh.Reset(settle)
	}
}

// bePatient bounds the waiting for what an earlier socket has left. The wire is locked.
func (l *wire) bePatient(pr *peer) {
	if d := &l.doubt; d.patience == nil {
		if d.deadline.IsZero() {
			d.deadline = time.Now().Add(l.hub.times.patience)
		}
		d.patience = l.after(time.Until(d.deadline), pr, l.lose)
	}
}

// lose waits no longer for what an earlier socket has left, unless the Cat has just said
// something. The wire is locked.
func (l *wire) lose(pr *peer) {
	d := &l.doubt
	d.patience = nil
	if time.Since(d.heard) < l.hub.times.patience/2 {
		d.deadline = time.Time{}
		l.bePatient(pr)
		return
	}
	told := d.giveUp()
	l.renew(pr)
	go func() {
		defer l.hub.o.Caught()
		for _, m := range told {
			l.room.failed(m, unanswered())
		}
	}()
}

// watch sees to it that a socket in doubt, which says nothing, is opened anew. A turn has
// begun. The wire is locked.
func (l *wire) watch(pr *peer) {
	d := &l.doubt
	if d.dog == nil && time.Now().Before(d.silence) {
		d.dog = l.after(l.hub.times.patience, pr, l.bark)
	}
}

func (l *wire) bark(pr *peer) {
	d, most := &l.doubt, l.hub.times.patience
	d.dog = nil
	switch {
	case l.turns.next() < 0 || d.holding:
	case l.isSilent(time.Now(), most):
		l.renew(pr)
	default:
		l.watch(pr)
	}
}

// after does something in a while, in the locked wire, if it has the same socket then.
func (l *wire) after(d time.Duration, pr *peer, do func(*peer)) *time.Timer {
	return time.AfterFunc(d, func() {
		defer l.hub.o.Caught()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.peer == pr && l.closing == nil && !l.doubt.renewing {
			do(pr)
		}
	})
}

// turnEnded says whose turn has ended with a frame of the Cat's. The wire is locked.
func (l *wire) turnEnded(m *said) (message, bool) {
	d, now := &l.doubt, l.doubt.heard
	d.owed = slices.DeleteFunc(d.owed, func(o owed) bool { return now.Sub(o.at) >= l.hub.times.turn })
	if len(d.owed) == 0 && !now.Before(d.strangers) {
		return l.turns.answered()
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
		return l.turns.answered()
	case i >= 0:
		return l.owedEnded(i), true
	}
	if d.seen < maxStrangers {
		d.seen++
		l.freshSoon(l.peer)
	}
	return message{}, false
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
// is opened anew. The wire is locked.
func (l *wire) owedEnded(i int) message {
	d := &l.doubt
	m := d.owed[i].message()
	d.owed = slices.Delete(d.owed, 0, i+1)
	d.deadline = time.Time{}
	if len(d.owed) == 0 {
		d.owed, d.strangers, d.silence = nil, time.Time{}, time.Time{}
	}
	if !d.waits() {
		l.freshSoon(l.peer)
	}
	return m
}
