package chat

import (
	"maps"
	"slices"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// send sends a message to the process that has the Cat. It waits while too much has
// not been passed on there.
func (f *remoteUpstream) send(m inbound) {
	most, _ := f.hub.settings.Load().queue()
	n := int64(len(m.data))
	f.mu.Lock()
	for !f.isOver && !f.parting && f.waiting > 0 && f.waiting+n > most {
		f.space.Wait()
	}
	if f.isOver || f.parting {
		f.mu.Unlock()
		f.owner.keep(m)
		return
	}
	f.ref++
	m.ref = f.ref
	f.waits[m.ref] = m
	f.waiting += n
	f.owner.person.mustHold(n)
	f.turns.begin(m, time.Now())
	f.transmit(&clusterMessage{kind: messageSend, n: m.ref, frame: m.kind, data: m.data})
	f.mu.Unlock()
}

// bye parts from the session since its last client has left; what that one has not read
// is given back. Until the other process has that, it is not over: if that dies before,
// what is under way is lost, and somebody must hear of it. False means that the session
// is over already. The room is locked.
func (f *remoteUpstream) bye(rest []*outbound) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver || f.parting {
		return f.parting
	}
	taken := f.taken
	if f.current != nil && f.current.passed {
		taken++
	}
	f.parting, f.rest = true, rest
	for _, m := range rest {
		m.only = m.only || m.via == nil && m.given <= 1 // said when this process had the Cat, to nobody else
		m.mustKeep(f.owner.person)
	}
	f.space.Broadcast()
	f.transmit(&clusterMessage{kind: messageLeave, n: taken, rest: rest})
	return true
}

// over follows the end from the other side, or the loss of it.
func (f *remoteUpstream) over(how int) {
	f.mu.Lock()
	unsaid := f.unsaidLocked()
	f.mu.Unlock()
	lost, ok := f.stop(how)
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
	if f.passed == nil || f.isOver {
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

// missed tells clients that they may not have heard all.
func missed() []byte {
	return cat.ErrorFrame("Missed", "Something that the Cat said may be missing here.")
}

// end ends the session from here. Nobody has to be told of what is under way: it is
// answered where the socket is, or the clients are ended.
func (f *remoteUpstream) end(c Closing) {
	f.mu.Lock()
	if !f.isOver && !f.parting {
		f.transmit(&clusterMessage{kind: messageLeave, n: f.taken})
	}
	f.mu.Unlock()
	if _, ok := f.stop(endAgain); ok {
		close(f.finished)
	}
}

func (f *remoteUpstream) abort() { f.end(closeUnused) }

// stop ends the session, once, and returns what may be lost with it.
func (f *remoteUpstream) stop(how int) ([]turn, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver {
		return nil, false
	}
	f.isOver, f.parted = true, how == endParted
	f.space.Broadcast()
	if f.ack != nil {
		f.ack.Stop()
	}
	f.unwatch()
	f.hub.router.removeFar(f)
	f.letGo()
	list := f.turns.lost(time.Now())
	for range min(f.inherited, maxTurns) {
		list = append(list, turn{from: nobody, at: time.Now(), answers: true})
	}
	return list, true
}

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

// nobody is no client's number.
const nobody = 0

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
