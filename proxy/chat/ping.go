package chat

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// pings keep both connections of a socket known to be alive: whoever stays silent
// for two of them is gone. A timer holds no goroutine while it waits.
type pings struct {
	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

func (p *pings) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

func (s *socket) startPings() *pings {
	p := &pings{}
	every := s.settings.Ping
	if every <= 0 {
		return p
	}
	for _, c := range []*websocket.Conn{s.client, s.cat} {
		s.sign(c)
		c.SetPongHandler(func(string) error { s.sign(c); return nil })
	}
	var tick func()
	tick = func() {
		if !s.ping(every) {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopped {
			p.timer = time.AfterFunc(every, tick)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(every, tick)
	return p
}

// ping asks both sides, and ends the socket when one has been silent for too long.
func (s *socket) ping(every time.Duration) bool {
	now := time.Now()
	for i, c := range []*websocket.Conn{s.client, s.cat} {
		if now.Sub(time.Unix(0, s.lastSign[i].Load())) > 2*every+every/2 {
			s.end(closeSilent)
			return false
		}
		_ = c.WriteControl(websocket.PingMessage, nil, now.Add(controlWait)) // a dead connection is found by its silence
	}
	return true
}

// sign notes a sign of life.
func (s *socket) sign(c *websocket.Conn) {
	i := 0
	if c == s.cat {
		i = 1
	}
	s.lastSign[i].Store(time.Now().UnixNano())
}
