package chat

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
)

// The two ways through a tunnel. A way is also the name of the side that it comes from:
// what goes to the Cat comes from the client.
const (
	toCat = iota
	toClient
)

// copyBufferSize is how much of a message is on its way at once.
const copyBufferSize = 16 << 10

// tunnel is one client with a socket at the Cat of its own: two connections, and a loop
// each way that copies messages. The end of one side is passed on to the other.
type tunnel struct {
	client

	over   chan struct{} // closed when the socket at the Cat is closed completely
	rights cat.Permissions
	loops  atomic.Int32            // under way
	first  atomic.Pointer[Closing] // how it ended first
	deaf   [2]bool                 // of each loop: the other side takes nothing any more
	// speaking is held while a message is written to the client, so that a word of ours
	// does not come in the middle of it.
	speaking lock.Of[tunnelSpeaking]

	mu      lock.Of[tunnel]
	running running
	conns   [2]*wsconn.Conn         // the client, nil until upgraded; the Cat, nil until dialled
	cancel  context.CancelCauseFunc // ends the waiting before that
	closing *Closing                // why it was ended from here, if it was
	ended   bool                    // nothing more is to be started
}

// open opens both ends: the Cat's in the person's turn, and only then the client's.
func (t *tunnel) open(ctx context.Context, j *Joining) error {
	if err := t.dial(ctx, j); err != nil {
		return err
	}
	ws, err := j.Upgrade()
	if err != nil {
		t.conns[toClient].HangUp() // a proper close, though there is no client to serve
		t.leave()
		return &UpgradeError{err}
	}
	client := wsconn.New(ws, t.hub.poller, wsconn.Options{
		Role: wsconn.Server, Peer: theClient, MaxMessage: t.limit, MessageTimeout: t.within, Ping: t.ping, WriteTimeout: t.hub.times.stall,
	})
	t.mu.Lock()
	t.conns[toCat] = client
	t.cancel = nil
	t.mu.Unlock()
	return nil
}

// dial opens the socket at the Cat.
func (t *tunnel) dial(ctx context.Context, j *Joining) error {
	p := t.person
	if err := p.lockDial(ctx); err != nil {
		return err
	}
	for _, l := range p.upstreams() { // from before a change of the mode
		l.end(closeChanged)
	}
	err := p.settled(ctx, p.ending())
	if err == nil {
		err = t.outwait(ctx, j)
	}
	p.unlockDial() // others may open theirs in the meantime
	if err != nil {
		return err
	}
	t.rights = t.hub.rightsOf(j.User)
	ws, err := j.Dial(context.WithValue(ctx, withinKey{}, t.rights))
	if err != nil {
		p.markEnded() // the Cat may have seen it come and go
		return &DialError{err}
	}
	conn := wsconn.New(ws, t.hub.poller, wsconn.Options{Role: wsconn.Client, Peer: theCat, Ping: t.ping, WriteTimeout: t.hub.times.stall})
	t.mu.Lock()
	t.conns[toClient] = conn
	t.mu.Unlock()
	p.joined(t)
	if !t.fits() { // the rules have changed in the meantime
		t.end(closeChanged)
	}
	return nil
}

func (t *tunnel) done() <-chan struct{} { return t.over }

// leave notes that the socket at the Cat is over.
func (t *tunnel) leave() {
	t.person.owe(t.leftRunning())
	t.person.left(t)
	close(t.over)
}

// serve starts relaying both ways, in goroutines of its own whose stacks have never
// grown; whichever ends last tidies up.
func (t *tunnel) serve() {
	t.opened()
	t.hub.served(&t.client)
	if early := t.endedFromHere(); early != nil {
		t.endBoth(*early) // ended while its handshake was under way
	}
	t.loops.Store(2)
	go t.run(toCat)
	go t.run(toClient)
}

