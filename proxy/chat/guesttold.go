package chat

import "slices"

// received takes what a remote subscriber's process says, and does not wait.
func (g *remoteSubscriber) received(p *clusterMessage) {
	switch p.kind {
	case messageAck:
		g.mu.Lock()
		g.took(p.n)
		g.mu.Unlock()
	case messageSend, messageLeave, messageEnd: // an end may follow a bye, which says more
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.isOver {
			return
		}
		g.ups = append(g.ups, p) // bounded: its process waits until they are passed on
		g.subscriber.person.mustHold(int64(len(p.data)))
		if !g.passing {
			g.passing = true
			go g.pass()
		}
	}
}

// took forgets what was taken, up to number n. The remote subscriber is locked.
func (g *remoteSubscriber) took(n uint64) {
	for g.taken < n && len(g.sent) > 0 && !g.isOver {
		g.bytes -= g.sent[0].size()
		g.sent[0].letGo(g.subscriber.person)
		g.sent[0] = nil
		g.sent = g.sent[1:]
		g.taken++
	}
	g.space.Broadcast()
}

// pass passes on what the remote subscriber's clients say, one thing after another.
func (g *remoteSubscriber) pass() {
	defer g.hub.o.Caught()
	for {
		moves := g.subscriber.person.room.handsOver()
		g.mu.Lock()
		if len(g.ups) == 0 || g.isOver {
			for _, p := range g.ups {
				g.subscriber.person.drop(int64(len(p.data)))
			}
			g.passing, g.ups = false, nil
			g.mu.Unlock()
			return
		}
		p := g.ups[0]
		moves = moves && p.kind == messageSend
		if p.kind == messageSend && !moves {
			g.passed = p.n // before the end can say so
		}
		g.ups[0] = nil
		g.ups = g.ups[1:]
		g.mu.Unlock()
		switch p.kind {
		case messageSend:
			if moves { // its own process finds the next way
				g.subscriber.person.drop(int64(len(p.data)))
				g.subscriber.end(closeMoved)
				continue
			}
		case messageLeave:
			g.leave(p)
			continue
		case messageEnd:
			g.subscriber.end(closeSilentPeer)
			continue
		}
		m := inbound{from: g.subscriber.n, ref: p.n, kind: p.frame, data: p.data}
		if isTokenFrame(m.data) { // of an earlier version of us, which knew fewer spellings
			g.subscriber.person.room.failed(m, undelivered())
		} else {
			g.subscriber.person.room.send(m)
		}
		g.subscriber.person.drop(int64(len(p.data)))
		g.transmit(&clusterMessage{kind: messagePassed, n: p.n})
	}
}

// leave takes the remote subscriber out when the last of its clients has left. What those have not
// read is kept for the next, wherever that comes.
func (g *remoteSubscriber) leave(p *clusterMessage) {
	g.mu.Lock()
	g.took(p.n)
	g.mu.Unlock()
	unread, ok := g.stop(nil)
	if !ok {
		return
	}
	unread = append(unread, g.subscriber.empty()...)
	g.subscriber.person.room.leaveRemote(g.subscriber, p.rest, forClients(unread))
	g.transmit(&clusterMessage{kind: messageEnd, n: endParted})
}

// leaveRemote takes a remote subscriber out that gives copies back of what its clients have not read, and
// what it has not taken itself.
func (r *room) leaveRemote(w *subscriber, copies, unread []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range unread {
		m.backs = append(m.backs, w.remote.process)
	}
	rest := slices.Clone(copies)
	for i, m := range slices.Backward(copies) { // what was read is older than what was not
		m.what = ofCat(m.kind, m.data).what
		rest[i] = r.original(m, w.remote.process)
	}
	r.remove(w, append(rest, unread...))
}

// answeredRemote tells a remote subscriber that a message of its clients' is answered.
func (r *room) answeredRemote(m inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.n == m.from && !w.isEnding() {
			w.enqueue(answeredFar(m.ref))
		}
	}
}

// redirectRemotes has all remote subscribers look for the person's socket again.
func (r *room) redirectRemotes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.remote != nil {
			w.end(closeMoved)
		}
	}
}

// handsOver reports that this process stops, and leaves the person to another.
func (r *room) handsOver() bool {
	r.mu.Lock()
	o, ok := r.upstream.(*ownerUpstream)
	r.mu.Unlock()
	if !ok {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing != nil && *o.closing == closeStopping
}

// announce tells all clients something of our own.
func (r *room) announce(m *outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.toAll(m)
	r.check()
}

// cut breaks the connection to the Cat, which is opened again.
func (l *catSocket) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.isCut = true
		l.conn.Cut()
	}
}
