package chat

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/proxy/cat"
)

const (
	// remoteWait is how long another process may take to answer that it has a person.
	remoteWait = time.Second
	// ackSoon is how long it is not told of what was taken, while that is little.
	ackSoon = 500 * time.Millisecond
)

// missed tells clients that they may not have heard all.
func missed() []byte {
	return cat.ErrorFrame("Missed", "Something that the Cat said may be missing here.")
}

// nobody is no client's number.
const nobody = 0

// remoteUpstream is a person's way to the Cat through the process that has their socket there.
// Nothing is ever said twice over one: what had no answer when it ended may have
// reached the Cat.
type remoteUpstream struct {
	hub              *Hub
	owner            *ownerUpstream
	process, session string
	unwatch          func()
	finished         chan struct{}
	opened           chan struct{}

	mu        lock.Of[remoteUpstream]
	space     *sync.Cond
	turns     turns
	inherited uint64 // answers that are under way to clients of others
	others    uint64 // of these, what the last answer is taken for
	ref       uint64
	waits     map[uint64]inbound // what is not passed on yet
	waiting   int64              // its bytes
	passed    *uint64            // the last that was, as the end says; nil: it does not say
	isOpen    bool
	begun     bool
	isOver    bool
	parting   bool              // a bye is on its way
	parted    bool              // and has come
	rest      []*outbound       // what went with it
	got       []*clusterMessage // what came and was not told yet
	telling   bool
	own       uint64 // how many were told that are for this process alone
	count     int    // how many were told since the last ack
	bytes     int64  // of them
	ack       *time.Timer

	last atomic.Uint64 // the last number that the room has; it changes in the locked room
}

func newRemoteUpstream(o *ownerUpstream, process string) *remoteUpstream {
	f := &remoteUpstream{hub: o.hub, owner: o, process: process, session: newSession(), finished: make(chan struct{}), opened: make(chan struct{}), waits: map[uint64]inbound{}}
	f.space = sync.NewCond(&f.mu)
	return f
}

func newSession() string {
	b := make([]byte, sessionSize)
	rand.Read(b) // never fails
	return string(b)
}

// open asks the process for a session.
func (f *remoteUpstream) open(ctx context.Context, claim string, how uint64) error {
	f.hub.router.addUpstream(f)
	f.unwatch = f.hub.o.Fleet.Watch(f.process)
	p := &clusterMessage{kind: messageOpen, session: f.session, text: f.owner.person.name, data: []byte(claim), n: how}
	f.transmit(p)
	t := time.NewTimer(remoteWait)
	defer t.Stop()
	select {
	case <-f.opened:
	case <-f.finished:
	case <-ctx.Done():
	case <-t.C:
	}
	f.mu.Lock()
	ok := f.isOpen && !f.isOver
	f.mu.Unlock()
	if ok {
		return nil
	}
	f.end(closeUnused)
	return errNoAnswer
}

func (f *remoteUpstream) transmit(p *clusterMessage) {
	p.session = f.session
	f.hub.sendTo(f.process, p)
}

// received takes what comes, and does not wait.
func (f *remoteUpstream) received(p *clusterMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch p.kind {
	case messageOpened:
		if !f.isOpen {
			f.isOpen = true
			f.inherited = p.n
			close(f.opened)
		}
		return
	case messageEnd:
		if f.parting {
			go f.over(endOf(p))
			return
		}
	case messagePassed:
		n := int64(len(f.waits[p.n].data))
		f.waiting -= n
		f.owner.person.drop(n)
		delete(f.waits, p.n)
		f.space.Broadcast()
		return
	}
	switch {
	case f.isOver, f.parting:
	case !f.isOpen && p.kind == messageEnd:
		go f.over(endAgain) // it is not there
	default:
		f.got = append(f.got, p) // bounded: they wait for acks
		f.owner.person.mustHold(int64(len(p.data)))
		f.tellSoon()
	}
}

// tellSoon has what came told. It is locked.
func (f *remoteUpstream) tellSoon() {
	if f.begun && !f.telling && len(f.got) > 0 {
		f.telling = true
		go f.tell()
	}
}

func (f *remoteUpstream) start(*authhandlers.AuthUserInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = true
	f.tellSoon()
}

