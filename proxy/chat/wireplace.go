package chat

import "time"

// mayGoUp reports whether a message may go to the Cat now: a turn needs a place there,
// where they are bounded, and nothing overtakes what waits for one. The catSocket is locked.
func (l *catSocket) mayGoUp(m *inbound) bool {
	if l.asked != nil {
		return false
	}
	g := l.hub.gateOf(l.person.id)
	if g == nil || !m.isTurn() {
		return true
	}
	m.leave, l.asked = g.enter(l.person.id, l.placeCame)
	return m.leave != nil
}

// askPlace asks for a place for what was kept. The catSocket is locked.
func (l *catSocket) askPlace() {
	if l.asked != nil || len(l.kept.list) == 0 {
		return
	}
	leave := func() {}
	if g := l.hub.gateOf(l.person.id); g != nil {
		if leave, l.asked = g.enter(l.person.id, l.placeCame); leave == nil {
			return
		}
	}
	l.asked = func() bool { return false } // it comes
	go l.placeCame(leave)
}

// giveUpPlace waits for no place any more. One that comes all the same is left at once.
// The catSocket is locked.
func (l *catSocket) giveUpPlace() {
	if l.asked != nil {
		l.asked()
	}
}

// placeCame sends the first turn of what was kept.
func (l *catSocket) placeCame(leave func()) {
	defer l.hub.o.Caught()
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	l.asked = nil
	c := l.conn
	if l.closing != nil || c == nil || len(l.kept.list) == 0 || l.mustWait(c) { // what is left is asked for when the Cat is back
		l.mu.Unlock()
		leave()
		return
	}
	list := l.kept.first(l.person)
	last := &list[len(list)-1]
	if last.isTurn() {
		last.leave = leave
	} else {
		defer leave()
	}
	for _, m := range list {
		l.turns.begin(m, time.Now())
		l.watch(c)
	}
	l.askPlace()
	l.mu.Unlock()
	l.underWayChanged()
	for _, m := range list {
		l.write(c, m)
	}
}
