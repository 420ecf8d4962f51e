package chat

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/backoff"
	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
)

// dialWait bounds one try to reach a Cat that has gone.
const dialWait = 10 * time.Second

func undelivered() []byte {
	return cat.ErrorFrame("NotDelivered", "The Cat can't be reached. Your message was not delivered.")
}

func busy() []byte {
	return cat.ErrorFrame("Busy", "Too many people are talking to the Cat at the moment. Your message was not delivered.")
}

func interrupted() []byte {
	return cat.ErrorFrame("Interrupted", "The Cat went away before it had answered. It may have got your message; it is not sent again.")
}

func unanswered() []byte {
	return cat.ErrorFrame("Unanswered", "The Cat has not answered. If nothing comes, it has lost the answer; your message is not sent again.")
}

// catSocket is an upstream that is a socket of this process's at the Cat. When the Cat goes
// away, it comes back as soon as the Cat does, as long as somebody is there.
type catSocket struct {
	hub    *Hub
	person *person
	events upstreamEvents
	redial func(context.Context) (*websocket.Conn, error)
	user   *authhandlers.AuthUserInfo // for events
	over   chan struct{}
	stop   context.Context // ends with the catSocket
	cancel context.CancelFunc

	sending lock.Of[catSending] // held while one message goes up

	mu      lock.Of[catSocket]
	conn    *wsconn.Conn // nil while the Cat is gone
	isCut   bool         // the connection was cut here: what is said now waits for the next
	closing *Closing     // why it was ended from here
	turns   turns
	kept    outbox // waits for the Cat to be back, and sure to speak
	doubt   doubt
	asked   func() bool // gives up the place that is waited for; nil: none is

	// The reader's own:
	tries int
	lost  time.Time // when the Cat went away, if it has not been steady since
	up    time.Time
}

func newCatSocket(p *person, r *room, conn *websocket.Conn) *catSocket {
	l := &catSocket{hub: p.hub, person: p, events: r, redial: r.redial, over: make(chan struct{})}
	l.stop, l.cancel = context.WithCancel(context.Background())
	l.doubt = p.inDoubt(time.Now())
	l.conn = l.connect(conn)
	return l
}

func (l *catSocket) connect(ws *websocket.Conn) *wsconn.Conn {
	set := l.hub.settings.Load()
	l.up = time.Now()
	return l.hub.catConn(ws, set)
}

// catConn takes a connection to the Cat over, whose messages are read whole.
func (h *Hub) catConn(ws *websocket.Conn, set *Settings) *wsconn.Conn {
	return wsconn.New(ws, h.poller, wsconn.Options{
		Role: wsconn.Client, Peer: theCat, MaxMessage: set.MaxReply, MessageTimeout: set.MessageTimeout, Ping: set.Ping, WriteTimeout: h.times.stall,
	})
}

// start begins to listen to the Cat. The hub knows the person's place, so that it is
// not idle in the meantime.
func (l *catSocket) start(u *authhandlers.AuthUserInfo) {
	l.user = u
	l.hub.idle.Add(1)
	l.hub.counts.open.Add(1)
	l.report(EventCatOpen, Closing{})
	go l.run()
}

func (l *catSocket) run() {
	defer l.hub.o.Caught()
	parked := false
	defer func() {
		if !parked {
			l.finish()
		}
	}()
	for {
		c := l.conn
		var how wsconn.Ending
		if how, parked = c.Receive(l.onMessage, l.run); parked {
			return
		}
		c.Stop()
		if !l.reconnect(how.First) {
			return
		}
	}
}

// finish follows the end, also one by a panic.
func (l *catSocket) finish() {
	l.end(wsconn.ClosingFault) // in most cases it was ended
	l.mu.Lock()
	c, how := l.conn, *l.closing
	l.mu.Unlock()
	if c != nil {
		c.Stop()
		l.hub.counts.open.Add(-1)
	} else {
		l.hub.counts.lost.Add(-1)
	}
	l.mu.Lock()
	l.doubt.stop()
	l.giveUpPlace()
	l.mu.Unlock()
	if l.hub.stopping.Load() {
		l.person.room.redirectRemotes() // what they have said and was not sent goes the next way
	}
	l.sending.Lock() // as in reconnect
	l.failKept(true)
	l.sending.Unlock()
	l.report(EventCatEnd, how)
	l.person.left(l)
	close(l.over)
	l.hub.idle.Done()
}