// tell tells what came, until nothing is left.
func (f *remoteUpstream) tell() {
	defer f.hub.o.Caught()
	for {
		f.mu.Lock()
		if len(f.got) == 0 || f.isOver || f.parting {
			f.telling = false
			f.forgetGot()
			f.mu.Unlock()
			return
		}
		p := f.got[0]
		f.got[0] = nil
		f.got = f.got[1:]
		f.mu.Unlock()
		f.owner.person.drop(int64(len(p.data))) // what is kept of it is counted with that
		f.tellOne(p)
	}
}

func (f *remoteUpstream) tellOne(p *clusterMessage) {
	whole := false
	switch p.kind {
	case messageBroadcast:
		m := ofCat(p.frame, p.data)
		if m.only = p.only; p.n > 0 {
			m.via, m.n = f, p.n
		}
		m.mustKeep(f.owner.person) // while it is told
		defer m.letGo(f.owner.person)
		whole = m.what == cat.FrameChat
		f.mu.Lock()
		if m.what == cat.FrameChat || m.what == cat.FrameError {
			f.others = min(f.inherited, 1) // unless it is told to be the answer to one of ours
			f.inherited -= f.others
		}
		f.mu.Unlock()
		f.owner.broadcast(m)
	case messagePending:
		f.mu.Lock()
		f.inherited, f.others = p.n, 0
		f.mu.Unlock()
	case messageAnswered:
		f.mu.Lock()
		f.inherited += f.others
		f.others = 0
		f.mu.Unlock()
		if m, ok := f.settle(p.n, true); ok {
			f.owner.answered(m)
		}
	case messageFailed:
		if m, ok := f.settle(p.n, false); ok {
			f.owner.failed(m, p.data)
		}
	case messageEnd:
		f.mu.Lock()
		f.passed = passedOf(p)
		f.mu.Unlock()
		f.over(endOf(p))
		return
	}
	f.took(int64(len(p.data)), p.kind == messageBroadcast && p.n > 0)
	if whole {
		f.mu.Lock()
		f.sendAck() // the other process need not tell the next who comes
		f.mu.Unlock()
	}
}

func endOf(p *clusterMessage) int { return int(min(p.n, endParted)) }

// settle takes a message out of those that may be lost. An answer tells of those
// before it, too, that have none.
func (f *remoteUpstream) settle(ref uint64, answered bool) (inbound, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, ok := f.turns.settle(ref, answered)
	m.ref = 0 // it is the other process's
	return m, ok
}

// took lets the other process send more. A message that is numbered is for its other
// subscribers, too.
func (f *remoteUpstream) took(n int64, numbered bool) {
	bytes, count := f.hub.settings.Load().queue()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !numbered {
		f.own++
	}
	f.count++
	f.bytes += n
	switch {
	case f.isOver, f.parting:
	case f.bytes >= bytes/4 || f.count >= count/4:
		f.sendAck()
	case f.ack == nil:
		f.ack = time.AfterFunc(ackSoon, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.sendAck()
		})
	}
}

// sendAck says what was taken. It is locked.
func (f *remoteUpstream) sendAck() {
	if f.ack != nil {
		f.ack.Stop()
		f.ack = nil
	}
	if f.count > 0 && !f.isOver && !f.parting {
		f.count, f.bytes = 0, 0
		f.transmit(&clusterMessage{kind: messageAck, n: f.last.Load(), own: f.own})
	}
}

// send sends a message to the process that has the Cat. It waits while too much has
// not been passed on there.
func (f *remoteUpstream) send(m inbound) (taken bool) {
	most, _ := f.hub.settings.Load().queue()
	n := int64(len(m.data))
	f.mu.Lock()
	for !f.isOver && !f.parting && f.waiting > 0 && f.waiting+n > most {
		f.space.Wait()
	}
	if f.isOver || f.parting {
		f.mu.Unlock()
		return false
	}
	f.ref++
	m.ref = f.ref
	f.waits[m.ref] = m
	f.waiting += n
	f.owner.person.mustHold(n)
	f.turns.begin(&m, time.Now())
	f.transmit(&clusterMessage{kind: messageSend, n: m.ref, frame: m.kind, data: m.data})
	f.mu.Unlock()
	return true
}

