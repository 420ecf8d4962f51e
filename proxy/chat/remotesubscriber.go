package chat

import (
	"cmp"
	"encoding/binary"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/proxy/cat"
)

// remoteSubscriber is another process's clients of a person whose socket at the Cat this one
// has. In the room it is one subscriber.
type remoteSubscriber struct {
	subscriber       *localSubscriber
	hub              *Hub
	process, session string
	rights           cat.Permissions // each of its clients has them
	unwatch          func()
	owed             uint64 // the answers to others that it was told of last; the room guards it

	mu      lock.Of[remoteSubscriber]
	space   *sync.Cond
	sent    []*outbound // not taken yet; the first has the number taken+1
	taken   uint64
	passed  uint64          // the last message of its clients' that was passed on
	sending bool            // the next one is being passed on
	last    *clusterMessage // waits for that
	bytes   int64           // of sent
	ups     []*clusterMessage
	passing bool
	isOver  bool
}

// invite takes another process's clients in, if this one has the person's socket.
func (h *Hub) invite(from string, p *clusterMessage) {
	h.mu.Lock()
	person := h.people[p.text]
	h.mu.Unlock()
	token := string(p.data)
	if !h.o.Fleet.Holds(token) {
		go h.o.Fleet.Release(p.text, token) // of before; nobody would ever give it up
	}
	if person == nil || h.stopping.Load() || !person.room.admit(h, from, p) {
		h.sendTo(from, &clusterMessage{kind: messageEnd, session: p.session})
	}
}

// guestNumbers are above those of all clients.
const guestNumbers = 1 << 63

func (g *remoteSubscriber) transmit(p *clusterMessage) {
	p.session = g.session
	g.hub.sendTo(g.process, p)
}

// write sends one thing, when enough of what came before was taken. False means that
// the remote subscriber has gone.
func (g *remoteSubscriber) write(m *outbound) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.isOver && len(g.sent) > 0 && (g.bytes+m.size() > g.subscriber.maxBytes || len(g.sent) >= g.subscriber.maxCount) {
		g.space.Wait()
	}
	if g.isOver {
		return false
	}
	g.sent = append(g.sent, m)
	g.bytes += m.size()
	m.mustKeep(g.subscriber.person)
	switch m.what {
	case controlAnswered:
		g.transmit(&clusterMessage{kind: messageAnswered, n: m.ref()})
	case controlInherit:
		g.transmit(&clusterMessage{kind: messagePending, n: m.ref()})
	case controlFailed:
		g.transmit(&clusterMessage{kind: messageFailed, n: m.ref(), data: m.data[8:]})
	default:
		p := &clusterMessage{kind: messageBroadcast, frame: m.kind, data: m.data}
		if m.alone {
			p.n = saidAlone
		}
		g.transmit(p)
	}
	return true
}

// What an outbound message is that is for another process, and not for a client.
const (
	controlAnswered = "\x00answered"
	controlFailed   = "\x00failed"
	controlInherit  = "\x00inherit"
)

func answeredFar(ref uint64) *outbound {
	return &outbound{what: controlAnswered, data: binary.BigEndian.AppendUint64(nil, ref)}
}

// inherit tells a remote subscriber that n answers are under way to clients that are not its own.
func inherit(n uint64) *outbound {
	return &outbound{what: controlInherit, data: binary.BigEndian.AppendUint64(nil, n)}
}

// failure is what a remote subscriber is told of a message that may be lost.
func failure(ref uint64, why []byte) *outbound {
	return &outbound{what: controlFailed, data: append(binary.BigEndian.AppendUint64(nil, ref), why...)}
}

// forClients leaves out what is for a process, and makes what failed known to whoever
// comes.
func forClients(list []*outbound) []*outbound {
	var rest []*outbound
	for _, m := range list {
		switch m.what {
		case controlAnswered, controlInherit:
		case controlFailed:
			failed := ours(m.data[8:])
			failed.given = m.given
			rest = append(rest, failed)
		default:
			rest = append(rest, m)
		}
	}
	return rest
}

// unsent takes what the process has passed on, and what has not been sent all the same,
// out of where it waits: this process stops, and the next way takes it. It returns the
// least number of it; 0 if there is none.
func (g *remoteSubscriber) unsent() (least uint64) {
	if !g.hub.stopping.Load() {
		return 0
	}
	for _, l := range g.subscriber.person.upstreams() {
		if o, ok := l.(*ownerUpstream); ok {
			least = cmp.Or(o.withdraw(g.subscriber.n), least)
		}
	}
	return least
}

// end has the other process look for the person's socket again, or end its clients.
func (g *remoteSubscriber) end(c Closing) {
	how := uint64(endAgain)
	switch c {
	case closeCatGone:
		how = endFinal
	case closeSlow, closeFull:
		how = endMissed
	}
	unsent := g.unsent()
	unread, ok := g.stop(&clusterMessage{kind: messageEnd, n: how}, unsent)
	if ok {
		go g.dropRemote(unread, c == closeSilentPeer)
	}
}

// closeSilentPeer ends a remote subscriber whose process says nothing any more.
var closeSilentPeer = Closing{Code: websocket.CloseAbnormalClosure, Reason: "another process is silent"}