// onMessage takes one message of the Cat's, and passes it on.
func (l *catSocket) onMessage(kind int) error {
	l.mu.Lock()
	l.doubt.hearing = true
	l.mu.Unlock()
	data, held, err := l.person.read(l.conn, toClient, kind, 0)
	if err != nil {
		l.person.drop(held)
		return err
	}
	m := ofCat(kind, data)
	m.adopt(held)
	defer m.letGo(l.person)
	l.mu.Lock()
	took, first := l.turns.word(m.what, l.conn.CameAt())
	if first {
		l.hub.pace.note(l.silent(l.conn.CameAt()), l.conn.CameAt())
	}
	var of inbound
	whole, secret := false, false
	l.doubt.hearing, l.doubt.heard = false, time.Now()
	others := l.doubt.holding && others(l.doubt.owed)
	if m.what == cat.FrameChat || m.what == cat.FrameError {
		of, whole, secret = l.turnEnded(m)
	}
	l.mu.Unlock()
	if first {
		l.hub.o.Observe(Event{Kind: EventAnswer, User: l.user, Duration: took})
	}
	if secret || others {
		return nil
	}
	l.events.broadcast(m)
	if whole {
		l.events.answered(of)
	}
	return nil
}

// send sends a message up, or keeps it for a while when the Cat is gone.
func (l *catSocket) send(m inbound) (taken bool) {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	c := l.conn
	switch {
	case l.closing != nil:
		l.mu.Unlock()
		return false
	case c != nil && !l.isCut && !l.mustWait(c) && l.mayGoUp(&m):
		l.turns.begin(&m, time.Now())
		l.watch(c)
		l.mu.Unlock()
		l.underWayChanged()
		return l.write(c, m)
	case l.kept.add(l.person, m, func() { l.failKept(false) }):
		l.mu.Unlock()
		return true
	}
	l.mu.Unlock()
	l.events.failed(m, undelivered())
	return true
}

// write writes a message once. Where it can't be written to its end, it waits for the next
// connection, or is not taken if there is none. Whatever else goes wrong, its turn has
// begun: its sender is told when the connection has ended.
func (l *catSocket) write(c *wsconn.Conn, m inbound) (taken bool) {
	late, err := c.WriteMessage(m.kind, m.data, l.hub.times.toWrite(int64(len(m.data))))
	l.mu.Lock()
	l.doubt.heard = time.Now()
	l.mu.Unlock()
	switch {
	case err != nil:
		c.Cut()
		if _, unsent := errors.AsType[*wsconn.UnsentError](err); unsent {
			return l.takeBack(m)
		}
	case late:
		c.Alive(time.Now()) // it has read
	}
	m.tellPassed()
	return true
}

// takeBack follows a message that the Cat does not have, whose turn has begun all the same.
func (l *catSocket) takeBack(m inbound) (taken bool) {
	l.mu.Lock()
	begun := l.turns.withdraw(m.id)
	m.leave = nil
	switch {
	case !begun: // it was among those that were lost, and its sender is told
	case l.closing != nil:
		l.mu.Unlock()
		return false
	case l.kept.add(l.person, m, func() { l.failKept(false) }):
	default:
		l.mu.Unlock()
		l.events.failed(m, undelivered())
		return true
	}
	l.mu.Unlock()
	return true
}

// writeAll writes messages whose turns have begun.
func (l *catSocket) writeAll(c *wsconn.Conn, list []inbound) {
	for _, m := range list {
		if !l.write(c, m) {
			l.events.failed(m, undelivered())
		}
	}
}

