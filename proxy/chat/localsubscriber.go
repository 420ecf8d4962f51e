package chat

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/cat"
)

// smallEnough is how many bytes a message may have that is written by the goroutine that heard it.
const smallEnough = 2 << 10

// unheardFor is how long before it goes away a page may have been written what it
// never showed. A browser that loads a page again stops the old page's script first,
// and closes its socket some 20 ms later; what comes in between is taken and dropped.
// The rest is for the way there.
const unheardFor = 250 * time.Millisecond

// localSubscriber is one client of a shared session: a tab, or a device.
type localSubscriber struct {
	client
	conn *wsconn.Conn // set when it is open

	// Guarded by the room:
	in      member
	isReady bool          // it may be written to
	writing bool          // a message is on its way
	broken  bool          // nothing more can be written
	quiet   chan struct{} // closed when what is on its way has been written, or not

	left []byte // of a message that was begun and had to wait; the writer's own

	mu      lock.Of[localSubscriber]
	cancel  context.CancelCauseFunc // ends the waiting before it is open
	closing *Closing                // why it was ended from here, if it was
	isOpen  bool
}

// open joins the person's room, and then opens the client's side.
func (w *localSubscriber) open(ctx context.Context, j *Joining) error {
	r := &w.person.room
	if err := r.enter(ctx, w, j); err != nil {
		return err
	}
	ws, err := j.Upgrade()
	if err != nil {
		w.leaveRoom()
		return &UpgradeError{err}
	}
	w.conn = wsconn.New(ws, w.hub.poller, wsconn.Options{
		Role: wsconn.Server, Peer: theClient, MaxMessage: w.limit, MessageTimeout: w.within, Ping: w.ping, WriteTimeout: w.hub.times.stall,
	})
	return nil
}

func (w *localSubscriber) serve() {
	w.opened()
	w.hub.served(&w.client)
	w.mu.Lock()
	w.isOpen, w.cancel = true, nil
	early := w.closing
	w.mu.Unlock()
	r := &w.person.room
	r.mu.Lock()
	w.isReady = true
	w.wake(false)
	r.mu.Unlock()
	if early != nil {
		w.conn.End(*early) // ended while its handshake was under way
	}
	go w.run()
}

func (w *localSubscriber) run() {
	defer w.hub.o.Caught()
	parked := false
	defer func() {
		if !parked {
			w.leave()
		}
	}()
	_, parked = w.conn.Receive(w.onMessage, w.run)
}

// leave follows the end, also one by a panic.
func (w *localSubscriber) leave() {
	defer w.hub.release(&w.client)
	w.conn.Stop()
	w.leaveRoom()
	how, _ := w.conn.Ending()
	w.closed(how)
}

// onMessage takes a message of the client's.
func (w *localSubscriber) onMessage(kind int) error {
	if w.conn.IsEnding() {
		return w.conn.Discard()
	}
	if ok, keeps := w.rate.Take(w.conn.CameAt()); !ok {
		w.hub.o.Observe(Event{Kind: EventRefused, User: w.user.Load(), ID: w.id, Client: w.addr})
		if !keeps {
			return &EndedError{closeTooFast}
		}
		w.person.room.tellOne(w, ours(tooFast()))
		return w.conn.Discard()
	}
	token, err := w.attributes()
	if err != nil {
		return err
	}
	data, held, err := w.person.read(w.conn, toCat, kind, attributes.Room(token))
	defer func() { w.person.drop(held) }()
	if err != nil {
		return err
	}
	if isTokenFrame(data) {
		return w.present(data)
	}
	if data, err = w.attributed(data, token); errors.Is(err, attributes.ErrNotObject) {
		w.person.room.tellOne(w, ours(notAnObject()))
		return nil
	} else if err != nil {
		return err
	}
	w.towards[toCat].messages.Add(1)
	w.towards[toCat].bytes.Add(int64(len(data)))
	if m := (inbound{from: w.n, kind: kind, data: data}); !w.person.room.send(m) {
		w.person.room.failed(m, undelivered())
	}
	return nil
}

// present deals with a token frame.
func (w *localSubscriber) present(frame []byte) error {
	if len(frame) > maxTokenFrame {
		return &EndedError{closeBadToken}
	}
	answer, closing := w.reauthenticate(frame)
	if closing != nil {
		return &EndedError{*closing}
	}
	w.person.room.tellOne(w, ours(answer))
	return nil
}

// end closes the client's side from here. The first reason counts.
func (w *localSubscriber) end(c Closing) {
	w.mu.Lock()
	if w.closing != nil {
		w.mu.Unlock()
		return
	}
	w.closing = &c
	cancel, open := w.cancel, w.isOpen
	w.mu.Unlock()
	switch {
	case open:
		w.conn.End(c)
	case cancel != nil:
		cancel(joinError(c))
	}
}

func (w *localSubscriber) abort() {
	w.mu.Lock()
	open := w.isOpen
	w.mu.Unlock()
	if open {
		w.conn.Cut()
	}
}

func (w *localSubscriber) number() uint64 { return w.n }

func (w *localSubscriber) member() *member { return &w.in }

func (w *localSubscriber) isEnding() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closing != nil
}

func (w *localSubscriber) isClosing() bool {
	w.mu.Lock()
	open := w.isOpen
	w.mu.Unlock()
	return open && w.conn.IsEnding()
}

func (w *localSubscriber) rights() cat.Permissions { return w.hub.rightsOf(w.user.Load()) }

// redirect does nothing: a client has no other way.
func (w *localSubscriber) redirect() {}

