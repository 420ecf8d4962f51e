package chat

import "slices"

// received takes what a guest's process says, and does not wait.
func (g *guest) received(p *parcel) {
	switch p.kind {
	case parcelAck:
		g.mu.Lock()
		g.took(p.n)
		g.mu.Unlock()
	case parcelSay, parcelBye, parcelEnd: // an end may follow a bye, which says more
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.isOver {
			return
		}
		g.ups = append(g.ups, p) // bounded: its process waits until they are passed on
		g.window.person.mustHold(int64(len(p.data)))
		if !g.passing {
			g.passing = true
			go g.pass()
		}
	}
}

// took forgets what was taken, up to number n. The guest is locked.
func (g *guest) took(n uint64) {
	for g.taken < n && len(g.sent) > 0 && !g.isOver {
		g.bytes -= g.sent[0].size()
		g.sent[0].letGo(g.window.person)
		g.sent[0] = nil
		g.sent = g.sent[1:]
		g.taken++
	}
	g.space.Broadcast()
}

// pass passes on what the guest's clients say, one thing after another.
func (g *guest) pass() {
	defer g.hub.o.Caught()
	for {
		moves := g.window.person.room.handsOver()
		g.mu.Lock()
		if len(g.ups) == 0 || g.isOver {
			for _, p := range g.ups {
				g.window.person.drop(int64(len(p.data)))
			}
			g.passing, g.ups = false, nil
			g.mu.Unlock()
			return
		}
		p := g.ups[0]
		moves = moves && p.kind == parcelSay
		if p.kind == parcelSay && !moves {
			g.passed = p.n // before the end can say so
		}
		g.ups[0] = nil
		g.ups = g.ups[1:]
		g.mu.Unlock()
		switch p.kind {
		case parcelSay:
			if moves { // its own process finds the next way
				g.window.person.drop(int64(len(p.data)))
				g.window.end(closeMoved)
				continue
			}
		case parcelBye:
			g.leave(p)
			continue
		case parcelEnd:
			g.window.end(closeSilentPeer)
			continue
		}
		m := message{from: g.window.n, ref: p.n, kind: p.frame, data: p.data}
		if isTokenFrame(m.data) { // of an earlier version of us, which knew fewer spellings
			g.window.person.room.failed(m, undelivered())
		} else {
			g.window.person.room.say(m)
		}
		g.window.person.drop(int64(len(p.data)))
		g.send(&parcel{kind: parcelWrote, n: p.n})
	}
}

// leave takes the guest out when the last of its clients has left. What those have not
// read is kept for the next, wherever that comes.
func (g *guest) leave(p *parcel) {
	g.mu.Lock()
	g.took(p.n)
	g.mu.Unlock()
	unread, ok := g.stop(nil)
	if !ok {
		return
	}
	unread = append(unread, g.window.empty()...)
	g.window.person.room.leaveFar(g.window, p.rest, forClients(unread))
	g.send(&parcel{kind: parcelEnd, n: endParted})
}

// leaveFar takes a guest out that gives copies back of what its clients have not read, and
// what it has not taken itself.
func (r *room) leaveFar(w *window, copies, unread []*said) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range unread {
		m.backs = append(m.backs, w.guest.process)
	}
	rest := slices.Clone(copies)
	for i, m := range slices.Backward(copies) { // what was read is older than what was not
		m.what = ofCat(m.kind, m.data).what
		rest[i] = r.original(m, w.guest.process)
	}
	r.remove(w, append(rest, unread...))
}

// answeredFar tells a guest that a message of its clients' is answered.
func (r *room) answeredFar(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.windows {
		if w.n == m.from && !w.isEnding() {
			w.tell(answeredFar(m.ref))
		}
	}
}

// dismiss has all guests look for the person's socket anew.
func (r *room) dismiss() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.windows {
		if w.guest != nil {
			w.end(closeMoved)
		}
	}
}

// handsOver reports that this process stops, and leaves the person to another.
func (r *room) handsOver() bool {
	r.mu.Lock()
	o, ok := r.line.(*route)
	r.mu.Unlock()
	if !ok {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing != nil && *o.closing == closeStopping
}

// announce tells all clients something of our own.
func (r *room) announce(m *said) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.toAll(m)
	r.check()
}

// cut breaks the connection to the Cat, which is opened again.
func (l *wire) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.isCut = true
		l.conn.Cut()
	}
}