// failKept tells the senders of what was kept that it was not delivered.
func (l *catSocket) failKept(ended bool) {
	l.mu.Lock()
	why, list, lost := undelivered(), l.kept.take(l.person), []turn(nil)
	if l.asked != nil && l.conn != nil {
		why = busy()
	}
	if ended {
		lost = l.turns.lost(time.Now())
		list = append(list, messagesOf(lost)...)
	}
	l.mu.Unlock()
	l.person.owe(asOwed(lost))
	for _, m := range list {
		l.events.failed(m, why)
	}
}

func (l *catSocket) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.kept.list) > 0 || l.doubt.owesWord() || l.turns.busy(time.Now(), l.hub.times.turn)
}

// underWay counts the answers that are under way to the clients that of reports.
func (l *catSocket) underWay(of func(from uint64) bool) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turns.underWay(of)
}

// underWayChanged lets other processes know, if there are any.
func (l *catSocket) underWayChanged() {
	if l.hub.o.Fleet != nil {
		l.person.room.reportPending(l.underWay)
	}
}

// isHolding reports whether a message waits for the Cat to be back, or an answer whose
// socket was replaced.
func (l *catSocket) isHolding() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.kept.list) > 0 || l.doubt.owesWord()
}

// end closes the socket at the Cat and leaves nothing that would come back.
func (l *catSocket) end(why Closing) {
	l.mu.Lock()
	if l.closing != nil {
		l.mu.Unlock()
		return
	}
	l.closing = &why
	c := l.conn
	l.mu.Unlock()
	l.cancel()
	if c != nil {
		c.End(Closing{Code: websocket.CloseNormalClosure, Reason: why.Reason})
	}
	if why.Code != websocket.CloseNormalClosure {
		l.events.gone(l, why)
	}
}

func (l *catSocket) isEnding() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing != nil
}

func (l *catSocket) done() <-chan struct{} { return l.over }

func (l *catSocket) abort() {
	l.cancel()
	l.cut()
}

func (l *catSocket) report(kind EventKind, how Closing) {
	l.hub.o.Observe(Event{Kind: kind, User: l.user, Code: how.Code, Reason: how.Reason})
}

// reconnect follows the end of the connection to the Cat, and reports whether there is
// another.
func (l *catSocket) reconnect(how Closing) bool {
	l.person.markEnded()
	l.sending.Lock() // what is being written is over in no time, and knows whether it was
	now := time.Now()
	l.mu.Lock()
	ending := l.closing != nil
	lost := l.turns.lost(now)
	renewed := l.replaced(lost, how, now)
	var tell []inbound
	if !renewed || ending {
		tell = append(l.doubt.tellAll(), messagesOf(unaskedOf(lost))...)
	}
	left := slices.Clone(l.doubt.owed)
	if !ending {
		l.conn, l.isCut = nil, false
	}
	l.mu.Unlock()
	l.sending.Unlock()
	if !ending {
		l.hub.counts.open.Add(-1)
		l.hub.counts.lost.Add(1)
		l.report(EventCatLost, how)
	}
	for _, m := range tell {
		l.events.failed(m, interrupted())
	}
	if ending {
		l.person.owe(left)
		return false
	}
	l.underWayChanged()
	if steady := now.Sub(l.up) >= l.hub.times.steady; steady || l.lost.IsZero() {
		l.lost, l.tries = now, 0
	} else if renewed {
		l.tries = 0
	}
	for {
		if !l.isHolding() && l.events.abandoned(l) {
			l.end(closeUnused)
			return false
		}
		left := l.hub.settings.Load().ReconnectFor - time.Since(l.lost)
		if left <= 0 {
			l.loseHope()
			return false
		}
		if !l.pause(min(l.backoff(), left)) {
			return false
		}
		if l.dialAgain(left) {
			return true
		}
	}
}

// loseHope ends the catSocket of a Cat that stays away. Those whose messages wait are told
// of it before they are closed.
func (l *catSocket) loseHope() {
	if l.isHolding() {
		l.failKept(false)
		_ = pauseFor(l.stop, againSoon) // for the errors to reach them before the close does
	}
	l.end(closeCatGone)
}

