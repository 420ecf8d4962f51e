package chat

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// received is how much is read from a connection at once.
const received = 4 << 10

// small is what is held for a connection that can't be asked whether there is
// something to read, such as one with TLS.
const small = 16

var (
	errProtocol = errors.New("a malformed frame")
	errSilent   = errors.New("nothing has come")
	errFlood    = errors.New("too many control frames")
)

// input reads the frames of one connection (RFC 6455 §5). The library shakes hands,
// but its reader keeps a buffer and a deep stack for each connection
// that says nothing, and can't be asked whether it holds anything: this one borrows
// a buffer when there is something to read, and gives it back when all is read.
type input struct {
	conn   net.Conn
	raw    syscall.RawConn // nil where there is none
	pool   *sync.Pool
	masked bool  // what a client sends is masked
	limit  int64 // bytes of a message; 0 means any size
	spare  int   // room behind a message that is read whole
	// within is the time for a message to come whole, see toCome; 0 means any time.
	within time.Duration
	first  [small]byte

	// Called in the reader's goroutine. The payload is lent for the call.
	ping, pong func(payload []byte)
	closed     func(code int)       // before the close is returned as an error
	each       func(kind int) error // takes messages, while serve is under way

	parker   *parker       // nil where nothing is parked
	restless bool          // it can't be parked
	parked   atomic.Uint64 // under which the parker has it; an old one does no harm
	woken    bool          // it was parked, and there is something to read
	idle     bool          // nothing but control frames has come for a while
	fresh    bool          // a message has come since until was set
	until    time.Time     // when the reading ends for the sake of rest

	buf  *[]byte
	got  []byte    // what was read and not used, in buf
	came time.Time // when something was read last, or found in what was read
	news bool      // something was read since the last message
	err  error     // what try or each has met
	part bool      // what is waited for goes on with something
	// trying is try, made once for as long as the reader does not rest.
	trying func(uintptr) bool

	open   bool // a message has begun and not ended
	final  bool // the frame is the message's last
	left   int64
	length int64 // of the message so far
	key    [4]byte
	at     int // the place in the key

	controls rate // of control frames; it is of clients alone

	began   time.Time // when the message was found incomplete, if it was
	bounded bool      // the reading ends when it is late
}

// take takes the two halves of a connection over from the library, which has shaken
// hands and keeps a few hundred bytes for what it does no more.
func (h *Hub) take(c *websocket.Conn, from int) (*input, *output) {
	conn, rest := c.NetConn(), []byte(nil)
	if s, ok := conn.(*shaking); ok {
		conn, rest = s.Conn, s.rest
	}
	in := newInput(conn, from == toCat, &h.inputs, &h.parker)
	in.ahead(rest)
	return in, newOutput(conn, in.raw, from == toClient, &h.inputs)
}

func newInput(c net.Conn, masked bool, pool *sync.Pool, p *parker) *input {
	in := &input{conn: c, masked: masked, pool: pool, parker: p, idle: true, came: time.Now()}
	if masked {
		in.controls = newRate(controlRate)
	}
	if s, ok := in.conn.(syscall.Conn); ok {
		in.raw, _ = s.SyscallConn() // without it the connection is read as any other
	}
	return in
}

// ahead puts what came with the handshake in front of the rest.
func (in *input) ahead(rest []byte) {
	if len(rest) > 0 {
		b := make([]byte, max(received, len(rest)))
		in.buf, in.got = &b, b[:copy(b, rest)]
	}
}

// next finds the next message and returns its kind. Zero means that a control
// frame has been dealt with, or silence, and that nothing else has begun.
func (in *input) next() (int, error) {
	kind, err := in.frame()
	switch {
	case err == errSilent: //nolint:errorlint // never wrapped
		in.idle = true
		return 0, nil
	case err == nil && kind >= websocket.CloseMessage:
		kind = 0
		if !in.open {
			in.wholeNow()
		}
	case err == nil:
		in.idle, in.fresh = false, true
		if !in.news { // it came together with the one before, which may have taken long
			in.came = time.Now()
		}
		in.news = false
	}
	if len(in.got) == 0 && kind == 0 {
		in.giveBack()
	}
	return kind, err
}

