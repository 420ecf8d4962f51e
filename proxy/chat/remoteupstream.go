package chat

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

const (
	// farWait is how long another process may take to answer that it has a person.
	farWait = time.Second
	// ackSoon is how long it is not told of what was taken, while that is little.
	ackSoon = 500 * time.Millisecond
)

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

	mu        sync.Mutex
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
	current   *outbound // on its way to the room
	taken     uint64    // how many were told
	acked     uint64
	unacked   int64
	ack       *time.Timer
}

func newFar(o *ownerUpstream, process string) *remoteUpstream {
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
	f.hub.router.addFar(f)
	f.unwatch = f.hub.o.Fleet.Watch(f.process)
	p := &clusterMessage{kind: messageOpen, session: f.session, text: f.owner.person.name, data: []byte(claim), n: how}
	f.transmit(p)
	t := time.NewTimer(farWait)
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
		m.via, m.only = f, p.n == saidAlone
		m.mustKeep(f.owner.person) // while it is told
		defer m.letGo(f.owner.person)
		whole = m.what == cat.FrameChat
		f.mu.Lock()
		f.current = m
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
	f.took(int64(len(p.data)))
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

// took lets the other process send more.
func (f *remoteUpstream) took(n int64) {
	bytes, count := f.hub.settings.Load().queue()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken++
	f.current = nil
	f.unacked += n
	switch {
	case f.isOver, f.parting:
	case f.unacked >= bytes/4 || f.taken-f.acked >= uint64(count/4): //nolint:gosec // positive
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
	if f.acked < f.taken && !f.isOver && !f.parting {
		f.acked, f.unacked = f.taken, 0
		f.transmit(&clusterMessage{kind: messageAck, n: f.taken})
	}
}
