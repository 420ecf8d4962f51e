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

// smallEnough is how many bytes a message may have that is written by whoever heard it.
const smallEnough = 2 << 10

// unheardFor is how long before it goes away a page may have been written what it
// never showed. A browser that loads a page again stops the old page's script first,
// and closes its socket some 20 ms later; what comes in between is taken and dropped.
// The rest is for the way there.
const unheardFor = 250 * time.Millisecond

// localSubscriber is one client of a shared session: a tab, or a device.
type localSubscriber struct {
	client
	conn   *wsconn.Conn      // set when it is open
	remote *remoteSubscriber // set for another process's clients, in place of conn
	page   bool              // it is a browser's page

	maxBytes int64
	maxCount int

	mu      lock.Of[localSubscriber]
	cancel  context.CancelCauseFunc // ends the waiting before it is open
	closing *Closing                // why it was ended from here, if it was
	isOpen  bool
	queue   []*outbound
	first   [1]*outbound // has room for a queue of one, which most are
	bytes   int64
	writing bool          // the first of the queue is on its way
	left    []byte        // of it, when that has begun and had to wait; the writer's own
	broken  bool          // nothing more can be written
	quiet   chan struct{} // closed when what is on its way has been written, or not
	waited  time.Duration // by others for this client, since it had taken everything
	stuck   time.Duration // of that, since it has taken anything
	gone    bool
	latest  lately // what it was written in the last moments
}

// open joins the person's room, and then opens the client's side.
func (w *localSubscriber) open(ctx context.Context, j *Joining) error {
	r := &w.person.room
	if err := r.enter(ctx, w, j); err != nil {
		return err
	}
	ws, err := j.Upgrade()
	if err != nil {
		r.leave(w, w.empty())
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
	w.writeSoon()
	w.mu.Unlock()
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
	rest := w.empty()
	w.person.room.leave(w, append(w.unheard(), rest...))
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
		w.enqueue(ours(tooFast()))
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
		w.enqueue(ours(notAnObject()))
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
	w.enqueue(ours(answer))
	return nil
}

// end closes the client's side from here. The first reason counts.
func (w *localSubscriber) end(c Closing) {
	w.mu.Lock()
	if w.closing != nil || w.gone {
		w.mu.Unlock()
		return
	}
	w.closing = &c
	cancel, open := w.cancel, w.isOpen
	w.mu.Unlock()
	switch {
	case w.remote != nil:
		w.remote.end(c)
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

// takes reports whether there is room for one more message: any if nothing waits.
func (w *localSubscriber) takes(n int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.waited = 0
	}
	return len(w.queue) == 0 || w.bytes+n <= w.maxBytes && len(w.queue) < w.maxCount
}

// charge notes that others have waited for this client, if it is behind.
func (w *localSubscriber) charge(n int64, took time.Duration) {
	if !w.takes(n) {
		w.mu.Lock()
		w.waited += took
		w.stuck += took
		w.mu.Unlock()
	}
}

// waitedFor is how long others have waited for this client, and how long it has
// taken nothing in the meantime.
func (w *localSubscriber) waitedFor() (others, stuck time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waited, w.stuck
}

func (w *localSubscriber) isEnding() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closing != nil || w.gone
}

// enqueue queues a message, and ends the client if there is no room.
func (w *localSubscriber) enqueue(m *outbound) {
	if !w.takes(m.size()) {
		w.end(closeSlow)
		return
	}
	w.add(m)
}

// add queues a message. A goroutine writes while there is something to write, and
// no longer: an idle client has none.
func (w *localSubscriber) add(m *outbound) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queueUp(m)
	w.writeSoon()
}

// addIdle queues a message. Where nothing else was to be written, it reports that the
// caller must see to the writing, with writeHere and without any lock.
func (w *localSubscriber) addIdle(m *outbound) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queueUp(m)
	if w.remote == nil && w.canWrite() && len(w.queue) == 1 {
		w.writing = true
		return true
	}
	w.writeSoon()
	return false
}

// queueUp is add without the writing. The subscriber is locked.
func (w *localSubscriber) queueUp(m *outbound) {
	if w.gone {
		return
	}
	if c := m.keep(w.person); c != nil {
		if len(w.queue) > 0 {
			go w.end(*c)
			return
		}
		m.mustKeep(w.person) // it is the client's only one, and bounded itself
	}
	if w.queue == nil {
		w.queue = w.first[:0]
	}
	w.queue = append(w.queue, m)
	w.bytes += m.size()
}

// canWrite reports whether there is something to be written that nobody sees to. The
// subscriber is locked.
func (w *localSubscriber) canWrite() bool {
	return !w.writing && !w.broken && !w.gone && w.isOpen && len(w.queue) > 0
}

