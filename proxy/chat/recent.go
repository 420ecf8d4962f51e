package chat

import (
	"bytes"
	"slices"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// recentFor is how long after it was said a message may still be given back by another
// process: what a page has not shown, and the way there and back.
const recentFor = 2 * time.Second

// remember keeps what is given to another process, and not to that alone. What that one
// gives back is a copy, and who else still has the message is counted with the original.
// The room is locked.
func (r *room) remember(m *outbound) {
	if m.given > 1 && m.what != cat.FrameToken && m.keep(r.person) == nil {
		bytes, count := r.hub.settings.Load().queue()
		r.recent.keep(r.person, m, bytes, count, recentFor, r.forgetRecent)
	}
}

func (r *room) forgetRecent() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recent.forget(r.person, recentFor)
}

// original is what a copy was made of that a process gives back, or the copy. No process
// gives a message back twice: what it has given back already is another that says the
// same, or is counted. The room is locked.
func (r *room) original(m *outbound, process string) *outbound {
	if m.only {
		m.giveTo(1)
		return m
	}
	for _, x := range slices.Backward(r.recent.list) {
		if x.m.kind == m.kind && bytes.Equal(x.m.data, m.data) && !slices.Contains(x.m.backs, process) {
			x.m.backs = append(x.m.backs, process)
			return x.m
		}
	}
	m.giveTo(2) // others were given it, too
	return m
}
