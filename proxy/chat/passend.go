package chat

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// passEnd tells the other side how one side has ended, in the same words where
// there were any.
func (s *socket) passEnd(way int, err error) {
	from, to := s.inputs[way], s.outputs[1-way]
	if _, ok := errors.AsType[*writeError](err); ok {
		s.unwritable(1-way, err)
		err = discard(from)
	}
	name := sideName(way)
	closed := properClose(err)
	refused, isRefused := refusalOf(err, name)
	switch {
	case closed != nil:
		s.note(Closing{closed.Code, "closed by " + name})
		s.cutSoon()
		payload := frame(closed)
		if c := s.endedFromHere(); c != nil && c.Code != websocket.CloseAbnormalClosure && way == toClient {
			// The Cat's answer to our close may come by before our close to the client.
			payload = websocket.FormatCloseMessage(c.Code, c.Reason)
		}
		writeClose(to, payload)
		if way == toClient {
			drain(from.conn) // a server closes the connection first; then it knows of the end (RFC 6455 §7.1.1)
		}
	case isRefused:
		s.refuse(way, refused)
	default:
		// The other side sees the same: a connection that ends without a close.
		s.note(Closing{websocket.CloseAbnormalClosure, "closed by " + name + ", without a close"})
		s.abort()
	}
}

// properClose returns the close frame that ended the reading, or nil.
func properClose(err error) *websocket.CloseError {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok && closed.Code != websocket.CloseAbnormalClosure {
		return closed
	}
	return nil
}

// sideName names the side that a way comes from.
func sideName(way int) string {
	if way == toCat {
		return "the client"
	}
	return "the Cat"
}

// unwritable follows a failed write. Where the connection broke or is closing, its
// own reader finds out, and says why; it would not of one that takes nothing.
func (s *socket) unwritable(to int, err error) {
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		s.end(Closing{websocket.CloseAbnormalClosure, sideName(to) + " takes nothing any more"})
		return
	}
	s.cutSoon()
}

// refuse ends a socket over what came from one side; both sides are told alike.
func (s *socket) refuse(way int, c Closing) {
	s.note(c)
	s.cutSoon()
	payload := websocket.FormatCloseMessage(c.Code, c.Reason)
	writeClose(s.outputs[way], payload)
	writeClose(s.outputs[1-way], payload)
	drain(s.inputs[way].conn)
}

// drain takes what is still under way until the other end has closed the
// connection, so that the close reaches it before a reset does. We have said all
// there was to say: that is what it may wait for.
func drain(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(closeWait))
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, c)
}
