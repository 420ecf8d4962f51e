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
	from := s.inputs[way]
	return from.serve(func(kind int) error { return s.copyMessage(way, kind, from) }, func() { s.run(way) })
}

func (s *socket) copyMessage(way, kind int, from *input) error {
	if c := s.person.hold(piece, way); c != nil {
		return &EndedError{*c}
	}
	defer s.person.drop(piece)
	buf := s.hub.pieces.Get().(*[]byte)
	defer s.hub.pieces.Put(buf)
	n, err := 0, error(nil)
	scan, r := turnScan(), io.Reader(from)
	if way == toCat {
		scan = tokenScan()
		var ends bool
		if r, n, ends, err = s.begin(&scan, from, *buf); ends {
			return err
		}
	}
	text := textCheck{on: kind == websocket.TextMessage}
	ok := text.write((*buf)[:n])
	for first := true; ; n, first = 0, false {
		for ok && err == nil && n < len(*buf) && (n == 0 || !from.paused()) { // what is no text is refused as soon as it is seen
			var m int
			m, err = r.Read((*buf)[n:])
			s.sides[way].alive(from.came)
			ok = text.write((*buf)[n : n+m])
			if way == toCat || text.on { // the Cat ends its turns with text
				scan.write((*buf)[n : n+m])
			}
			n += m
		}
		last := errors.Is(err, io.EOF)
		switch {
		case scan.found && way == toCat:
			return s.tooLong(from)
		case err != nil && !last:
			return err
		case !ok, last && !text.end():
			return errNotUTF8
		}
		if first {
			s.said[1-way].Lock()
			defer s.said[1-way].Unlock()
		} else {
			kind = 0 // it goes on
		}
		if last && way == toCat && text.on && scan.isObject() {
			s.asks((*buf)[:n], first)
		}
		s.towards[way].bytes.Add(int64(n))
		since := from.pause()
		if failed := s.pass(way, kind, (*buf)[:n], last); failed != nil {
			return &writeError{failed}
		}
		from.goOn(since)
		if way == toClient {
			s.hears(last && scan.found, (*buf)[:n], first)
		}
		if last {
			s.towards[way].messages.Add(1)
			return nil
		}
	}
}

// pass writes a piece, and the end of the message if it is the last. Both sides
// are alive if the writing had to wait and then went on: one has read, and the
// other was not read from meanwhile.
func (s *socket) pass(way, kind int, p []byte, last bool) error {
	from, to := &s.sides[way], &s.sides[1-way]
	late, err := s.outputs[1-way].piece(kind, last, p, s.hub.times.stall)
	if late && err == nil {
		now := time.Now()
		from.alive(now)
		to.alive(now)
	}
	return err
}
