package wsconn

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// CloseWait bounds a close handshake; then the connection is cut.
	CloseWait = 3 * time.Second
	// controlWait bounds the writing of a close, and a handshake's answer.
	controlWait = 5 * time.Second
)

// Role is what we are at a connection (RFC 6455 §1.2).
type Role uint8

// The roles.
const (
	Server Role = iota // a client has opened it
	Client             // we have opened it
)

// Options are what a connection is given.
type Options struct {
	Role Role
	// Peer names the other end in reasons, such as "the client".
	Peer string
	// MaxMessage bounds the bytes of a message that is read; 0 means any size.
	MaxMessage int64
	// MessageTimeout is the time for a message to come whole, and a second more for each
	// [Slowest] bytes of it; 0 means any time.
	MessageTimeout time.Duration
	// Ping is the time between pings, which begin when Receive is called first; 0 means
	// none. A connection that is silent for two of them and a half ends.
	Ping time.Duration
	// WriteTimeout bounds the writing of pings and of answers to them. It is as much as a
	// message has: if it were short, a ping would be the end of a slow reader.
	WriteTimeout time.Duration
	// NeverPark keeps the reader in its goroutine.
	NeverPark bool
}

// Conn is one connection, with one end. One goroutine receives; any may write, and end it.
type Conn struct {
	o   Options
	in  reader
	out writer

	sign  atomic.Int64 // when the other end last gave a sign of life, Unix nanoseconds
	asked atomic.Bool  // a ping is on its way

	mu      sync.Mutex
	first   *Closing  // how it ended first; nil while it is open
	at      time.Time // when that was
	cut     *time.Timer
	pinging *time.Timer
	over    bool // nothing more is to be started
	drains  bool // the other end is to close the connection first
}

// New takes a connection over from the library, which has shaken hands and keeps a few
// hundred bytes for what it does no more. A connection that a [Dialer] has opened loses
// nothing of what came with the handshake.
func New(ws *websocket.Conn, p *Poller, o Options) *Conn {
	conn, ahead := ws.NetConn(), []byte(nil)
	if s, ok := conn.(*shaking); ok {
		conn, ahead = s.Conn, s.rest
	}
	c := newConn(conn, p, o)
	c.in.ahead(ahead)
	return c
}

func newConn(conn net.Conn, p *Poller, o Options) *Conn {
	c := &Conn{o: o}
	c.in.init(conn, o.Role == Server, &p.buffers, p)
	c.out.init(conn, c.in.raw, o.Role == Client, &p.buffers)
	c.in.limit, c.in.within, c.in.restless, c.in.controls = o.MaxMessage, o.MessageTimeout, o.NeverPark, c
	c.Alive(time.Now())
	return c
}

// Ending is how a reading ended.
type Ending struct {
	// First is how the connection ended first, as Conn.Ending returns it.
	First Closing
	// Last is what the reading ended with, in the other end's own words where it has sent
	// a close: another connection may be ended alike.
	Last Closing
}

// Receive has each message taken until the connection ends, and returns how. A message
// must be read to its end, unless there is an error; one that is a [Refusal] ends the
// connection with its Closing. Stop must follow. When it is parked, nothing has ended:
// resume is called in a goroutine of its own when there is something to read, and calls
// Receive again. A resume of nil keeps it from being parked.
func (c *Conn) Receive(message func(kind int) error, resume func()) (how Ending, parked bool) {
	c.startPings()
	err := c.in.serve(func(kind int) error {
		c.Alive(c.in.came)
		return message(kind)
	}, resume)
	if err == errParked { //nolint:errorlint // never wrapped
		return how, true
	}
	how.Last = c.ended(err)
	how.First, _ = c.Ending()
	return how, false
}

