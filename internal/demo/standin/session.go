package standin

import (
	"net/http"
	"slices"
)

const (
	historyLength = 20  // messages that a session keeps
	sessionLimit  = 100 // sessions that the cache keeps, less a tenth
)

// session is one user's working memory. The Cat's cache hands out the thing
// itself, never a copy; it is guarded by Cat.mu.
type session struct {
	history []object
}

func (s *session) add(message object) {
	s.history = append(s.history, message)
	if n := len(s.history); n > historyLength {
		s.history = slices.Clone(s.history[n-historyLength:])
	}
}

// sessionCache forgets the ten oldest sessions whenever it is full, no matter whose they
// belong to.
type sessionCache struct {
	items map[string]*cached
	clock int
}

type cached struct {
	session *session
	kept    int
}

func newSessionCache() sessionCache { return sessionCache{items: map[string]*cached{}} }

func (sc *sessionCache) put(user string, s *session) {
	sc.clock++
	sc.items[user] = &cached{s, sc.clock}
	if len(sc.items) < sessionLimit {
		return
	}
	type aged struct {
		user string
		kept int
	}
	var all []aged
	for u, i := range sc.items {
		all = append(all, aged{u, i.kept})
	}
	slices.SortFunc(all, func(a, b aged) int { return a.kept - b.kept })
	for _, a := range all[:sessionLimit/10] {
		delete(sc.items, a.user)
	}
}

// recallSession is what the cache holds for a user, or a new session that nobody
// else sees until it is kept.
func (c *Cat) recallSession(user string) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.sessions.items[user]; ok {
		return i.session
	}
	return &session{}
}

func (c *Cat) keep(user string, s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions.put(user, s)
}

func (c *Cat) readHistory(e *exchange) {
	c.mu.Lock()
	history := slices.Clone(e.session.history)
	c.mu.Unlock()
	if history == nil {
		history = []object{}
	}
	e.json(http.StatusOK, object{{"history", history}})
}

func (c *Cat) deleteHistory(e *exchange) {
	c.mu.Lock()
	e.session.history = nil
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"deleted", true}})
}

// History is what a user's session holds, as "who: text" lines.
func (c *Cat) History(user string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.sessions.items[user]
	if !ok {
		return nil
	}
	var lines []string
	for _, m := range i.session.history {
		text, _ := m.get("text").(string)
		who, _ := m.get("who").(string)
		lines = append(lines, who+": "+text)
	}
	return lines
}
