package chat

import "time"

// lately is what was said in the last moments, within bounds. Its owner guards it, and
// has counted what is kept as held.
type lately struct {
	list  []written
	bytes int64
	timer *time.Timer // set while there is something
}

type written struct {
	m  *outbound
	at time.Time
}

// keep keeps a message; forget is called when it may be too old.
func (l *lately) keep(p *person, m *outbound, bytes int64, count int, d time.Duration, forget func()) {
	for len(l.list) > 0 && (l.bytes+m.size() > bytes || len(l.list) >= count) {
		l.dropFirst(p)
	}
	l.list = append(l.list, written{m, time.Now()})
	l.bytes += m.size()
	if l.timer == nil {
		l.timer = time.AfterFunc(d, forget)
	}
}

func (l *lately) dropFirst(p *person) {
	m := l.list[0].m
	l.list[0] = written{}
	l.list = l.list[1:]
	l.bytes -= m.size()
	m.letGo(p)
}

// forget gives up what is older than d, and comes again for the rest.
func (l *lately) forget(p *person, d time.Duration) {
	now := time.Now()
	for len(l.list) > 0 && now.Sub(l.list[0].at) >= d {
		l.dropFirst(p)
	}
	if len(l.list) > 0 {
		l.timer.Reset(d - now.Sub(l.list[0].at))
		return
	}
	l.list, l.timer = nil, nil // whoever is idle holds nothing
}
