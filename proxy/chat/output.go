package chat

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
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
	pool   *sync.Pool
	masked bool // what goes to the Cat is masked

	turn  chan struct{} // full while somebody writes, who alone uses the rest
	err   error         // the first failure
	until time.Time     // when what is written must have been taken
}

func newOutput(c net.Conn, masked bool, pool *sync.Pool) *output {
	return &output{conn: c, pool: pool, masked: masked, turn: make(chan struct{}, 1)}
}

// message writes a whole message. It must be taken within d.
func (o *output) message(kind int, data []byte, d time.Duration) error {
	return o.piece(kind, true, data, d)
}

// piece writes a part of a message; the kind of those that follow the first is 0.
// The caller sees to it that no other message comes in between.
func (o *output) piece(kind int, last bool, data []byte, d time.Duration) error {
	o.turn <- struct{}{}
	defer o.giveTurn()
	return o.write(d, func() error { return o.frame(kind, last, data) })
}

// encoded writes a frame that encode has made.
func (o *output) encoded(frame []byte, d time.Duration) error {
	o.turn <- struct{}{}
	defer o.giveTurn()
	return o.write(d, func() error {
		_, err := o.conn.Write(frame)
		return err
	})
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
	err := o.write(d, func() error { return o.frame(kind, true, payload) })
	if kind == websocket.CloseMessage && o.err == nil {
		o.err = errSaidAll
	}
	return err
}

func (o *output) giveTurn() { <-o.turn }

// write has something written in our turn. A deadline that is there is left where it
// is nearly the same.
func (o *output) write(d time.Duration, what func() error) error {
	if o.err != nil {
		return o.err
	}
	now := time.Now()
	if left := o.until.Sub(now); left > d || left < d-d/8 {
		o.until = now.Add(d)
		if o.err = o.conn.SetWriteDeadline(o.until); o.err != nil {
			return o.err
		}
	}
	o.err = what()
	return o.err
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
		if _, err := o.conn.Write((*b)[:len(out)+n]); err != nil {
			return err
		}
		switch {
		case len(data) == 0:
			return nil
		case !o.masked:
			_, err := o.conn.Write(data)
			return err
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
		return binary.BigEndian.AppendUint16(append(b, first, second|126), uint16(length)) //nolint:gosec // checked
	}
	return binary.BigEndian.AppendUint64(append(b, first, second|127), uint64(length)) //nolint:gosec // not below 0
}

// encode makes the frame of a whole message to clients, so that several can be sent
// the same.
func encode(kind int, data []byte) []byte {
	return append(appendHead(make([]byte, 0, maxHeader+len(data)), kind, true, len(data), false), data...)
}
