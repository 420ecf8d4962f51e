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
	from := s.conns[way]
	for {
		kind, r, err := from.NextReader()
		if err != nil {
			return err
		}
		if err := s.copyMessage(way, kind, r); err != nil {
			return err
		}
	}
}

func (s *socket) copyMessage(way, kind int, r io.Reader) error {
	to := s.conns[1-way]
	w, err := to.NextWriter(kind)
	if err != nil {
		return &writeError{err}
	}
	buf := s.hub.pieces.Get().(*[]byte)
	defer s.hub.pieces.Put(buf)
	text := textCheck{on: kind == websocket.TextMessage}
	for {
		n, err := r.Read(*buf)
		switch {
		case err != nil && err != io.EOF:
			return err
		case !text.write((*buf)[:n]), err != nil && !text.end():
			return errNotUTF8
		}
		s.towards[way].bytes += int64(n)
		if failed := s.pass(way, w, (*buf)[:n], err != nil); failed != nil {
			return &writeError{failed}
		}
		if err != nil {
			s.towards[way].messages++
			return nil
		}
	}
}

// pass writes a piece, and the end of the message if it is the last. Both sides
// are alive if the writing had to wait and then went on: one has read, and the
// other was not read from meanwhile.
func (s *socket) pass(way int, w io.WriteCloser, p []byte, last bool) error {
	from, to := &s.sides[way], &s.sides[1-way]
	start := time.Now()
	from.alive(start)
	_ = s.conns[1-way].SetWriteDeadline(start.Add(s.hub.stall))
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
