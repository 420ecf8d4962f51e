package chat

import (
	"errors"
	"io"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

// own looks at the beginning of a client's message for what is not the Cat's: a
// token frame, or a message that comes too fast. Nothing passes on while it may still
// become a token frame. What it has read of any other is in buf; the error is then that of the last reading, io.EOF at the end.
func (s *socket) own(scan *typeScan, r io.Reader, buf []byte) (n int, ours bool, err error) {
	if s.isEnding() {
		_, err = io.Copy(io.Discard, r)
		return 0, true, err
	}
	if ok, keeps := s.rate.take(time.Now()); !ok {
		s.hub.o.Observe(Event{Kind: EventRefused, User: s.user.Load(), ID: s.id, Client: s.addr})
		if !keeps {
			s.end(closeTooFast)
		} else {
			s.tell(tooFast())
		}
		_, err = io.Copy(io.Discard, r)
		return 0, true, err
	}
	for {
		var m int
		m, err = r.Read(buf[n:])
		more := scan.write(buf[n : n+m])
		n += m
		switch whole := errors.Is(err, io.EOF) || n == len(buf); {
		case scan.found && whole:
			return n, true, s.present(r, buf[:n])
		case err != nil, whole, !more && !scan.found:
			return n, false, err
		}
	}
}

// present deals with a token frame; one that is longer than buf is none.
func (s *socket) present(r io.Reader, frame []byte) error {
	answer, closing := s.reauthenticate(frame)
	if closing != nil {
		s.end(*closing)
	} else {
		s.tell(answer)
	}
	_, err := io.Copy(io.Discard, r) // at its end that says so again
	return err
}

// tooLong ends the socket over a token frame that is longer than any, of which a part has
// passed: the Cat never gets the end of it.
func (s *socket) tooLong(r io.Reader) error {
	s.end(closeBadToken)
	_, err := io.Copy(io.Discard, r)
	return err
}

// tell says something of our own to the client, between two messages.
func (s *socket) tell(text []byte) {
	s.said[toCat].Lock()
	defer s.said[toCat].Unlock()
	_, _ = s.outputs[toCat].message(websocket.TextMessage, text, s.hub.times.stall) // the reader finds out what is wrong
}

// tooFast is the answer to a message that is refused for coming too fast.
func tooFast() []byte {
	return cat.ErrorFrame("TooManyMessages", "You are sending faster than is allowed here. This message was not delivered.")
}
