package chat

import (
	"fmt"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// absence is what a room keeps while nobody is there: the upstream lingers, and what
// the Cat says is kept for whoever comes back in time.
type absence struct {
	alone   time.Time // when the last client left
	since   time.Time // when the last client left, or something was missed after that
	timer   *time.Timer
	missed  []*outbound
	bytes   int64
	dropped int
	counted bool // among those who linger
}

// take hands out what was missed.
func (a *absence) take(p *person) []*outbound {
	list := a.missed
	for _, m := range list {
		m.letGo(p)
	}
	if a.dropped > 0 {
		list = append([]*outbound{ours(cat.NotificationFrame(fmt.Sprintf(
			"You were away for too much: %d earlier messages were dropped.", a.dropped)))}, list...)
	}
	a.missed, a.bytes, a.dropped = nil, 0, 0
	return list
}
