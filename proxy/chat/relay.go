package chat

import (
	"errors"
	"io"
	"time"

	"github.com/gorilla/websocket"
)

// piece is how much of a message is on its way at once.
const piece = 16 << 10

var errNotUTF8 = errors.New("a text message is not UTF-8")

// writeError is a failure of the side that was written to.
type writeError struct{ error }

// Unwrap returns the cause.
func (e *writeError) Unwrap() error { return e.error }

// copyMessages passes messages one way and returns the error that ended the
// reading or the writing. An idle socket waits here: no buffer is held.
func (s *socket) copyMessages(way int) error {
	from, resume := s.inputs[way], func() { s.run(way) }
	for {
		kind, err := from.next(resume)
		if err == nil && kind != 0 {
			err = s.copyMessage(way, kind, from)
		}
		if err != nil {
			return err
		}
	}
}

func (s *socket) copyMessage(way, kind int, r io.Reader) error {
	buf := s.hub.pieces.Get().(*[]byte)
	defer s.hub.pieces.Put(buf)
	first, err := 0, error(nil)
	if way == toCat {
		var ours bool
		if first, ours, err = s.own(kind, r, *buf); ours || err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	s.said[1-way].Lock()
	defer s.said[1-way].Unlock()
	w, failed := s.conns[1-way].NextWriter(kind)
	if failed != nil {
		return &writeError{failed}
	}
	text := textCheck{on: kind == websocket.TextMessage}
	for n := first; ; {
		if n == 0 && err == nil {
			n, err = r.Read(*buf)
		}
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case !text.write((*buf)[:n]), err != nil && !text.end():
			return errNotUTF8
		}
		s.towards[way].bytes.Add(int64(n))
		if failed := s.pass(way, w, (*buf)[:n], err != nil); failed != nil {
			return &writeError{failed}
		}
		if err != nil {
			s.towards[way].messages.Add(1)
			return nil
		}
		n = 0
	}
}

// pass writes a piece, and the end of the message if it is the last. Both sides
// are alive if the writing had to wait and then went on: one has read, and the
// other was not read from meanwhile.
func (s *socket) pass(way int, w io.WriteCloser, p []byte, last bool) error {
	from, to := &s.sides[way], &s.sides[1-way]
	start := time.Now()
	from.alive(start)
	_ = s.conns[1-way].SetWriteDeadline(start.Add(s.hub.times.stall))
	if len(p) > 0 {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	if last {
		if err := w.Close(); err != nil {
			return err
		}
	}
	if now := time.Now(); now.Sub(start) > waited {
		from.alive(now)
		to.alive(now)
	}
	return nil
}
