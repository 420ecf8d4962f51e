package chat

import (
	"io"
	"time"

	"github.com/gorilla/websocket"
)

// end closes the socket from here: both sides are told, and cut when they do not
// answer. The first reason counts. One that is not open yet never opens.
func (s *socket) end(c Closing) {
	s.mu.Lock()
	if s.closing != nil || s.ended {
		s.mu.Unlock()
		return
	}
	s.closing = &c
	cancel, open := s.cancel, s.outputs[toCat] != nil
	s.mu.Unlock()
	if cancel != nil {
		cancel(because(c))
	}
	if open {
		s.sendClose(c)
	}
}

// endedFromHere is why the socket was ended from here, or nil.
func (s *socket) endedFromHere() *Closing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *socket) sendClose(c Closing) {
	s.note(c)
	s.cutSoon()
	if c.Code == websocket.CloseAbnormalClosure {
		s.abort()
		return
	}
	// In the background: a client that does not read must not hold up whoever ends it.
	go writeClose(s.outputs[toCat], websocket.FormatCloseMessage(c.Code, c.Reason))
	writeClose(s.outputs[toClient], websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
}

func writeClose(o *output, payload []byte) {
	_ = o.control(websocket.CloseMessage, payload, controlWait)
}

// answerClose has a close from one side noted before it is answered: whoever has the
// answer may open another socket at once, and that one must find this one ending.
func (s *socket) answerClose(way int) {
	s.inputs[way].closed = func(code int) {
		s.note(Closing{code, "closed by " + sideName(way)})
		s.cutSoon()
		writeClose(s.outputs[way], frame(&websocket.CloseError{Code: code}))
	}
}

// isEnding reports whether a close has begun.
func (s *socket) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first != nil || s.closing != nil
}

// note keeps how the socket ended first.
func (s *socket) note(c Closing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = &c
	}
}

// cutSoon sees to it that the connections are cut if the close handshakes take
// too long.
func (s *socket) cutSoon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut == nil && !s.ended {
		s.cut = time.AfterFunc(closeWait, s.abort)
	}
}

// abort cuts both connections, as far as they are open.
func (s *socket) abort() {
	s.mu.Lock()
	inputs := s.inputs
	s.mu.Unlock()
	for _, in := range inputs {
		if in != nil {
			in.cut()
		}
	}
}

// discard reads on until the sender has ended, too, and returns how.
func discard(from *input) error {
	if from.open { // the rest of it is no frame
		if _, err := io.Copy(io.Discard, from); err != nil {
			return err
		}
	}
	for {
		kind, err := from.next()
		if err == nil && kind != 0 {
			_, err = io.Copy(io.Discard, from)
		}
		if err != nil {
			return err
		}
	}
}
