package chat

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// errSaidAll means that our close has been sent: nothing may follow it (RFC 6455
// §5.5.1).
var errSaidAll = errors.New("a close has been sent")

// maxHeader is the most that stands in front of a frame's payload.
const maxHeader = 2 + 8 + 4

// output writes the frames of one connection (RFC 6455 §5), a frame at a time. Where
// the library keeps a few allocations and half a KiB for each connection, it borrows
// a buffer while it writes. After the first failure nothing is written any more, since
// part of a frame may be on its way.
type output struct {
	conn   net.Conn
	raw    syscall.RawConn // nil where it can't be written to without waiting
	pool   *sync.Pool
	masked bool // what goes to the Cat is masked

	turn   chan struct{} // full while somebody writes, who alone uses the rest
	err    error         // the first failure
	within time.Duration // what is being written must be taken so soon,
	until  time.Time     // and since that had to wait, until then

	offered []byte // to try
	taken   int    // how much of it was
	refused error  // what try has met
	trying  func(uintptr) bool
}

func newOutput(c net.Conn, raw syscall.RawConn, masked bool, pool *sync.Pool) *output {
	o := &output{conn: c, pool: pool, masked: masked, turn: make(chan struct{}, 1)}
	if pollable && raw != nil {
		o.raw, o.trying = raw, o.try
	}
	return o
}

// message writes a whole message, which must be taken within d. It is late if it had
// to wait for that.
func (o *output) message(kind int, data []byte, d time.Duration) (late bool, err error) {
	return o.piece(kind, true, data, d)
}

// piece writes a part of a message; the kind of those that follow the first is 0.
// The caller sees to it that no other message comes in between.
func (o *output) piece(kind int, last bool, data []byte, d time.Duration) (late bool, err error) {
	since := o.takeTurn()
	defer o.giveTurn()
	return o.write(since, d, func() error { return o.frame(kind, last, data) })
}

// encoded writes a frame that encode has made.
func (o *output) encoded(frame []byte, d time.Duration) (late bool, err error) {
	since := o.takeTurn()
	defer o.giveTurn()
	return o.write(since, d, func() error { return o.send(frame) })
}

// control writes a control frame, of at most 125 bytes, if it gets its turn and is
// taken within d.
func (o *output) control(kind int, payload []byte, d time.Duration) error {
	select {
	case o.turn <- struct{}{}:
	default:
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case o.turn <- struct{}{}:
		case <-t.C:
			return os.ErrDeadlineExceeded
		}
	}
	defer o.giveTurn()
	_, err := o.write(time.Time{}, d, func() error { return o.frame(kind, true, payload) })
	if kind == websocket.CloseMessage && o.err == nil {
		o.err = errSaidAll
	}
	return err
}

// offer writes a frame as far as the connection takes it without waiting. If it has
// not begun, nothing has been done. If something is left, that must be given to finish,
// and whoever else writes waits until then.
func (o *output) offer(frame []byte) (left []byte, begun bool, err error) {
	if o.raw == nil {
		return nil, false, nil
	}
	select {
	case o.turn <- struct{}{}:
	default:
		return nil, false, nil
	}
	n := 0
	if err = o.err; err == nil {
		n, err = o.put(frame)
		o.err = err
	}
	if err == nil && n > 0 && n < len(frame) {
		return bytes.Clone(frame[n:]), true, nil
	}
	o.giveTurn()
	return nil, err != nil || n > 0, err
}

// finish writes what was left of an offer.
func (o *output) finish(left []byte, d time.Duration) (late bool, err error) {
	defer o.giveTurn()
	return o.write(time.Now(), d, func() error { return o.send(left) })
}

// abandon gives up what was left of an offer, and with it the connection.
func (o *output) abandon() {
	o.err = net.ErrClosed
	o.giveTurn()
}

// takeTurn waits for our turn, and returns since when if it had to.
func (o *output) takeTurn() (since time.Time) {
	select {
	case o.turn <- struct{}{}:
	default:
		since = time.Now()
		o.turn <- struct{}{}
	}
	return since
}

func (o *output) giveTurn() { <-o.turn }

// write has something sent in our turn, which we have waited for since then.
func (o *output) write(since time.Time, d time.Duration, what func() error) (late bool, err error) {
	if o.err != nil {
		return false, o.err
	}
	o.within = d
	o.err = what()
	if !o.until.IsZero() {
		if since.IsZero() {
			since = o.until.Add(-d)
		}
		o.until = time.Time{}
		if err := o.conn.SetWriteDeadline(o.until); o.err == nil {
			o.err = err
		}
	}
	return !since.IsZero() && time.Since(since) > waited, o.err
}

// send writes bytes at once where the connection takes them, and waits otherwise. Only
// then a deadline is set: it would cost as much as the rest of our work.
func (o *output) send(p []byte) error {
	n := 0
	if o.until.IsZero() {
		var err error
		if n, err = o.put(p); err != nil || n == len(p) {
			return err
		}
		o.until = time.Now().Add(o.within)
		if err := o.conn.SetWriteDeadline(o.until); err != nil {
			return err
		}
	}
	_, err := o.conn.Write(p[n:])
	return err
}

// put writes what the connection takes without waiting.
func (o *output) put(p []byte) (int, error) {
	if o.raw == nil || len(p) == 0 {
		return 0, nil
	}
	o.offered, o.taken, o.refused = p, 0, nil
	err := o.raw.Write(o.trying)
	if err == nil {
		err = o.refused
	}
	o.offered, o.refused = nil, nil
	return o.taken, err
}

// frame writes one frame, the first part of it together with its head.
func (o *output) frame(opcode int, last bool, data []byte) error {
	b := o.pool.Get().(*[]byte)
	defer o.pool.Put(b)
	out := appendHead((*b)[:0], opcode, last, len(data), o.masked)
	var key [4]byte
	if o.masked {
		if _, err := rand.Read(key[:]); err != nil { // it must not be guessed (RFC 6455 §5.3)
			return err
		}
		out = append(out, key[:]...)
	}
	for at := 0; ; out = (*b)[:0] {
		n := copy((*b)[len(out):], data)
		part := (*b)[len(out) : len(out)+n]
		if o.masked {
			at = mask(part, key, at)
		}
		data = data[n:]
		if err := o.send((*b)[:len(out)+n]); err != nil || len(data) == 0 {
			return err
		}
		if !o.masked {
			return o.send(data)
		}
	}
}

// appendHead appends what stands in front of the mask's key.
func appendHead(b []byte, opcode int, last bool, length int, masked bool) []byte {
	first, second := byte(opcode), byte(0) //nolint:gosec // four bits
	if last {
		first |= 0x80
	}
	if masked {
		second = 0x80
	}
	switch {
	case length < 126:
		return append(b, first, second|byte(length)) //nolint:gosec // seven bits
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, second|126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(b, first, second|127), uint64(length))
}

// encode makes the frame of a whole message to clients, so that several can be sent
// the same.
func encode(kind int, data []byte) []byte {
	return append(appendHead(make([]byte, 0, maxHeader+len(data)), kind, true, len(data), false), data...)
}