func (w *localSubscriber) failure(_ inbound, why []byte) (m, heir *outbound) {
	m = ours(why)
	if w.isEnding() || w.in.reader.ended {
		return nil, m
	}
	return m, m
}

func (w *localSubscriber) answered(uint64) *outbound { return nil }

func (w *localSubscriber) pending(uint64) *outbound { return nil }

// wake has a goroutine write while there is something to write, and no longer: an idle
// client has none.
func (w *localSubscriber) wake(here bool) bool {
	if w.writing || w.broken || !w.isReady || w.in.reader.ended {
		return false
	}
	_, count := w.in.reader.behind()
	if count == 0 {
		return false
	}
	w.writing = true
	if here && count == 1 {
		w.in.reader.gave(w.in.reader.log.head)
		return true
	}
	go w.write()
	return false
}

// writeHere writes a message at once where it is small and the connection takes it without
// waiting, which spares a goroutine that would take as long to start as to write.
func (w *localSubscriber) writeHere(m *outbound, n uint64) { w.writeAll(m, n, true) }

// write writes what waits, until nothing does.
func (w *localSubscriber) write() {
	r := &w.person.room
	r.mu.Lock()
	m, n := w.next()
	r.mu.Unlock()
	w.writeAll(m, n, false)
}

// writeAll writes a message, and those behind it. It holds no lock while it writes: a fault
// there is caught, and the one who waits for the end of it goes on.
func (w *localSubscriber) writeAll(m *outbound, n uint64, here bool) {
	defer w.hub.o.Caught()
	fault := true
	defer func() {
		if fault {
			w.failed()
			w.end(wsconn.ClosingFault)
		}
	}()
	for first := true; m != nil; first = false {
		ok, later := false, here && !first
		switch {
		case later:
		case here:
			ok, later = w.offerOne(m)
		default:
			ok = w.writeOne(m)
		}
		switch {
		case later:
			go w.writeAll(m, n, false)
			m = nil
		case ok:
			m, n = w.took(n)
		default: // the one who wrote knows how the client ends
			w.failed()
			m = nil
		}
	}
	fault = false
}

// next is the message to write next. Without one, the writing has ended. The room is
// locked.
func (w *localSubscriber) next() (m *outbound, n uint64) {
	if m, n = w.in.reader.next(); m == nil {
		w.ended(false)
		return nil, 0
	}
	w.in.reader.gave(n) // from here on: a client that comes now is not to hear it as well
	return m, n
}

// ended notes that no message is on its way any more. The room is locked.
func (w *localSubscriber) ended(broken bool) {
	w.writing, w.broken = false, broken
	if w.quiet != nil {
		close(w.quiet)
		w.quiet = nil
	}
}

// failed notes that a message could not be written. It stays for the next who comes.
func (w *localSubscriber) failed() {
	r := &w.person.room
	r.mu.Lock()
	defer r.mu.Unlock()
	w.ended(true)
}

// took notes that a message has been written, and returns the next.
func (w *localSubscriber) took(written uint64) (m *outbound, n uint64) {
	r := &w.person.room
	var now time.Time
	if w.in.reader.kind == pageReads {
		now = time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.in.reader.confirm(written, now)
	w.in.stuck = 0
	r.tidySoon(&w.in.reader)
	r.signal()
	return w.next()
}

func (w *localSubscriber) writeOne(m *outbound) bool {
	within := w.hub.times.toWrite(m.size())
	var late bool
	var err error
	if w.left != nil {
		late, err = w.conn.FinishOffer(w.left, within)
		w.left = nil
	} else {
		late, err = m.write(w.conn, within)
	}
	if late && err == nil {
		w.conn.Alive(time.Now()) // it has read
	}
	return w.wrote(m, err)
}

// offerOne writes a message if that needs no waiting, and leaves the rest for later.
func (w *localSubscriber) offerOne(m *outbound) (ok, later bool) {
	if m.size() > smallEnough {
		return false, true
	}
	left, begun, err := m.offer(w.conn)
	if !begun || left != nil {
		w.left = left
		return false, true
	}
	return w.wrote(m, err), false
}

// wrote counts what was written, or follows the failure of that.
func (w *localSubscriber) wrote(m *outbound, err error) bool {
	if err != nil {
		w.unwritable(err)
		return false
	}
	w.towards[toClient].messages.Add(1)
	w.towards[toClient].bytes.Add(m.size())
	return true
}

// unwritable follows a failed write. Where the connection broke or is closing, its
// reader finds out, and says why; it would not of one that takes nothing.
func (w *localSubscriber) unwritable(err error) {
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		w.end(closeSlow)
		return
	}
	w.conn.CutSoon()
}

// leaveRoom takes the client out of the room, when its connection is closed. The message
// that is on its way is over in no time then, and only that says whether it was written.
func (w *localSubscriber) leaveRoom() {
	r := &w.person.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopReading(w)
	if w.writing {
		quiet := make(chan struct{})
		w.quiet = quiet
		r.mu.Unlock()
		<-quiet
		r.mu.Lock()
	}
	r.remove(w, w.in.reader.leave(w.lastRead()))
}

// lastRead is the number of the last message that the client has read. A page that goes
// away says so with 1001 (RFC 6455 §7.4.1), which no script can: nothing of it is left that
// could read again what it may not have shown. The room is locked.
func (w *localSubscriber) lastRead() uint64 {
	w.mu.Lock()
	byUs, open := w.closing != nil, w.isOpen
	w.mu.Unlock()
	if !open || byUs {
		return w.in.reader.read
	}
	if how, at := w.conn.Ending(); how.Code == websocket.CloseGoingAway {
		return w.in.reader.shown(at)
	}
	return w.in.reader.read
}