// dropRemote takes the remote subscriber out without its word. What it has not taken may be lost: that
// is told to whoever is there if nobody else has it, and else to whoever comes.
func (g *remoteSubscriber) dropRemote(unread []*outbound, silent bool) {
	r := &g.subscriber.person.room
	r.mu.Lock()
	if r.dropped == nil {
		r.dropped = map[uint64]struct{}{}
	}
	r.dropped[g.subscriber.n] = struct{}{}
	r.mu.Unlock()
	unread = append(unread, g.subscriber.empty()...)
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []*outbound
	if silent && len(unread) > 0 {
		m := ours(missed())
		m.given = 2
		for _, x := range unread {
			x.backs = append(x.backs, g.process)
			if x.giveBack() {
				m.given = 1
			}
		}
		rest = append(rest, m)
	}
	r.remove(g.subscriber, rest)
}

// stop ends the session, once, and returns what was not taken. Messages from the number
// unsent on have not been sent; 0 means that all have.
func (g *remoteSubscriber) stop(last *clusterMessage, unsent uint64) ([]*outbound, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isOver {
		return nil, false
	}
	g.isOver = true
	g.lower(unsent)
	switch {
	case last == nil:
	case g.sending:
		g.last = last
	default:
		g.transmitLast(last)
	}
	g.hub.router.removeGuest(g)
	g.unwatch()
	for _, m := range g.sent {
		m.letGo(g.subscriber.person)
	}
	g.space.Broadcast()
	return g.sent, true
}

// received takes what a remote subscriber's process says, and does not wait.
func (g *remoteSubscriber) received(p *clusterMessage) {
	switch p.kind {
	case messageAck:
		g.mu.Lock()
		g.took(p.n)
		g.mu.Unlock()
	case messageSend, messageLeave, messageEnd: // an end may follow a bye, which says more
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.isOver {
			return
		}
		g.ups = append(g.ups, p) // bounded: its process waits until they are passed on
		g.subscriber.person.mustHold(int64(len(p.data)))
		if !g.passing {
			g.passing = true
			g.hub.router.passes(1)
			go g.pass()
		}
	}
}

// took forgets what was taken, up to number n. The remote subscriber is locked.
func (g *remoteSubscriber) took(n uint64) {
	for g.taken < n && len(g.sent) > 0 && !g.isOver {
		g.bytes -= g.sent[0].size()
		g.sent[0].letGo(g.subscriber.person)
		g.sent[0] = nil
		g.sent = g.sent[1:]
		g.taken++
	}
	g.space.Broadcast()
}

// pass passes on what the remote subscriber's clients say, one thing after another.
func (g *remoteSubscriber) pass() {
	defer g.hub.o.Caught()
	defer g.hub.router.passes(-1)
	for {
		moves := g.subscriber.person.room.handsOver()
		g.mu.Lock()
		if len(g.ups) == 0 || g.isOver {
			for _, p := range g.ups {
				g.subscriber.person.drop(int64(len(p.data)))
			}
			g.passing, g.ups = false, nil
			g.mu.Unlock()
			return
		}
		p := g.ups[0]
		moves = moves && p.kind == messageSend
		g.sending = p.kind == messageSend && !moves // an end waits, and says whether it was taken
		g.ups[0] = nil
		g.ups = g.ups[1:]
		g.mu.Unlock()
		switch p.kind {
		case messageSend:
			if moves { // its own process finds the next way
				g.subscriber.person.drop(int64(len(p.data)))
				g.subscriber.end(closeMoved)
				continue
			}
		case messageLeave:
			g.leave(p)
			continue
		case messageEnd:
			g.subscriber.end(closeSilentPeer)
			continue
		}
		m := inbound{from: g.subscriber.n, ref: p.n, kind: p.frame, data: p.data, passed: func() { g.transmit(&clusterMessage{kind: messagePassed, n: p.n}) }}
		taken := true
		if isTokenFrame(m.data) { // of an earlier version of us, which knew fewer spellings
			g.subscriber.person.room.failed(m, undelivered())
		} else {
			taken = g.subscriber.person.room.send(m)
		}
		g.subscriber.person.drop(int64(len(p.data)))
		if g.noteTaken(p.n, taken); !taken { // its own process finds the next way
			g.subscriber.end(closeMoved)
		}
	}
}

// noteTaken notes that a message of the other process's was taken or not, and lets an end that
// has waited for that say so.
func (g *remoteSubscriber) noteTaken(n uint64, taken bool) {
	unsent := g.unsent()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sending = false
	if taken {
		g.passed = n
	}
	if last := g.last; last != nil {
		g.last = nil
		g.lower(unsent)
		g.transmitLast(last)
	}
}

// lower notes that messages from a number on have not been sent; 0 means none. It is locked.
func (g *remoteSubscriber) lower(unsent uint64) {
	if unsent > 0 && unsent <= g.passed {
		g.passed = unsent - 1
	}
}

// transmitLast ends the session, and says which message was the last that was passed on.
// It is locked.
func (g *remoteSubscriber) transmitLast(last *clusterMessage) {
	last.data = binary.BigEndian.AppendUint64(nil, g.passed)
	g.transmit(last)
}

// leave takes the remote subscriber out when the last of its clients has left. What those have not
// read is kept for the next, wherever that comes.
func (g *remoteSubscriber) leave(p *clusterMessage) {
	g.mu.Lock()
	g.took(p.n)
	g.mu.Unlock()
	unread, ok := g.stop(nil, 0)
	if !ok {
		return
	}
	unread = append(unread, g.subscriber.empty()...)
	g.subscriber.person.room.leaveRemote(g.subscriber, p.rest, forClients(unread))
	g.transmit(&clusterMessage{kind: messageEnd, n: endParted})
}
