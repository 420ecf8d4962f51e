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

func (o *route) abandoned(line) bool {
	if !o.room.abandoned(o) {
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