// run copies messages one way until its side has ended, and passes the end on. An idle
// connection is parked: no goroutine and no buffer is held.
func (t *tunnel) run(way int) {
	defer t.hub.o.Caught()
	parked := false
	defer func() {
		if !parked {
			t.ran(way)
		}
	}()
	if way == toClient {
		t.tellEarly()
	}
	from := t.conns[way]
	var how wsconn.Ending
	how, parked = from.Receive(func(kind int) error { return t.copyMessage(way, kind, from) }, func() { t.run(way) })
	if parked {
		return
	}
	t.note(how.First)
	t.conns[1-way].End(how.Last)
	from.Stop()
}

// ran follows a loop's end, also one by a panic.
func (t *tunnel) ran(way int) {
	t.conns[way].Stop()
	if way == toClient {
		t.leave()
	}
	if t.loops.Add(-1) > 0 {
		t.conns[1-way].CutSoon()
		return
	}
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	defer t.hub.release(&t.client)
	t.note(wsconn.ClosingFault) // never the first, unless a panic came before any
	t.closed(*t.first.Load())
}

// end closes the tunnel from here: both sides are told, and cut when they do not answer.
// The first reason counts. One that is not open yet never opens.
func (t *tunnel) end(c Closing) {
	t.mu.Lock()
	if t.closing != nil {
		t.mu.Unlock()
		return
	}
	t.closing = &c
	cancel, open := t.cancel, t.conns[toCat] != nil
	t.mu.Unlock()
	if cancel != nil {
		cancel(joinError(c))
	}
	if open {
		t.endBoth(c)
	}
}

// endBoth tells the client why, and the Cat nothing but the end.
func (t *tunnel) endBoth(c Closing) {
	t.note(c)
	t.conns[toCat].End(c)
	if c.Code != websocket.CloseAbnormalClosure {
		c = Closing{Code: websocket.CloseNormalClosure}
	}
	t.conns[toClient].End(c)
}

// endedFromHere is why the tunnel was ended from here, or nil.
func (t *tunnel) endedFromHere() *Closing {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closing
}

// isEnding reports whether an end has begun, at either side.
func (t *tunnel) isEnding() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ending := t.closing != nil || t.first.Load() != nil
	for _, c := range t.conns {
		ending = ending || c != nil && c.IsEnding()
	}
	return ending
}

// note keeps how the tunnel ended first.
func (t *tunnel) note(c Closing) { t.first.CompareAndSwap(nil, &c) }

// abort cuts both connections, as far as they are open.
func (t *tunnel) abort() {
	t.mu.Lock()
	conns := t.conns
	t.mu.Unlock()
	for _, c := range conns {
		if c != nil {
			c.Cut()
		}
	}
}

// copyMessage passes a message on, piece by piece.
func (t *tunnel) copyMessage(way, kind int, from *wsconn.Conn) error {
	if t.deaf[way] {
		return from.Discard()
	}
	if c := t.person.hold(copyBufferSize, way); c != nil {
		return &EndedError{*c}
	}
	defer t.person.drop(copyBufferSize)
	buf := t.hub.pieces.Get().(*[]byte)
	defer t.hub.pieces.Put(buf)
	c := copying{t: t, way: way, kind: kind, from: from, r: from, buf: *buf, scan: turnScan(), text: wsconn.Text{On: kind == websocket.TextMessage}}
	if way == toCat {
		c.scan = tokenScan()
		var ends bool
		if c.r, c.n, ends, c.err = t.begin(&c.scan, from, c.buf); ends {
			return c.err
		}
	}
	defer c.end()
	return c.run()
}

// unwritable follows a failed write. Where the connection broke or is closing, its own
// reader finds out, and says why; it would not of one that takes nothing. The side that
// the message came from is read on, so that its end is found.
func (t *tunnel) unwritable(way int, err error) {
	t.deaf[way] = true
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		t.end(Closing{Code: websocket.CloseAbnormalClosure, Reason: [2]string{theClient, theCat}[1-way] + " takes nothing any more"})
		return
	}
	for _, c := range t.conns {
		c.CutSoon()
	}
}