// ended notes the end of the reading, and returns it.
func (c *Conn) ended(err error) Closing {
	if closed := properClose(err); closed != nil {
		c.note(Closing{closed.Code, "closed by " + c.o.Peer})
		c.cutSoon(c.o.Role == Client) // a server closes the connection first (RFC 6455 §7.1.1)
		return Closing{closed.Code, closed.Text}
	}
	if refused, is := refusalOf(err, c.o.Peer); is {
		c.note(refused)
		c.cutSoon(true) // what is under way would make a reset of our close
		c.writeClose(refused)
		return refused
	}
	broken := Closing{websocket.CloseAbnormalClosure, "closed by " + c.o.Peer + ", without a close"}
	c.note(broken)
	return broken
}

// Stop closes the connection for good, when the reading has ended or was never begun.
func (c *Conn) Stop() {
	c.mu.Lock()
	drains := c.drains
	c.mu.Unlock()
	if drains {
		c.drain()
	}
	c.in.close()
	c.note(ClosingFault) // never the first, unless a panic came before any
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for _, t := range []*time.Timer{c.cut, c.pinging} {
		if t != nil {
			t.Stop()
		}
	}
}

// drain takes what is still under way until the other end has closed the connection, so
// that our close reaches it before a reset does. We have said all there was to say: that
// is what it may wait for.
func (c *Conn) drain() {
	_ = c.in.conn.SetReadDeadline(time.Now().Add(CloseWait))
	if half, ok := c.in.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, c.in.conn)
}

// End begins the close handshake from here, and the connection is cut if the other end
// is in no hurry. The first end counts: where one has begun, only code 1006 does
// something, which cuts the connection at once. End does not wait.
func (c *Conn) End(cl Closing) {
	first := c.note(cl)
	c.cutSoon(false)
	switch {
	case cl.Code == websocket.CloseAbnormalClosure:
		c.in.cut()
	case first:
		go c.writeClose(cl)
	}
}

// HangUp ends a connection that nobody reads from with code 1000, and waits until it is
// closed.
func (c *Conn) HangUp() {
	c.End(Closing{websocket.CloseNormalClosure, ""})
	c.Receive(func(int) error { return c.Discard() }, nil)
	c.Stop()
}

// Cut closes the connection at once and without a close frame. It does not wait.
func (c *Conn) Cut() { c.in.cut() }

// CutSoon has the connection cut unless it is closed soon.
func (c *Conn) CutSoon() { c.cutSoon(false) }

func (c *Conn) cutSoon(drains bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drains = c.drains || drains
	if c.cut == nil && !c.over {
		c.cut = time.AfterFunc(CloseWait, c.in.cut)
	}
}

// note keeps how the connection ended, and reports whether it has not before.
func (c *Conn) note(cl Closing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first != nil {
		return false
	}
	c.first, c.at = &cl, time.Now()
	return true
}

// Ending returns how and when the connection ended first. It has begun to end.
func (c *Conn) Ending() (Closing, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.first, c.at
}

// IsEnding reports whether an end has begun.
func (c *Conn) IsEnding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first != nil
}

func (c *Conn) writeClose(cl Closing) {
	_ = c.out.control(websocket.CloseMessage, cl.payload(), controlWait) // the reader finds out what is wrong
}

// gotClose has a close noted before it is answered: who has the answer may open another
// connection at once, and that one must find this one ending.
func (c *Conn) gotClose(code int) {
	c.note(Closing{code, "closed by " + c.o.Peer})
	c.cutSoon(false)
	c.writeClose(Closing{Code: code})
}

// gotPing sends the same payload back.
func (c *Conn) gotPing(payload []byte) {
	c.Alive(time.Now())
	_ = c.out.control(websocket.PongMessage, payload, c.o.WriteTimeout) // the reader finds out what is wrong
}

func (c *Conn) gotPong([]byte) { c.Alive(time.Now()) }

// Alive notes a sign of life of the other end.
func (c *Conn) Alive(at time.Time) {
	if n := at.UnixNano(); n > c.sign.Load() {
		c.sign.Store(n)
	}
}

func (c *Conn) startPings() {
	if c.o.Ping <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pinging == nil && !c.over {
		c.Alive(time.Now())
		c.pinging = time.AfterFunc(c.o.Ping, c.ask)
	}
}