// Read reads the message that next has found; io.EOF is its end.
func (in *input) Read(p []byte) (int, error) {
	for in.left == 0 {
		if in.final {
			in.open, in.length = false, 0
			in.wholeNow()
			if len(in.got) == 0 {
				in.giveBack()
			}
			return 0, io.EOF
		}
		if _, err := in.frame(); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), in.left)]
	var err error
	n := copy(p, in.got)
	if n > 0 {
		in.got = in.got[n:]
	} else {
		n, err = in.read(p)
	}
	in.left -= int64(n)
	if in.masked {
		in.at = mask(p[:n], in.key, in.at)
	}
	if n > 0 {
		return n, nil
	}
	return 0, unexpected(err)
}

// paused reports whether a frame has ended that is not the message's last, and nothing
// more has come yet.
func (in *input) paused() bool { return in.left == 0 && !in.final && len(in.got) == 0 }

// some sees to it that something has been read. Silence is an error between two
// messages, where the reader may rest; within one it is waited out.
func (in *input) some(between bool) error {
	for len(in.got) == 0 {
		in.giveBack()
		in.part = !between
		switch err := in.wait(); {
		case err == errSilent && !between: //nolint:errorlint // never wrapped
		case err != nil:
			return unexpected(err)
		}
	}
	return nil
}

// fill sees to it that n bytes of a frame have been read.
func (in *input) fill(n int) error {
	if err := in.some(false); err != nil {
		return err
	}
	for len(in.got) < n {
		have := copy(*in.buf, in.got)
		m, err := in.read((*in.buf)[have:])
		in.got = (*in.buf)[:have+m]
		if err != nil && len(in.got) < n {
			return unexpected(err)
		}
	}
	return nil
}

// read reads in the middle of something, where nobody rests.
func (in *input) read(p []byte) (int, error) {
	for {
		in.dueSoon()
		n, err := in.conn.Read(p)
		in.came, in.news = time.Now(), true
		if n > 0 {
			return n, err
		}
		if err = in.lateOr(err); err != errSilent { //nolint:errorlint // never wrapped
			return 0, err
		}
	}
}

// use takes n bytes that fill has read.
func (in *input) use(n int) []byte {
	p := in.got[:n]
	in.got = in.got[n:]
	return p
}

// wait waits until there is something to read, holding no buffer, and reads it.
func (in *input) wait() error {
	if in.raw == nil || !pollable {
		if in.part {
			in.dueSoon()
		}
		n, err := in.conn.Read(in.first[:])
		in.borrow()
		in.got = (*in.buf)[:copy(*in.buf, in.first[:n])]
		in.came, in.news = time.Now(), true
		if n > 0 {
			return nil
		}
		return in.lateOr(err)
	}
	if in.part {
		in.dueSoon()
	} else {
		in.restSoon()
	}
	in.err = nil
	if in.trying == nil {
		in.trying = in.try
	}
	if err := in.raw.Read(in.trying); err != nil {
		return in.lateOr(err)
	}
	if len(in.got) == 0 {
		in.giveBack()
	}
	return in.err
}

func (in *input) borrow() {
	if in.buf == nil {
		in.buf = in.pool.Get().(*[]byte)
	}
}

func (in *input) giveBack() {
	if in.buf != nil {
		in.pool.Put(in.buf)
		in.buf, in.got = nil, nil
	}
}

// unexpected makes an end of the connection what it is: one without a close.
func unexpected(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // never wrapped by a connection
		return &websocket.CloseError{Code: websocket.CloseAbnormalClosure, Text: "no close came"}
	}
	return err
}