// writeSoon has what waits written. The subscriber is locked.
func (w *localSubscriber) writeSoon() {
	if w.canWrite() {
		w.writing = true
		go w.write()
	}
}

// writeHere writes what addIdle has queued: at once where it is small and the
// connection takes it without waiting, which spares a goroutine that would take as
// long to start as to write.
func (w *localSubscriber) writeHere() { w.writeAll(true) }

// write writes what waits, until nothing does.
func (w *localSubscriber) write() { w.writeAll(false) }

// writeAll is either. It holds no lock while it writes: a fault there is caught, and
// whoever waits for the end of it goes on.
func (w *localSubscriber) writeAll(here bool) {
	defer w.hub.o.Caught()
	whole, fault, later := false, true, false
	defer func() {
		if later {
			return
		}
		w.written(whole)
		if fault { // else whoever wrote knows how the client ends
			w.end(wsconn.ClosingFault)
		}
	}()
	for first := true; ; first = false {
		m, ok := w.next(), false
		switch {
		case m == nil:
			if w.left != nil { // the client has gone in the meantime
				w.left = nil
				w.conn.AbandonOffer()
			}
			whole, fault = true, false
			return
		case here && first:
			ok, later = w.offerOne(m)
		case here:
			later = true
		default:
			ok = w.writeOne(m)
		}
		if later {
			go w.write()
			return
		}
		if !ok {
			fault = false
			return
		}
		w.took(m)
	}
}

// next is the message to write next, if there is one.
func (w *localSubscriber) next() *outbound {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 || w.gone {
		return nil
	}
	return w.queue[0]
}

// took takes from the queue what has been written.
func (w *localSubscriber) took(m *outbound) {
	w.mu.Lock()
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.bytes -= m.size()
	w.stuck = 0
	kept := w.keepLatest(m)
	w.mu.Unlock()
	if !kept {
		m.letGo(w.person)
	}
	w.person.room.wrote()
}

// written notes that nothing is on its way any more. What could not be written stays
// for whoever comes back.
func (w *localSubscriber) written(whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing, w.broken = false, !whole
	if len(w.queue) == 0 {
		w.queue = nil // an idle client holds nothing
	}
	if w.quiet != nil {
		close(w.quiet)
		w.quiet = nil
	}
	w.writeSoon() // what came since the last look
}

func (w *localSubscriber) writeOne(m *outbound) bool {
	if w.remote != nil {
		return w.remote.write(m)
	}
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

// empty takes what was not written, when the client is gone and its connection
// closed. What is on its way is over in no time then, and only that says whether it
// was written: it must be given neither to nobody nor twice.
func (w *localSubscriber) empty() []*outbound {
	w.person.room.release(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing {
		quiet := make(chan struct{})
		w.quiet = quiet
		w.mu.Unlock()
		<-quiet
		w.mu.Lock()
	}
	rest := w.queue
	w.queue = nil
	for _, m := range rest {
		m.letGo(w.person)
	}
	w.bytes = 0
	return rest
}

// rights are a client's own, and those that another process said all of its clients
// have.
func (w *localSubscriber) rights() cat.Permissions {
	if w.remote != nil {
		return w.remote.rights
	}
	return w.hub.rightsOf(w.user.Load())
}

// keepLatest keeps what has just been written, and reports whether it did; the memory
// is then given back later. Words are not kept: they come again in the whole answer.
// The subscriber is locked.
func (w *localSubscriber) keepLatest(m *outbound) bool {
	if !w.page || m.what == cat.FrameToken {
		return false
	}
	w.latest.keep(w.person, m, w.maxBytes, w.maxCount, unheardFor, w.forgetLatest)
	return true
}

// forgetLatest gives up what is older than a page's end can make it matter.
func (w *localSubscriber) forgetLatest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest.timer != nil && !w.conn.IsEnding() { // else leave sees to it
		w.latest.forget(w.person, unheardFor)
	}
}

// unheard takes what the client was written and may not have heard, when it is gone.
// A page that goes away says so with 1001 (RFC 6455 §7.4.1), which no script can, and
// nothing of it is left that could hear the same twice.
func (w *localSubscriber) unheard() []*outbound {
	how, at := w.conn.Ending()
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &w.latest
	if l.timer != nil {
		l.timer.Stop()
	}
	var rest []*outbound
	if w.closing == nil && how.Code == websocket.CloseGoingAway {
		for _, x := range l.list {
			if at.Sub(x.at) < unheardFor {
				rest = append(rest, x.m)
			}
		}
	}
	for _, x := range l.list {
		x.m.letGo(w.person)
	}
	w.latest = lately{}
	return rest
}