// begin is own, and with attributes the message is read from its beginning again. It
// returns where the rest is read, or that there is none for the Cat.
func (t *tunnel) begin(scan *typeScan, from *wsconn.Conn, buf []byte) (r io.Reader, n int, ends bool, err error) {
	n, ours, err := t.own(scan, from, buf)
	whole := errors.Is(err, io.EOF)
	if ours || err != nil && !whole {
		return nil, n, true, err
	}
	told, failed := t.attributing(buf[:n], whole, from)
	switch {
	case failed != nil:
		return nil, n, true, failed
	case told != nil:
		*scan = tokenScan()
		return told, 0, false, nil
	}
	return from, n, false, err
}

// own looks at the beginning of a client's message for what is not the Cat's: a token
// frame, or a message that comes too fast. Nothing passes on while it may still become a
// token frame. What it has read of any other is in buf; the error is then that of the last
// reading, io.EOF at the end.
func (t *tunnel) own(scan *typeScan, from *wsconn.Conn, buf []byte) (n int, ours bool, err error) {
	if t.isEnding() {
		return 0, true, from.Discard()
	}
	if ok, keeps := t.rate.Take(time.Now()); !ok {
		t.hub.o.Observe(Event{Kind: EventRefused, User: t.user.Load(), ID: t.id, Client: t.addr})
		if !keeps {
			t.end(closeTooFast)
		} else {
			t.tell(tooFast())
		}
		return 0, true, from.Discard()
	}
	for {
		var m int
		m, err = from.Read(buf[n:])
		more := scan.write(buf[n : n+m])
		n += m
		switch whole := errors.Is(err, io.EOF) || n == len(buf); {
		case scan.found && whole:
			return n, true, t.present(from, buf[:n])
		case err != nil, whole, !more && !scan.found:
			return n, false, err
		}
	}
}

// present deals with a token frame; one that is longer than buf is none.
func (t *tunnel) present(from *wsconn.Conn, frame []byte) error {
	answer, closing := t.reauthenticate(frame)
	if closing != nil {
		t.end(*closing)
	} else {
		t.tell(answer)
	}
	return from.Discard() // at its end that says so again
}

// tooLong ends the tunnel over a token frame that is longer than any, of which a part has
// passed: the Cat never gets the end of it.
func (t *tunnel) tooLong(from *wsconn.Conn) error {
	t.end(closeBadToken)
	return from.Discard()
}

// tell says something of our own to the client, between two messages.
func (t *tunnel) tell(text []byte) {
	t.speaking.Lock()
	defer t.speaking.Unlock()
	_, _ = t.conns[toCat].WriteMessage(websocket.TextMessage, text, t.hub.times.stall) // the reader finds out what is wrong
}

// fits reports whether a client may go on with a socket of its own at the Cat, which
// was opened within these rights.
func (t *tunnel) fits() bool { return t.hub.rightsOf(t.user.Load()).Covers(t.rights) }

// outwait holds the handshake of a client, whose person has left a turn running, until
// that has ended, or for a while. It listens for the answer over a socket of its own,
// which is closed again, and keeps what it hears for the client.
func (t *tunnel) outwait(ctx context.Context, j *Joining) error {
	p := t.person
	rest := p.takeOwed()
	if !slices.ContainsFunc(rest, func(o owed) bool { return !o.late }) {
		t.mu.Lock()
		t.running.late = rest
		t.mu.Unlock()
		return nil // it was waited for
	}
	ws, err := j.Dial(ctx)
	if err != nil {
		p.markEnded()
		if !errors.Is(err, syscall.ECONNREFUSED) {
			p.owe(rest)
		}
		return &DialError{err}
	}
	c := t.hub.catConn(ws, t.hub.settings.Load())
	end := func() { c.End(closeFresh) }
	bound := time.AfterFunc(t.hub.times.patience, end)
	defer bound.Stop()
	defer context.AfterFunc(ctx, end)()
	c.Receive(func(kind int) error {
		data, held, err := p.read(c, toClient, kind, 0)
		if err != nil {
			p.drop(held)
			return err
		}
		m := ofCat(kind, data)
		m.adopt(held)
		if others(rest) {
			m.letGo(p)
		} else {
			t.running.early = append(t.running.early, m)
		}
		if ends := m.what == cat.FrameChat || m.what == cat.FrameError; ends && len(rest) > 0 {
			if rest = rest[1:]; len(rest) == 0 {
				bound.Reset(catSettleDelay)
			}
		}
		return nil
	}, nil)
	c.Stop()
	p.markEnded()
	if err := p.settled(ctx, nil); err != nil {
		p.owe(rest)
		t.forgetEarly()
		return err
	}
	t.mu.Lock()
	t.running.late = rest
	t.mu.Unlock()
	return nil
}

