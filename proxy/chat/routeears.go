package chat

// What the ways of a route tell is told to the room, except that one of them ends.

func (o *route) heard(m *said) {
	o.mu.Lock()
	o.spoken = true
	o.mu.Unlock()
	o.room.heard(m)
}

func (o *route) answered(m message)           { o.room.answered(m) }
func (o *route) failed(m message, why []byte) { o.room.failed(m, why) }

// bequeath tells each other process how many answers are under way to clients that are not
// its own: should this one die, its clients hear that they may have missed them.
func (r *room) bequeath(l *wire) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.windows {
		if w.guest == nil || w.isEnding() {
			continue
		}
		n := l.underWay(func(from uint64) bool { return from != w.n })
		if n != 0 || w.guest.owed != 0 {
			w.guest.owed = n
			w.tell(inherit(n))
		}
	}
}

// abandoned keeps the way, or looks for one, also while there is something to tell to
// whoever comes back: that may be at another process, which does not know of it.
func (o *route) abandoned(line) bool {
	if o.isHolding() || o.room.hasMissed() || !o.room.abandoned(o) {
		return false
	}
	o.end(closeUnused)
	return true
}

// gone is told that a way has ended. Where there is no use in another, everybody
// hears of it.
func (o *route) gone(_ line, c Closing) {
	if c != closeMoved {
		o.end(c)
	}
}
