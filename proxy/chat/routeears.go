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

// bequeath tells the other processes of the answers that are under way to a client that
// has left: should this one die, they have it known. The room is locked.
func (r *room) bequeath(w *window) {
	o, ok := r.line.(*route)
	if !ok {
		return
	}
	l, own := o.way().(*wire)
	if !own {
		return
	}
	if n := l.underWay(func(from uint64) bool { return from == w.n }); n > 0 {
		for _, x := range r.windows {
			if x.guest != nil && !x.isEnding() {
				x.tell(inherit(n))
			}
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
