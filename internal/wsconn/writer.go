package wsconn

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// slowWrite is how long a write takes that had to wait for its reader.
const slowWrite = 50 * time.Millisecond

// errSaidAll means that our close has been sent: nothing may follow it (RFC 6455
// §5.5.1).
var errSaidAll = errors.New("a close has been sent")

// writer writes the frames of one connection (RFC 6455 §5), a frame at a time. Where
// the library keeps a few allocations and half a KiB for each connection, it borrows
// a buffer while it writes. After the first failure nothing is written any more, since
// part of a frame may be on its way.
type writer struct {
	conn   net.Conn
	raw    syscall.RawConn // nil where it can't be written to without waiting
	pool   *sync.Pool
	masked bool // a client masks (RFC 6455 §5.3)

	turn   chan struct{} // full while somebody writes, who alone uses the rest
	err    error         // the first failure
	within time.Duration // what is being written must be taken so soon,
	until  time.Time     // and since that had to wait, until then

	offered []byte // to try
	taken   int    // how much of it was
	refused error  // what try has met
	trying  func(uintptr) bool
}

// init begins to write to a connection; a raw of nil is one that can't be asked.
func (w *writer) init(c net.Conn, raw syscall.RawConn, masked bool, pool *sync.Pool) {
	w.conn, w.pool, w.masked, w.turn = c, pool, masked, make(chan struct{}, 1)
	if pollable && raw != nil {
		w.raw, w.trying = raw, w.try
	}
}

// message writes a whole message, which must be taken within d. It is late if it had
// to wait for that.
func (w *writer) message(kind int, data []byte, d time.Duration) (late bool, err error) {
	return w.piece(kind, true, data, d)
}

// piece writes a part of a message; the kind of those that follow the first is 0.
// The caller sees to it that no other message comes in between.
func (w *writer) piece(kind int, last bool, data []byte, d time.Duration) (late bool, err error) {
	since := w.takeTurn()
	defer w.giveTurn()
	return w.write(since, d, func() error { return w.frame(kind, last, data) })
}

// encoded writes a frame that Encode has made.
func (w *writer) encoded(frame []byte, d time.Duration) (late bool, err error) {
	since := w.takeTurn()
	defer w.giveTurn()
	return w.write(since, d, func() error { return w.send(frame) })
}

// control writes a control frame, of at most 125 bytes, if it gets its turn and is
// taken within d.
func (w *writer) control(kind int, payload []byte, d time.Duration) error {
	select {
	case w.turn <- struct{}{}:
	default:
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case w.turn <- struct{}{}:
		case <-t.C:
			return os.ErrDeadlineExceeded
		}
	}
	defer w.giveTurn()
	_, err := w.write(time.Time{}, d, func() error { return w.frame(kind, true, payload) })
	if kind == websocket.CloseMessage && w.err == nil {
		w.err = errSaidAll
	}
	return err
}

// offerMessage is offer for a small message without a mask, which is encoded here.
func (w *writer) offerMessage(kind int, data []byte) (left []byte, begun bool, err error) {
	b := w.pool.Get().(*[]byte)
	defer w.pool.Put(b)
	return w.offer(append(appendHead((*b)[:0], kind, true, len(data), false), data...))
}

// offer writes a frame as far as the connection takes it without waiting. If it has
// not begun, nothing has been done. If something is left, that must be given to finish,
// and another who writes waits until then.
func (w *writer) offer(frame []byte) (left []byte, begun bool, err error) {
	if w.raw == nil {
		return nil, false, nil
	}
	select {
	case w.turn <- struct{}{}:
	default:
		return nil, false, nil
	}
	n := 0
	if err = w.err; err == nil {
		n, err = w.put(frame)
		w.err = err
	}
	if err == nil && n > 0 && n < len(frame) {
		return bytes.Clone(frame[n:]), true, nil
	}
	w.giveTurn()
	return nil, err != nil || n > 0, err
}

// finish writes what was left of an offer.
func (w *writer) finish(left []byte, d time.Duration) (late bool, err error) {
	defer w.giveTurn()
	return w.write(time.Now(), d, func() error { return w.send(left) })
}

// abandon gives up what was left of an offer, and with it the connection.
func (w *writer) abandon() {
	w.err = net.ErrClosed
	w.giveTurn()
}

// takeTurn waits for our turn, and returns since when if it had to.
func (w *writer) takeTurn() (since time.Time) {
	select {
	case w.turn <- struct{}{}:
	default:
		since = time.Now()
		w.turn <- struct{}{}
	}
	return since
}

func (w *writer) giveTurn() { <-w.turn }

// write has something sent in our turn, which we have waited for since then.
func (w *writer) write(since time.Time, d time.Duration, what func() error) (late bool, err error) {
	if w.err != nil {
		return false, &UnsentError{w.err}
	}
	w.within = d
	failed := what()
	w.err = failed
	if !w.until.IsZero() {
		if since.IsZero() {
			since = w.until.Add(-d)
		}
		w.until = time.Time{}
		if err := w.conn.SetWriteDeadline(w.until); w.err == nil {
			w.err = err
		}
	}
	late = !since.IsZero() && time.Since(since) > slowWrite
	if failed != nil {
		return late, &UnsentError{failed}
	}
	return late, w.err
}

// send writes bytes at once where the connection takes them, and waits otherwise. Only
// then a deadline is set: it would cost as much as the rest of our work.
func (w *writer) send(p []byte) error {
	n := 0
	if w.until.IsZero() {
		var err error
		if n, err = w.put(p); err != nil || n == len(p) {
			return err
		}
		w.until = time.Now().Add(w.within)
		if err := w.conn.SetWriteDeadline(w.until); err != nil {
			return err
		}
	}
	_, err := w.conn.Write(p[n:])
	return err
}

// put writes what the connection takes without waiting.
func (w *writer) put(p []byte) (int, error) {
	if w.raw == nil || len(p) == 0 {
		return 0, nil
	}
	w.offered, w.taken, w.refused = p, 0, nil
	err := w.raw.Write(w.trying)
	if err == nil {
		err = w.refused
	}
	w.offered, w.refused = nil, nil
	return w.taken, err
}

// frame writes one frame, the first part of it together with its head.
func (w *writer) frame(opcode int, last bool, data []byte) error {
	b := w.pool.Get().(*[]byte)
	defer w.pool.Put(b)
	out := appendHead((*b)[:0], opcode, last, len(data), w.masked)
	var key [4]byte
	if w.masked {
		if _, err := rand.Read(key[:]); err != nil { // it must not be guessed (RFC 6455 §5.3)
			return err
		}
		out = append(out, key[:]...)
	}
	for at := 0; ; out = (*b)[:0] {
		n := copy((*b)[len(out):], data)
		part := (*b)[len(out) : len(out)+n]
		if w.masked {
			at = mask(part, key, at)
		}
		data = data[n:]
		if err := w.send((*b)[:len(out)+n]); err != nil || len(data) == 0 {
			return err
		}
		if !w.masked {
			return w.send(data)
		}
	}
}
