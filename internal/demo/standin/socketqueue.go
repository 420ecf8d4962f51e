package standin

import (
	"io"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// readAhead is how many messages are read before their turn comes.
const readAhead = 32

// frame is a message that has come over a socket.
type frame struct {
	kind int
	data []byte
}

// arrivals reads a socket while a turn runs, and answers a close at once. What has come
// has its turn, also when the connection has ended: only behind the last of them does the
// Cat end what it has for the socket.
func (s *socket) arrivals() <-chan frame {
	queue := make(chan frame, readAhead)
	go func() {
		defer close(queue)
		defer s.conn.NetConn().Close()
		for {
			f, ok := s.arrival()
			if !ok {
				return
			}
			select {
			case queue <- f:
			case <-s.done:
				return
			}
		}
	}()
	return queue
}

// arrival reads one message.
func (s *socket) arrival() (frame, bool) {
	kind, r, err := s.conn.NextReader()
	if err != nil {
		s.clean = closedByPeer(err)
		return frame{}, false
	}
	b, err := io.ReadAll(io.LimitReader(r, frameLimit+1))
	switch {
	case err != nil:
		return frame{}, false
	case len(b) > frameLimit:
		s.clean = true
		s.giveUp(websocket.CloseMessageTooBig)
		return frame{}, false
	case kind == websocket.TextMessage && !utf8.Valid(b):
		s.clean = true
		s.giveUp(websocket.CloseInvalidFramePayloadData)
		return frame{}, false
	}
	return frame{kind, b}, true
}
