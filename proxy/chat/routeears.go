package chat

// What the ways of an ownerUpstream tell is told to the room, except that one of them ends.

func (o *ownerUpstream) broadcast(m *outbound) {
	o.mu.Lock()
	o.spoken = true
	o.mu.Unlock()
	o.room.broadcast(m)
}

func (o *ownerUpstream) answered(m inbound)           { o.room.answered(m) }
func (o *ownerUpstream) failed(m inbound, why []byte) { o.room.failed(m, why) }

// reportPending tells each other process how many answers are under way to clients that are not
// its own: should this one die, its clients hear that they may have missed them.
func (r *room) reportPending(l *catSocket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.remote == nil || w.isEnding() {
			continue
		}
		n := l.underWay(func(from uint64) bool { return from != w.n })
		if n != 0 || w.remote.owed != 0 {
			w.remote.owed = n
			w.enqueue(inherit(n))
		}
	}
}

// abandoned keeps the way, or looks for one, also while there is something to tell to
// whoever comes back: that may be at another process, which does not know of it.
func (o *ownerUpstream) abandoned(upstream) bool {
	if o.isHolding() || o.room.hasMissed() || !o.room.abandoned(o) {
		return false
	}
	o.end(closeUnused)
	return true
}

// gone is told that a way has ended. Where there is no use in another, everybody
// hears of it.
func (o *ownerUpstream) gone(_ upstream, c Closing) {
	if c != closeMoved {
		o.end(c)
	}
}
