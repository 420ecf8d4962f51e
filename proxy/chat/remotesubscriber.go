package chat

import (
	"cmp"
	"encoding/binary"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/proxy/cat"
)

// remoteSubscriber is another process's clients of a person whose socket at the Cat this one
// has. In the room it is one subscriber.
type remoteSubscriber struct {
	hub              *Hub
	person           *person
	n                uint64
	process, session string
	most             cat.Permissions // each of its clients has them
	unwatch          func()

	// Guarded by the room:
	in   member
	own  uint64 // of the messages for it alone, how many it has taken
	owed uint64 // the answers to others that it was told of last

	mu      lock.Of[remoteSubscriber]
	passed  uint64          // the last message of its clients' that was passed on
	sending bool            // the next one is being passed on
	last    *clusterMessage // waits for that
	ups     []*clusterMessage
	passing bool
	isOver  bool
}

func newRemoteSubscriber(h *Hub, person *person, from string, p *clusterMessage) *remoteSubscriber {
	g := &remoteSubscriber{
		hub: h, person: person, n: remoteNumbers + h.remotes.Add(1), process: from, session: p.session,
		most: rightsIn(p.n), unwatch: h.o.Fleet.Watch(from),
	}
	g.in.maxBytes, g.in.maxCount = h.settings.Load().queue()
	g.in.reader.kind = remoteReads
	return g
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
	if person != nil && !h.stopping.Load() {
		for _, l := range person.upstreams() {
			if o, ok := l.(*ownerUpstream); ok && o.admit(from, p) {
				return
			}
		}
	}
	h.sendTo(from, &clusterMessage{kind: messageEnd, session: p.session})
}

// remoteNumbers are above those of all clients.
const remoteNumbers = 1 << 63

func (g *remoteSubscriber) transmit(p *clusterMessage) {
	p.session = g.session
	g.hub.sendTo(g.process, p)
}

func (g *remoteSubscriber) number() uint64 { return g.n }

func (g *remoteSubscriber) member() *member { return &g.in }

func (g *remoteSubscriber) rights() cat.Permissions { return g.most }

func (g *remoteSubscriber) isEnding() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isOver
}

// isClosing is false: nothing of it is left behind when it ends.
func (g *remoteSubscriber) isClosing() bool { return false }

func (g *remoteSubscriber) redirect() { g.end(closeMoved) }

// failure is nothing where the other process has ended: it tells its clients itself.
func (g *remoteSubscriber) failure(about inbound, why []byte) (m, heir *outbound) {
	if g.isEnding() {
		return nil, nil
	}
	return failure(about.ref, why), ours(why)
}

func (g *remoteSubscriber) answered(ref uint64) *outbound { return answeredFar(ref) }

// pending is nothing where the other process knows the number.
func (g *remoteSubscriber) pending(n uint64) *outbound {
	if n == 0 && g.owed == 0 {
		return nil
	}
	g.owed = n
	return inherit(n)
}

func (g *remoteSubscriber) writeHere(*outbound, uint64) {}

// wake sends what waits, as far as enough of what came before was taken. Nothing of that
// waits.
func (g *remoteSubscriber) wake(bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.isOver {
		m, n := g.in.reader.next()
		if m == nil {
			break
		}
		if bytes, count := g.in.reader.underWay(); count > 0 && (bytes+m.size() > g.in.maxBytes || count >= g.in.maxCount) {
			break // an ack has it go on
		}
		g.in.reader.gave(n)
		g.transmitOne(m, n)
	}
	return false
}

