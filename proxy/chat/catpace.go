package chat

import (
	"sync"
	"time"
)

// paceKept is how long it is remembered how slow the Cat was.
const paceKept = time.Hour

// catPace is the longest silence of late that an answer has followed. A model may think for
// a minute: then a shorter silence is no sign that an answer is lost.
type catPace struct {
	mu   sync.Mutex
	took time.Duration
	at   time.Time
}

func (p *catPace) note(took time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if took >= p.took || now.Sub(p.at) >= paceKept {
		p.took, p.at = took, now
	}
}

// silence is how long the Cat may now say nothing while it owes an answer.
func (h *Hub) silence(now time.Time) time.Duration {
	p := &h.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.at) >= paceKept {
		return h.times.silence
	}
	return max(h.times.silence, min(p.took+p.took/2, h.times.turn/4))
}