// ask pings, and ends a connection that has been silent for too long. A timer holds no
// goroutine while it waits.
func (c *Conn) ask() {
	if time.Since(time.Unix(0, c.sign.Load())) > 2*c.o.Ping+c.o.Ping/2 {
		c.End(ClosingSilent)
		return
	}
	if c.asked.CompareAndSwap(false, true) {
		go func() {
			// A dead connection is found by its silence.
			_ = c.out.control(websocket.PingMessage, nil, c.o.WriteTimeout)
			c.asked.Store(false)
		}()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.pinging.Reset(c.o.Ping)
	}
}

// CameAt returns when the message that is taken came.
func (c *Conn) CameAt() time.Time { return c.in.came }

// Read reads the message that is taken; io.EOF is its end.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.Alive(c.in.came) // also within a message that comes slowly
	return n, err
}

// Discard reads the message that is taken to its end.
func (c *Conn) Discard() error {
	_, err := io.Copy(io.Discard, &c.in)
	return err
}

// Paused reports whether a frame has ended that is not the last of the message that is
// taken, and nothing more has come yet.
func (c *Conn) Paused() bool { return c.in.paused() }

// Wait stops the clock of MessageTimeout while f passes on what has come.
func (c *Conn) Wait(f func() error) error {
	since := c.in.pause()
	err := f()
	c.in.goOn(since)
	return err
}

// ReadMessage reads the message that is taken into memory, with spare bytes of room
// behind it. What it holds there is reserved first, also with an error: the caller gives
// held back. An error of reserve ends the reading.
func (c *Conn) ReadMessage(kind int, spare int64, reserve func(n int64) error) (data []byte, held int64, err error) {
	text := Text{On: kind == websocket.TextMessage}
	for {
		if len(data) == cap(data) {
			next := c.in.room(int64(len(data)), spare)
			if err := reserve(next - held); err != nil {
				return nil, held, err
			}
			held = next
			data = append(make([]byte, 0, next), data...)
		}
		n, failed := c.Read(data[len(data):cap(data)])
		ok := text.Write(data[len(data) : len(data)+n])
		data = data[:len(data)+n]
		switch {
		case failed != nil && !errors.Is(failed, io.EOF):
			return nil, held, failed
		case !ok, failed != nil && !text.End():
			return nil, held, ErrNotUTF8
		case failed != nil:
			return data, held, nil
		}
	}
}

// WriteMessage writes a whole message, which must be taken within d. It is late if it
// had to wait for that. A timeout is a [net.Error]; what was not written to its end is an
// [UnsentError].
func (c *Conn) WriteMessage(kind int, data []byte, d time.Duration) (late bool, err error) {
	return c.out.message(kind, data, d)
}

// WritePart writes a part of a message, as WriteMessage does; the kind of those that
// follow the first is 0. The caller sees to it that no other message comes in between.
func (c *Conn) WritePart(kind int, last bool, data []byte, d time.Duration) (late bool, err error) {
	return c.out.piece(kind, last, data, d)
}

// WriteFrame writes a frame that Encode has made, as WriteMessage does.
func (c *Conn) WriteFrame(frame []byte, d time.Duration) (late bool, err error) {
	return c.out.encoded(frame, d)
}

// OfferMessage writes a small message as far as the connection takes it without waiting.
// If it has not begun, nothing has been done. If something is left, that must be given to
// FinishOffer or AbandonOffer, and others who write wait until then. It is for a Server.
func (c *Conn) OfferMessage(kind int, data []byte) (left []byte, begun bool, err error) {
	return c.out.offerMessage(kind, data)
}

// OfferFrame is OfferMessage for a frame that Encode has made.
func (c *Conn) OfferFrame(frame []byte) (left []byte, begun bool, err error) {
	return c.out.offer(frame)
}

// FinishOffer writes what was left of an offer, as WriteMessage does.
func (c *Conn) FinishOffer(left []byte, d time.Duration) (late bool, err error) {
	return c.out.finish(left, d)
}

// AbandonOffer gives up what was left of an offer, and with it the connection.
func (c *Conn) AbandonOffer() { c.out.abandon() }