// transmitOne sends one message. The room and the remote subscriber are locked.
func (g *remoteSubscriber) transmitOne(m *outbound, n uint64) {
	switch m.what {
	case controlAnswered:
		g.transmit(&clusterMessage{kind: messageAnswered, n: m.ref()})
	case controlInherit:
		g.transmit(&clusterMessage{kind: messagePending, n: m.ref()})
	case controlFailed:
		g.transmit(&clusterMessage{kind: messageFailed, n: m.ref(), data: m.data[8:]})
	default:
		alone := n == 0 || len(g.person.room.subscribers) == 1
		g.transmit(&clusterMessage{kind: messageBroadcast, n: n, frame: m.kind, data: m.data, only: alone})
	}
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

// unsent takes what the process has passed on, and what has not been sent all the same,
// out of where it waits: this process stops, and the next way takes it. It returns the
// least number of it; 0 if there is none.
func (g *remoteSubscriber) unsent() (least uint64) {
	if !g.hub.stopping.Load() {
		return 0
	}
	for _, l := range g.person.upstreams() {
		if o, ok := l.(*ownerUpstream); ok {
			least = cmp.Or(o.withdraw(g.n), least)
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
	last := &clusterMessage{kind: messageEnd, n: how}
	g.mu.Lock()
	first := !g.isOver
	g.isOver = true // from here on nothing more is passed on
	waits := g.sending
	if first && waits {
		g.last = last
	}
	g.mu.Unlock()
	if !first {
		return
	}
	g.unwatch()
	if !waits {
		g.transmitLast(last)
	}
	go g.dropRemote(c == closeSilentPeer)
}

// closeSilentPeer ends a remote subscriber whose process says nothing any more.
var closeSilentPeer = Closing{Code: websocket.CloseAbnormalClosure, Reason: "another process is silent"}

// dropRemote takes the remote subscriber out without its word. What a silent process has not
// taken may be lost: that is told to those who are there if nobody else has it, and else to
// the next who comes. Any other looks for the next way, and tells its clients itself.
func (g *remoteSubscriber) dropRemote(silent bool) {
	defer g.hub.o.Caught()
	r := &g.person.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped == nil {
		r.dropped = map[uint64]struct{}{}
	}
	r.dropped[g.n] = struct{}{}
	missing := false
	if silent {
		missing = g.in.reader.die()
	} else {
		g.in.reader.move()
	}
	r.remove(g, missing)
}

// received takes what a remote subscriber's process says, and does not wait.
func (g *remoteSubscriber) received(p *clusterMessage) {
	switch p.kind {
	case messageAck:
		g.acked(p)
	case messageSend, messageLeave, messageEnd: // an end may follow a bye, which says more
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.isOver {
			return
		}
		g.ups = append(g.ups, p) // bounded: its process waits until they are passed on
		g.person.mustHold(int64(len(p.data)))
		if !g.passing {
			g.passing = true
			g.hub.router.passes(1)
			go g.pass()
		}
	}
}

// acked notes what was taken, and sends on.
func (g *remoteSubscriber) acked(p *clusterMessage) {
	r := &g.person.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if g.isEnding() {
		return
	}
	g.in.reader.reads(p.n, time.Now())
	g.tookOwn(p.own)
	g.in.stuck = 0
	g.wake(false)
	r.tidySoon(&g.in.reader)
	r.signal()
}

// tookOwn notes how many of the messages for it alone were taken so far. The room is locked.
func (g *remoteSubscriber) tookOwn(own uint64) {
	if most := g.own + uint64(len(g.in.reader.own.written())); own > g.own && own <= most {
		g.in.reader.readsOwn(int(own - g.own)) //nolint:gosec // no more than were written
		g.own = own
	}
}

// pass passes on what the remote subscriber's clients say, one thing after another.
func (g *remoteSubscriber) pass() {
	defer g.hub.o.Caught()
	defer g.hub.router.passes(-1)
	for {
		moves := g.person.room.handsOver()
		g.mu.Lock()
		if len(g.ups) == 0 || g.isOver {
			for _, p := range g.ups {
				g.person.drop(int64(len(p.data)))
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
				g.person.drop(int64(len(p.data)))
				g.end(closeMoved)
				continue
			}
		case messageLeave:
			g.leave(p)
			continue
		case messageEnd:
			g.end(closeSilentPeer)
			continue
		}
		m := inbound{from: g.n, ref: p.n, kind: p.frame, data: p.data, passed: func() { g.transmit(&clusterMessage{kind: messagePassed, n: p.n}) }}
		taken := true
		if isTokenFrame(m.data) { // of an earlier version of us, which knew fewer spellings
			g.person.room.failed(m, undelivered())
		} else {
			taken = g.person.room.send(m)
		}
		g.person.drop(int64(len(p.data)))
		if g.noteTaken(p.n, taken); !taken { // its own process finds the next way
			g.end(closeMoved)
		}
	}
}

// noteTaken notes that a message of the other process's was taken or not, and lets an end that
// has waited for that say so.
func (g *remoteSubscriber) noteTaken(n uint64, taken bool) {
	g.mu.Lock()
	g.sending = false
	if taken {
		g.passed = n
	}
	last := g.last
	g.last = nil
	g.mu.Unlock()
	if last != nil {
		g.transmitLast(last)
	}
}

// transmitLast ends the session, and says which message was the last that was passed on.
// No other is being passed on.
func (g *remoteSubscriber) transmitLast(last *clusterMessage) {
	unsent := g.unsent()
	g.mu.Lock()
	defer g.mu.Unlock()
	if unsent > 0 && unsent <= g.passed {
		g.passed = unsent - 1
	}
	last.data = binary.BigEndian.AppendUint64(nil, g.passed)
	g.transmit(last)
	g.hub.router.removeSubscriber(g) // not before: who is not found has an end without a number
}

// leave takes the remote subscriber out when the last of its clients has left. What those have not
// read is kept for the next, wherever that comes. Copies of what came another way go only
// to those that nobody else can have given them to.
func (g *remoteSubscriber) leave(p *clusterMessage) {
	g.mu.Lock()
	first := !g.isOver
	g.isOver = true
	g.mu.Unlock()
	if !first {
		return
	}
	g.unwatch()
	g.hub.router.removeSubscriber(g)
	r := &g.person.room
	r.mu.Lock()
	g.in.reader.stop()
	var copies []*outbound
	for _, m := range p.rest {
		if m.what = ofCat(m.kind, m.data).what; m.only || !r.log.hasReader() {
			copies = append(copies, m)
		}
	}
	g.tookOwn(p.own)
	r.remove(g, g.in.reader.leave(p.n, copies...))
	r.mu.Unlock()
	g.transmit(&clusterMessage{kind: messageEnd, n: endParted})
}
