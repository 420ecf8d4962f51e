package session

import (
	"context"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
)

// remembers is how many sessions that have ended a process keeps in mind.
const remembers = 65536

// graves are the sessions that this process knows to have ended: by their handles, and
// by the keys of ids that were exchanged. A store that is put back to an older state
// does not bring them back.
type graves struct{ known *lru.Cache[string, struct{}] }

func newGraves() (*graves, error) {
	known, err := lru.New[string, struct{}](remembers)
	return &graves{known}, err
}

// bury notes what has ended, if it is one session's end.
func (g *graves) bury(r authhandlers.Revocation) {
	if r.Session != "" {
		g.known.Add("handle:"+r.Session, struct{}{})
	}
}

func (g *graves) buryKey(key string) { g.known.Add(key, struct{}{}) }

func (g *graves) has(s *Session) bool {
	return g.known.Contains("handle:"+s.Handle) || g.known.Contains(s.key)
}

// handles are those of the sessions that have ended.
func (g *graves) handles() []string {
	var l []string
	for _, name := range g.known.Keys() {
		if handle, ok := strings.CutPrefix(name, "handle:"); ok {
			l = append(l, handle)
		}
	}
	return l
}

// buryAgain takes out of a store that may have been put back what has ended here, so
// that a process which was not there does not take it for alive.
func (m *Manager) buryAgain(ctx context.Context) {
	for _, handle := range m.ended.handles() {
		if ctx.Err() != nil {
			return
		}
		// To load it is to delete it. A store that fails now is looked at at the next try.
		_ = m.each(ctx, func(*Session) {}, indexHandle, handle)
	}
}
