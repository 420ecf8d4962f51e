package chat

import (
	"maps"
	"slices"
	"sync"
)

// post hands what comes from other processes to whom it is for.
type post struct {
	mu     sync.Mutex
	fars   map[string]*far   // by session
	guests map[string]*guest // by process and session
}

// Received implements Listener.
func (h *Hub) Received(from string, message []byte) {
	p, err := readParcel(message)
	if err != nil {
		return // sealed by one of us: a later version's, perhaps
	}
	h.post.mu.Lock()
	f, g := h.post.fars[p.session], h.post.guests[from+p.session]
	h.post.mu.Unlock()
	switch {
	case p.kind == parcelOpen:
		h.invite(from, p)
	case f != nil && f.process == from:
		f.received(p)
	case g != nil:
		g.received(p)
	case p.kind != parcelEnd && p.kind != parcelBye:
		h.sendTo(from, &parcel{kind: parcelEnd, session: p.session})
	}
}

func (h *Hub) sendTo(process string, p *parcel) { h.o.Fleet.Send(process, p.encode()) }

// Gone implements Listener.
func (h *Hub) Gone(process string) {
	h.post.mu.Lock()
	fars, guests := slices.Collect(maps.Values(h.post.fars)), slices.Collect(maps.Values(h.post.guests))
	h.post.mu.Unlock()
	for _, f := range fars {
		if f.process == process {
			h.sendTo(process, &parcel{kind: parcelEnd, session: f.session})
			f.received(&parcel{kind: parcelEnd}) // after what has come before
		}
	}
	for _, g := range guests {
		if g.process == process {
			g.window.end(closeSilentPeer)
		}
	}
}

// Lost implements Listener.
func (h *Hub) Lost(late bool) {
	for _, r := range h.rooms() {
		for _, l := range r.person.lines() {
			if o, ok := l.(*route); ok {
				o.lose(late)
			}
		}
	}
}

func (p *post) addFar(f *far) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fars == nil {
		p.fars = map[string]*far{}
	}
	p.fars[f.session] = f
}

func (p *post) addGuest(g *guest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.guests == nil {
		p.guests = map[string]*guest{}
	}
	p.guests[g.process+g.session] = g
}

func (p *post) removeFar(f *far) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.fars, f.session)
}

func (p *post) removeGuest(g *guest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.guests, g.process+g.session)
}

// handOver closes the sockets at the Cat that others may take over, without waiting
// for clients that are slow to go.
func (h *Hub) handOver() {
	for _, r := range h.rooms() {
		for _, l := range r.person.lines() {
			if o, ok := l.(*route); ok {
				o.end(closeStopping)
			}
		}
	}
}

func (p *post) counts() (relayed, guests int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.fars), len(p.guests)
}
