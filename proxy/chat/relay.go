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

// relay passes messages from one side to the other until either ends, and then
// passes the end on.
func (s *socket) relay(from, to *websocket.Conn, way int) {
	err := s.copyMessages(from, to, way)
	by := "closed by the client"
	if way == toClient {
		by = "closed by the Cat"
	}
	deadline := time.Now().Add(controlWait)
	var closed *websocket.CloseError
	switch {
	case errors.As(err, new(*writeError)):
		// What is wrong with the other side, its own reader finds out, and says why.
		s.cutSoon()
		discard(from)
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		s.ended(Closing{closed.Code, by})
		payload := frame(closed)
		if c := s.endedFromHere(); c != nil && way == toClient {
			// The Cat's answer to our close may come by before our close to the client.
			payload = websocket.FormatCloseMessage(c.Code, c.Reason)
		}
		_ = to.WriteControl(websocket.CloseMessage, payload, deadline)
	case errors.Is(err, websocket.ErrReadLimit):
		// The sender has been told by the library.
		s.ended(Closing{websocket.CloseMessageTooBig, "message too large"})
		_ = to.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseMessageTooBig, ""), deadline)
		s.drain(from)
	case errors.Is(err, errNotUTF8):
		s.ended(Closing{websocket.CloseInvalidFramePayloadData, err.Error()})
		invalid := websocket.FormatCloseMessage(websocket.CloseInvalidFramePayloadData, "")
		_ = from.WriteControl(websocket.CloseMessage, invalid, deadline)
		_ = to.WriteControl(websocket.CloseMessage, invalid, deadline)
		s.drain(from)
	default:
		// The connection broke, or a frame was malformed: the other side sees the
		// same, a connection that ends without a close frame.
		s.ended(Closing{websocket.CloseAbnormalClosure, by + ", without a close"})
		_ = from.Close()
		_ = to.Close()
	}
}

// writeError is a failure of the side that was written to.
type writeError struct{ error }

// discard reads on until the sender has closed, too.
func discard(from *websocket.Conn) {
	for {
		if _, _, err := from.NextReader(); err != nil {
			return
		}
	}
}

// drain reads what the sender of a refused message has still under way, so that
// the close frame reaches it before a reset does.
func (s *socket) drain(from *websocket.Conn) {
	_ = from.SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.Copy(io.Discard, from.NetConn())
}

// copyMessages returns the error that ended the reading or the writing.
func (s *socket) copyMessages(from, to *websocket.Conn, way int) error {
	for {
		kind, r, err := from.NextReader()
		if err != nil {
			return err
		}
		s.sign(from)
		if err := s.copyMessage(to, kind, r, way); err != nil {
			return err
		}
	}
}

func (s *socket) copyMessage(to *websocket.Conn, kind int, r io.Reader, way int) error {
	_ = to.SetWriteDeadline(time.Now().Add(stall))
	w, err := to.NextWriter(kind)
	if err != nil {
		return &writeError{err}
	}
	buf := s.hub.pieces.Get().(*[]byte)
	defer s.hub.pieces.Put(buf)
	text := textCheck{on: kind == websocket.TextMessage}
	for {
		n, err := r.Read(*buf)
		if n > 0 {
			if !text.write((*buf)[:n]) {
				return errNotUTF8
			}
			s.towards[way].bytes.Add(int64(n))
			_ = to.SetWriteDeadline(time.Now().Add(stall))
			if _, err := w.Write((*buf)[:n]); err != nil {
				return &writeError{err}
			}
		}
		switch {
		case err == io.EOF:
			if !text.end() {
				return errNotUTF8
			}
			s.towards[way].messages.Add(1)
			if err := w.Close(); err != nil {
				return &writeError{err}
			}
			return nil
		case err != nil:
			return err
		}
	}
}