// tellEarly gives a client what came before it was there.
func (t *tunnel) tellEarly() {
	for _, m := range t.running.early {
		t.speaking.Lock()
		_, _ = t.conns[toCat].WriteMessage(m.kind, m.data, t.hub.times.stall) // the reader finds out what is wrong
		t.speaking.Unlock()
	}
	t.forgetEarly()
}

func (t *tunnel) forgetEarly() {
	for _, m := range t.running.early {
		m.letGo(t.person)
	}
	t.running.early = nil
}

// asks notes a message to the Cat, an object, which has this end, or is all of this.
func (t *tunnel) asks(end []byte, all bool) {
	m := inbound{kind: websocket.TextMessage, data: []byte("{")} // its text is not known
	if all {
		m.data = end
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.running.turns.begin(&m, now)
	t.running.heard = now
	if t.inDoubt(now) && t.running.dog == nil && !t.ended {
		t.running.dog = time.AfterFunc(2*t.hub.silence(now), t.bark)
	}
}

// inDoubt reports whether a turn may run that this process knows nothing of.
func (t *tunnel) inDoubt(now time.Time) bool { return now.Sub(t.hub.born) < t.hub.times.turn }

// bark looks whether the Cat has forgotten a socket in doubt.
func (t *tunnel) bark() {
	t.mu.Lock()
	r, now := &t.running, time.Now()
	r.dog = nil
	owes := r.turns.next() >= 0 && !t.ended
	silent := owes && now.Sub(r.heard) >= 2*t.hub.silence(now)
	if owes && !silent {
		r.dog = time.AfterFunc(2*t.hub.silence(now), t.bark)
	}
	t.mu.Unlock()
	if silent {
		t.end(closeStale)
	}
}

// hears notes a piece of the Cat's; the end of a message may end a turn.
func (t *tunnel) hears(endsTurn bool, piece []byte, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, now := &t.running, time.Now()
	if i := r.turns.next(); i >= 0 {
		t.hub.pace.note(now.Sub(later(r.turns.list[i].at, r.heard)), now)
	}
	r.heard = now
	if !endsTurn {
		return
	}
	stale := len(r.late) > 0 && (!all || !r.turns.isNext(piece))
	if stale {
		t.hub.pace.note(now.Sub(r.late[0].at), now)
		r.late = r.late[1:]
	} else if _, own := r.turns.answered(); !own && t.inDoubt(now) {
		stale = t.person.isStrange()
	}
	if stale && len(r.late) == 0 {
		time.AfterFunc(catSettleDelay, func() { t.end(closeStale) })
	}
}

// leftRunning are the turns that end behind the socket.
func (t *tunnel) leftRunning() []owed {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running.dog != nil {
		t.running.dog.Stop()
	}
	list := t.running.late
	for i := range list {
		list[i].late = true
	}
	return append(list, asOwed(t.running.turns.lost(time.Now()))...)
}

// tooFast is the answer to a message that is refused for coming too fast.
func tooFast() []byte {
	return cat.ErrorFrame("TooManyMessages", "You are sending faster than is allowed here. This message was not delivered.")
}
