package chat

import (
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// side is what is known of the connection at one side.
type side struct {
	sign  atomic.Int64 // when it last gave a sign of life
	asked atomic.Bool  // a ping is on its way
}

// alive notes a sign of life, which is no older than those that are known.
func (s *side) alive(at time.Time) {
	if n := at.UnixNano(); n > s.sign.Load() {
		s.sign.Store(n)
	}
}

// startPings keeps both connections known to be alive: whoever stays silent for two
// pings is gone. A timer holds no goroutine while it waits.
func (s *socket) startPings() {
	for way, out := range s.outputs {
		side := &s.sides[way]
		side.alive(time.Now())
		s.inputs[way].pong = func([]byte) { side.alive(time.Now()) }
		// The same payload back. There is as much time for it as for a message: if it
		// were short, a ping would be the end of a client that reads slowly.
		s.inputs[way].ping = func(payload []byte) {
			side.alive(time.Now())
			_ = out.control(websocket.PongMessage, payload, s.hub.times.stall) // the reader finds out what is wrong
		}
	}
	if s.ping > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pinging = time.AfterFunc(s.ping, s.askBoth)
	}
}

// askBoth pings both sides, and ends the socket when one has been silent for too long.
func (s *socket) askBoth() {
	now := time.Now()
	for way := range s.sides {
		side := &s.sides[way]
		if now.Sub(time.Unix(0, side.sign.Load())) > 2*s.ping+s.ping/2 {
			s.end(closeSilent)
			return
		}
		if side.asked.CompareAndSwap(false, true) {
			go s.ask(way)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.pinging.Reset(s.ping)
	}
}

func (s *socket) ask(way int) {
	// A dead connection is found by its silence.
	_ = s.outputs[way].control(websocket.PingMessage, nil, s.hub.times.stall)
	s.sides[way].asked.Store(false)
}
