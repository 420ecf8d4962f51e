package chat

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// peer is one connection of a shared session: to a client, or to the Cat.
type peer struct {
	side
	hub  *Hub
	in   *input
	out  *output
	from int // the side that it is of, as the way that comes from there
	ping time.Duration

	mu      sync.Mutex
	first   *Closing  // how it ended first
	at      time.Time // when that was
	cut     *time.Timer
	pinging *time.Timer
	over    bool // nothing more is to be started
}

func newPeer(h *Hub, c *websocket.Conn, from int, limit int64, ping time.Duration) *peer {
	p := &peer{hub: h, from: from, ping: ping}
	p.in, p.out = h.take(c, from)
	p.in.limit = limit
	p.in.pong = func([]byte) { p.alive(time.Now()) }
	p.in.ping = p.answerPing
	p.in.closed = func(code int) {
		p.note(Closing{code, "closed by " + sideName(from)})
		p.cutSoon()
		writeClose(p.out, frame(&websocket.CloseError{Code: code}))
	}
	p.alive(time.Now())
	if ping > 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pinging = time.AfterFunc(ping, p.askIt)
	}
	return p
}

// answerPing sends the same payload back. There is as much time for it as for a
// message: if it were short, a ping would be the end of a client that reads slowly.
func (p *peer) answerPing(payload []byte) {
	p.alive(time.Now())
	_ = p.out.control(websocket.PongMessage, payload, p.hub.times.stall) // the reader finds out what is wrong
}

// askIt pings, and gives up a peer that has been silent for too long.
func (p *peer) askIt() {
	now := time.Now()
	if now.Sub(time.Unix(0, p.sign.Load())) > 2*p.ping+p.ping/2 {
		p.end(closeSilent)
		return
	}
	if p.asked.CompareAndSwap(false, true) {
		go func() {
			// A dead connection is found by its silence.
			_ = p.out.control(websocket.PingMessage, nil, p.hub.times.stall)
			p.asked.Store(false)
		}()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.pinging.Reset(p.ping)
	}
}

// receive reads until the connection ends, and returns how it ended first. Each
// message must be read to its end, unless there is an error; one that is an
// *EndedError ends the connection with its code. When it is parked, nothing has
// ended: resume goes on.
func (p *peer) receive(message func(kind int) error, resume func()) (how Closing, parked bool) {
	err := p.in.serve(func(kind int) error {
		p.alive(p.in.came)
		return message(kind)
	}, resume)
	if err == errParked { //nolint:errorlint // never wrapped
		return how, true
	}
	p.ended(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.first, false
}

// ended follows the end of the reading, until the connection is closed.
func (p *peer) ended(err error) {
	name := sideName(p.from)
	closed := properClose(err)
	refused, isRefused := refusalOf(err, name)
	switch {
	case closed != nil:
		p.note(Closing{closed.Code, "closed by " + name})
		if p.from == toClient {
			drain(p.in.conn) // a server closes the connection first; then it knows of the end (RFC 6455 §7.1.1)
		}
	case isRefused:
		p.refuse(refused)
	default:
		p.note(Closing{websocket.CloseAbnormalClosure, "closed by " + name + ", without a close"})
	}
	p.stop()
}

// stop closes the connection for good.
func (p *peer) stop() {
	p.in.close()
	p.note(closeFault) // never the first, unless a panic came before any
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for _, t := range []*time.Timer{p.cut, p.pinging} {
		if t != nil {
			t.Stop()
		}
	}
}

// refuse ends the connection over what came from it.
func (p *peer) refuse(c Closing) {
	p.note(c)
	p.cutSoon()
	writeClose(p.out, websocket.FormatCloseMessage(c.Code, c.Reason))
	drain(p.in.conn)
}

// end closes the connection from here, and cuts it if the other end is in no hurry.
// It does not wait.
func (p *peer) end(c Closing) {
	p.note(c)
	p.cutSoon()
	if c.Code == websocket.CloseAbnormalClosure {
		p.in.cut()
		return
	}
	go writeClose(p.out, websocket.FormatCloseMessage(c.Code, c.Reason))
}

// note keeps how the connection ended first.
func (p *peer) note(c Closing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == nil {
		p.first, p.at = &c, time.Now()
	}
}

// ending is how and when the connection ended first, when it has.
func (p *peer) ending() (Closing, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *p.first, p.at
}

func (p *peer) isEnding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first != nil
}

func (p *peer) cutSoon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut == nil && !p.over {
		p.cut = time.AfterFunc(closeWait, p.in.cut)
	}
}
