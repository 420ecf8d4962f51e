package chat

import (
	"context"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
)

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

	sending sync.Mutex // held while one message goes up

	mu      sync.Mutex
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
	l.failKept(true)
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
func (l *catSocket) send(m inbound) {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	c := l.conn
	switch {
	case l.closing != nil:
	case c != nil && !l.isCut && !l.mustWait(c) && l.mayGoUp(&m):
		l.turns.begin(m, time.Now())
		l.watch(c)
		l.mu.Unlock()
		l.underWayChanged()
		l.write(c, m)
		return
	case l.kept.add(l.person, m, func() { l.failKept(false) }):
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.events.failed(m, undelivered())
}

// write writes a message once. Whatever goes wrong, its turn has begun: its sender
// is told when the connection has ended.
func (l *catSocket) write(c *wsconn.Conn, m inbound) {
	late, err := c.WriteMessage(m.kind, m.data, l.hub.times.toWrite(int64(len(m.data))))
	l.mu.Lock()
	l.doubt.heard = time.Now()
	l.mu.Unlock()
	switch {
	case err != nil:
		c.Cut()
	case late:
		c.Alive(time.Now()) // it has read
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
		l.person.room.reportPending(l)
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
