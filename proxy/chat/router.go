package chat

import (
	"maps"
	"slices"

	"github.com/catflap/catflap/internal/lock"
)

// router hands what comes from other processes to the one that it is for.
type router struct {
	mu                lock.Of[router]
	remoteUpstreams   map[string]*remoteUpstream   // by session
	remoteSubscribers map[string]*remoteSubscriber // by process and session
	passing           int                          // remote subscribers that pass messages on
	quiet             chan struct{}                // closed when none does any more; nil: nobody waits
}

// passes counts the remote subscribers that pass messages on.
func (p *router) passes(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.passing += n; p.passing == 0 && p.quiet != nil {
		close(p.quiet)
		p.quiet = nil
	}
}

// waitPassed waits until none passes messages on: each has said by then which was its last.
func (p *router) waitPassed() {
	p.mu.Lock()
	if p.passing == 0 {
		p.mu.Unlock()
		return
	}
	if p.quiet == nil {
		p.quiet = make(chan struct{})
	}
	quiet := p.quiet
	p.mu.Unlock()
	<-quiet
}

// Received implements Listener.
func (h *Hub) Received(from string, message []byte) {
	p, err := readMessage(message)
	if err != nil {
		return // sealed by one of us: a later version's, perhaps
	}
	h.router.mu.Lock()
	f, g := h.router.remoteUpstreams[p.session], h.router.remoteSubscribers[from+p.session]
	h.router.mu.Unlock()
	switch {
	case p.kind == messageOpen:
		h.invite(from, p)
	case f != nil && f.process == from:
		f.received(p)
	case g != nil:
		g.received(p)
	case p.kind != messageEnd && p.kind != messageLeave:
		h.sendTo(from, &clusterMessage{kind: messageEnd, session: p.session})
	}
}

func (h *Hub) sendTo(process string, p *clusterMessage) { h.o.Fleet.Send(process, p.encode()) }

// Gone implements Listener.
func (h *Hub) Gone(process string) {
	h.router.mu.Lock()
	upstreams, subscribers := slices.Collect(maps.Values(h.router.remoteUpstreams)), slices.Collect(maps.Values(h.router.remoteSubscribers))
	h.router.mu.Unlock()
	for _, f := range upstreams {
		if f.process == process {
			h.sendTo(process, &clusterMessage{kind: messageEnd, session: f.session})
			f.received(&clusterMessage{kind: messageEnd}) // after what has come before
		}
	}
	for _, g := range subscribers {
		if g.process == process {
			g.end(closeSilentPeer)
		}
	}
}

// Lost implements Listener.
func (h *Hub) Lost(late bool) {
	for _, r := range h.rooms() {
		for _, l := range r.person.upstreams() {
			if o, ok := l.(*ownerUpstream); ok {
				o.lose(late)
			}
		}
	}
}

func (p *router) addUpstream(f *remoteUpstream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.remoteUpstreams == nil {
		p.remoteUpstreams = map[string]*remoteUpstream{}
	}
	p.remoteUpstreams[f.session] = f
}

func (p *router) addSubscriber(g *remoteSubscriber) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.remoteSubscribers == nil {
		p.remoteSubscribers = map[string]*remoteSubscriber{}
	}
	p.remoteSubscribers[g.process+g.session] = g
}

func (p *router) removeUpstream(f *remoteUpstream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.remoteUpstreams, f.session)
}

func (p *router) removeSubscriber(g *remoteSubscriber) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.remoteSubscribers, g.process+g.session)
}

// handOver closes the sockets at the Cat that others may take over, without waiting
// for clients that are slow to go.
func (h *Hub) handOver() {
	for _, r := range h.rooms() {
		for _, l := range r.person.upstreams() {
			if o, ok := l.(*ownerUpstream); ok {
				o.end(closeStopping)
			}
		}
	}
}

func (p *router) counts() (relayed, remote int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.remoteUpstreams), len(p.remoteSubscribers)
}