// backoff is how long the next try waits: never so short that the Cat would not
// hear it, and not as long as others' who wait for the same Cat.
func (l *catSocket) backoff() time.Duration {
	pause := backoff.Doubled(catSettleDelay, l.hub.times.maxBackoff, l.tries)
	l.tries++
	return pause + backoff.Part(pause, 2)
}

// pause waits, and for what the Cat needs after the last socket. False means that
// the catSocket has been ended.
func (l *catSocket) pause(d time.Duration) bool {
	return wait.For(l.stop, max(d, l.person.unsettled())) == nil
}

// dialAgain tries to reach the Cat, and sends what was kept if it does.
func (l *catSocket) dialAgain(left time.Duration) bool {
	ctx, cancel := context.WithTimeout(l.stop, max(min(left, dialWait), time.Second))
	defer cancel()
	conn, err := l.redial(ctx)
	if err != nil {
		l.person.markEnded() // the Cat may have seen it come and go
		l.refused(err)
		return false
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	c := l.connect(conn)
	l.mu.Lock()
	if l.closing != nil {
		l.mu.Unlock()
		c.HangUp()
		return false
	}
	l.conn = c
	var kept []inbound
	switch waits := l.reopened(c); {
	case waits:
	case l.hub.gateOf(l.person.id) == nil:
		kept = l.kept.take(l.person)
	default:
		l.askPlace()
	}
	for i := range kept {
		l.turns.begin(&kept[i], time.Now())
		l.watch(c)
	}
	l.mu.Unlock()
	l.person.room.lowered() // before anything is said over it
	l.hub.counts.lost.Add(-1)
	l.hub.counts.open.Add(1)
	l.report(EventCatBack, Closing{})
	l.underWayChanged()
	l.writeAll(c, kept)
	return true
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
// catSocket is locked.
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

// after does something in a while, in the locked catSocket, if it has the same socket then.
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

// away is false: this process has the Cat.
func (l *catSocket) away([]*outbound) bool { return false }

func (l *catSocket) reopen() { l.cut() }

// handsOver is false: there is no other process, or its ownerUpstream says so.
func (l *catSocket) handsOver() bool { return false }

// cut breaks the connection to the Cat, which is opened again.
func (l *catSocket) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.isCut = true
		l.conn.Cut()
	}
}

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

// mayGoUp reports whether a message may go to the Cat now: a turn needs a place there,
// where they are bounded, and nothing overtakes what waits for one. The catSocket is locked.
func (l *catSocket) mayGoUp(m *inbound) bool {
	if l.asked != nil {
		return false
	}
	g := l.hub.gateOf(l.person.id)
	if g == nil || !m.isTurn() {
		return true
	}
	m.leave, l.asked = g.enter(l.person.id, l.placeCame)
	return m.leave != nil
}

// askPlace asks for a place for what was kept. The catSocket is locked.
func (l *catSocket) askPlace() {
	if l.asked != nil || len(l.kept.list) == 0 {
		return
	}
	leave := func() {}
	if g := l.hub.gateOf(l.person.id); g != nil {
		if leave, l.asked = g.enter(l.person.id, l.placeCame); leave == nil {
			return
		}
	}
	l.asked = func() bool { return false } // it comes
	go l.placeCame(leave)
}

// giveUpPlace waits for no place any more. One that comes all the same is left at once.
// The catSocket is locked.
func (l *catSocket) giveUpPlace() {
	if l.asked != nil {
		l.asked()
	}
}

// placeCame sends the first turn of what was kept.
func (l *catSocket) placeCame(leave func()) {
	defer l.hub.o.Caught()
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	l.asked = nil
	c := l.conn
	if l.closing != nil || c == nil || len(l.kept.list) == 0 || l.mustWait(c) { // what is left is asked for when the Cat is back
		l.mu.Unlock()
		leave()
		return
	}
	list := l.kept.first(l.person)
	last := &list[len(list)-1]
	if last.isTurn() {
		last.leave = leave
	} else {
		defer leave()
	}
	for i := range list {
		l.turns.begin(&list[i], time.Now())
		l.watch(c)
	}
	l.askPlace()
	l.mu.Unlock()
	l.underWayChanged()
	l.writeAll(c, list)
}
