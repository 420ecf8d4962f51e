package chat

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
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
// wire lets those answers come, and opens its socket again behind them.
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

// inDoubt is the doubt that a new wire begins with.
func (p *person) inDoubt(now time.Time) doubt {
	h := p.hub
	d := doubt{owed: p.takeOwed(), wait: h.times.patience / 4, strangers: h.born.Add(h.times.turn), uncertain: h.born.Add(h.times.turn)}
	if h.o.Fleet != nil { // another process may have had the person a moment ago
		d.strangers = now.Add(h.times.turn)
	}
	d.holding = d.waits()
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
// opened again. The catSocket is locked.
func (l *catSocket) replaced(lost []turn, how Closing, now time.Time) bool {
	d := &l.doubt
	renewed := d.renewing
	d.owed = append(d.owed, asOwed(lost)...)
	d.blind, d.hearing, d.wait = how == wsconn.ClosingSilent, false, l.hub.times.patience
	if how.Code == websocket.CloseAbnormalClosure {
		d.uncertain = later(d.uncertain, now.Add(halfOpen))
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
func (l *catSocket) refused(err error) {
	l.mu.Lock()
	d := &l.doubt
	var tell []inbound
	if gone := errors.Is(err, syscall.ECONNREFUSED); gone || errors.Is(err, websocket.ErrBadHandshake) {
		tell = d.giveUp()
		if gone {
			*d = doubt{heard: d.heard, wait: d.wait}
		}
	}
	l.mu.Unlock()
	for _, m := range tell {
		l.events.failed(m, interrupted())
	}
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

// reopened follows the opening of another socket, and reports whether messages must
// wait for yet another. The catSocket is locked.
func (l *catSocket) reopened(c *wsconn.Conn) bool {
	d := &l.doubt
	d.renewing = false
	d.holding = d.waits() || d.blind
	switch {
	case !d.holding:
		d.blind = false
	case d.waits():
		if len(l.kept.list) > 0 || d.owesWord() {
			l.bePatient(c)
		}
	default:
		d.blind = false
		l.freshSoon(c)
	}
	return d.holding
}

// mustWait reports whether a message must wait for a fresh socket. Somebody who asks
// again, while nothing at all has come to what was asked before, deserves one. The catSocket
// is locked.
func (l *catSocket) mustWait(c *wsconn.Conn) bool {
	d, now := &l.doubt, time.Now()
	if !d.holding && !d.renewing && l.isSilent(now, 2*l.hub.silence(now)) {
		l.renew(c)
	}
	if d.holding {
		l.bePatient(c)
	}
	return d.holding || d.renewing
}

// isSilent reports whether the Cat owes an answer and has said nothing for so long. The
// wire is locked.
func (l *catSocket) isSilent(now time.Time, most time.Duration) bool {
	return l.turns.next() >= 0 && !l.doubt.hearing && l.silent(now) >= most
}

// silent is how long the Cat has said nothing to the turn that it is at. The catSocket is locked.
func (l *catSocket) silent(now time.Time) time.Duration {
	return now.Sub(later(later(l.turns.list[l.turns.next()].at, l.doubt.heard), l.up))
}

// renew closes the socket, so that another is opened. The catSocket is locked.
func (l *catSocket) renew(c *wsconn.Conn) {
	l.doubt.renewing = true
	c.End(closeFresh)
}

// freshSoon opens the socket again when the Cat has had the time to end what it still had
// for the last one. Until then no message goes up. The catSocket is locked.
func (l *catSocket) freshSoon(c *wsconn.Conn) {
	d := &l.doubt
	d.holding = true
	if d.fresh == nil {
		d.fresh = l.after(catSettleDelay, c, l.renew)
	} else {
		d.fresh.Reset(catSettleDelay)
	}
}

// bePatient bounds the waiting for what an earlier socket has left. The catSocket is locked.
func (l *catSocket) bePatient(c *wsconn.Conn) {
	if d := &l.doubt; d.patience == nil {
		if d.deadline.IsZero() {
			if d.owesWord() {
				d.wait = l.hub.times.silence
			}
			d.deadline = time.Now().Add(d.wait)
		}
		d.patience = l.after(time.Until(d.deadline), c, l.lose)
	}
}

// lose waits no longer for what an earlier socket has left, unless the Cat has just said
// something. The catSocket is locked.
func (l *catSocket) lose(c *wsconn.Conn) {
	d := &l.doubt
	d.patience = nil
	if d.hearing || time.Since(d.heard) < d.wait/2 {
		d.deadline = time.Time{}
		l.bePatient(c)
		return
	}
	told := d.giveUp()
	l.renew(c)
	go func() {
		defer l.hub.o.Caught()
		for _, m := range told {
			l.events.failed(m, unanswered())
		}
	}()
}

// watch sees to it that a socket in doubt, which says nothing, is opened again. A turn has
// begun. The catSocket is locked.
func (l *catSocket) watch(c *wsconn.Conn) {
	d := &l.doubt
	if d.dog == nil && time.Now().Before(d.uncertain) {
		d.dog = l.after(l.hub.silence(time.Now()), c, l.bark)
	}
}

func (l *catSocket) bark(c *wsconn.Conn) {
	d, now := &l.doubt, time.Now()
	d.dog = nil
	idle := l.sending.TryLock() // a long message may be on its way
	if idle {
		defer l.sending.Unlock()
	}
	switch {
	case l.turns.next() < 0 || d.holding:
	case idle && l.isSilent(now, l.hub.silence(now)):
		l.renew(c)
	default:
		l.watch(c)
	}
}

// after does something in a while, in the locked wire, if it has the same socket then.
func (l *catSocket) after(d time.Duration, c *wsconn.Conn, do func(*wsconn.Conn)) *time.Timer {
	return time.AfterFunc(d, func() {
		defer l.hub.o.Caught()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.conn == c && l.closing == nil && !l.doubt.renewing {
			do(c)
		}
	})
}