// away parts from the session since its last client has left; what that one has not read
// is given back. Until the other process has that, it is not over: if that dies before,
// what is under way is lost, and somebody must hear of it. False means that the session
// is over already. The room is locked.
func (f *remoteUpstream) away(rest []*outbound) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver || f.parting {
		return f.parting
	}
	read, copies := f.split(rest)
	f.parting, f.rest = true, rest
	for _, m := range rest {
		m.mustKeep(f.owner.person)
	}
	f.space.Broadcast()
	f.transmit(&clusterMessage{kind: messageLeave, n: read, own: f.own, rest: copies})
	return true
}

// split tells the messages that nobody has read by their numbers at the other process, as
// far as they have any there: it returns the last number before them, and the others.
func (f *remoteUpstream) split(rest []*outbound) (read uint64, copies []*outbound) {
	read = f.last.Load()
	for _, m := range slices.Backward(rest) {
		if m.via == f && m.n <= read {
			read = m.n - 1
			continue
		}
		copies = append(copies, m)
	}
	slices.Reverse(copies)
	return read, copies
}

// over follows the end from the other side, or the loss of it.
func (f *remoteUpstream) over(how int) {
	lost, unsaid, ok := f.stop(how)
	if !ok {
		return
	}
	if how == endParted {
		close(f.finished)
		return
	}
	f.owner.person.owe(asOwed(lost))
	f.owner.keepFirst(unsaid)
	f.owner.room.redeliver(f.rest)
	for _, m := range messagesOf(lost) {
		m.ref = 0
		f.owner.failed(m, interrupted())
	}
	switch how {
	case endMissed:
		f.owner.room.announce(ours(missed()))
	case endFinal:
		f.owner.gone(f, closeCatGone)
	}
	close(f.finished)
}

// unsaidLocked takes out what the other process has not passed on, as it says itself at
// the end: the Cat has not heard that, and the next way takes it.
func (f *remoteUpstream) unsaidLocked() []inbound {
	if f.passed == nil {
		return nil
	}
	var list []inbound
	for _, ref := range slices.Sorted(maps.Keys(f.waits)) {
		if ref > *f.passed {
			m := f.waits[ref]
			f.turns.settle(ref, false)
			m.ref, m.leave = 0, nil
			list = append(list, m)
		}
	}
	return list
}

// end ends the session from here. Nobody has to be told of what is under way: it is
// answered where the socket is, or the clients are ended.
func (f *remoteUpstream) end(c Closing) {
	f.mu.Lock()
	if !f.isOver && !f.parting {
		f.transmit(&clusterMessage{kind: messageLeave, n: f.last.Load(), own: f.own})
	}
	f.mu.Unlock()
	if _, _, ok := f.stop(endAgain); ok {
		close(f.finished)
	}
}

func (f *remoteUpstream) abort() { f.end(closeUnused) }

// stop ends the session, once, and returns what may be lost with it, and what surely has not
// reached the Cat.
func (f *remoteUpstream) stop(how int) (lost []turn, unsaid []inbound, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver {
		return nil, nil, false
	}
	unsaid = f.unsaidLocked()
	f.isOver, f.parted = true, how == endParted
	f.space.Broadcast()
	if f.ack != nil {
		f.ack.Stop()
	}
	f.unwatch()
	f.hub.router.removeUpstream(f)
	f.letGo()
	lost = f.turns.lost(time.Now())
	for range min(f.inherited, maxTurns) {
		lost = append(lost, turn{from: nobody, at: time.Now(), answers: true})
	}
	return lost, unsaid, true
}

// reopen has the process find another way: what is said from here on waits for that.
func (f *remoteUpstream) reopen() { f.end(closeMoved) }

func (f *remoteUpstream) handsOver() bool { return false }

func (f *remoteUpstream) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.turns.busy(time.Now(), f.hub.times.turn)
}

func (f *remoteUpstream) isEnding() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isOver || f.parting
}

// hasParted reports that nobody was there any more when it ended.
func (f *remoteUpstream) hasParted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parted
}

func (f *remoteUpstream) done() <-chan struct{} { return f.finished }

// letGo has nothing of the session's counted as held any more. It is locked, and over.
func (f *remoteUpstream) letGo() {
	p := f.owner.person
	p.drop(f.waiting)
	f.waiting = 0
	clear(f.waits)
	for _, m := range f.rest {
		m.letGo(p)
	}
	f.forgetGot()
}

// forgetGot forgets what came and was not told. It is locked.
func (f *remoteUpstream) forgetGot() {
	for _, p := range f.got {
		f.owner.person.drop(int64(len(p.data)))
	}
	f.got = nil
}
