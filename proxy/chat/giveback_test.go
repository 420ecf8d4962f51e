package chat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// unopened is a client in a person's room that is not open yet, and is written nothing.
func unopened(p *person, g *remoteSubscriber) *localSubscriber {
	w := &localSubscriber{remote: g, maxBytes: 1 << 20, maxCount: 100}
	w.hub, w.person = p.hub, p
	p.room.subscribers = append(p.room.subscribers, w)
	return w
}

// TestWhatIsGivenBack: a client that leaves gives back what it was not written. When
// nobody has it any more, whoever is there in the meantime hears it; with a process that has
// died it can't be known, and they are told that something may be missing.
func TestWhatIsGivenBack(t *testing.T) {
	const reads, givesBack, elsewhere, dies = "reads", "gives back", "gives back at another process", "dies"
	for name, row := range map[string]struct {
		ends []string // of those who were given it
		want string   // what one who came later hears, in part
	}{
		"one gives it back":                    {[]string{givesBack}, "hello"},
		"both give it back":                    {[]string{givesBack, givesBack}, "hello"},
		"one has read it":                      {[]string{reads, givesBack}, ""},
		"the other has read it":                {[]string{givesBack, reads}, ""},
		"a process dies":                       {[]string{dies}, "Missed"},
		"one gives it back, a process dies":    {[]string{givesBack, dies}, "Missed"},
		"a process dies, one gives it back":    {[]string{dies, givesBack}, "hello"},
		"one has read it, a process dies":      {[]string{reads, dies}, ""},
		"two give it back, then a process":     {[]string{givesBack, givesBack, dies}, "Missed"},
		"one gives it back, two processes die": {[]string{givesBack, dies, dies}, "Missed"},
		"one here, then one elsewhere":         {[]string{givesBack, elsewhere}, "hello"},
		"one elsewhere, then one here":         {[]string{elsewhere, givesBack}, "hello"},
		"two elsewhere":                        {[]string{elsewhere, elsewhere}, "hello"},
		"one elsewhere, another has read it":   {[]string{elsewhere, reads}, ""},
		"one elsewhere, a process dies":        {[]string{elsewhere, dies}, "Missed"},
		"a process dies, one elsewhere":        {[]string{dies, elsewhere}, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHub(Options{Settings: shared})
			p := newPerson(h, "/alice", "/alice")
			p.room.newest.user = &authhandlers.AuthUserInfo{ID: "/alice"}
			var all []*localSubscriber
			for _, end := range row.ends {
				var g *remoteSubscriber
				if end == dies || end == elsewhere {
					g = &remoteSubscriber{hub: h, process: fmt.Sprint("process ", len(all))}
				}
				w := unopened(p, g)
				if g != nil {
					g.subscriber = w
				}
				all = append(all, w)
			}
			hello := func() *outbound {
				return ofCat(websocket.TextMessage, []byte(`{"type":"chat","content":"hello"}`))
			}
			p.room.broadcast(hello())
			next := unopened(p, nil)
			for i, end := range row.ends {
				switch w := all[i]; end {
				case reads:
					w.empty()
					p.room.leave(w, nil)
				case givesBack:
					p.room.leave(w, w.empty())
				case elsewhere:
					w.empty() // that process has taken it
					p.room.leaveRemote(w, []*outbound{hello()}, nil)
				case dies:
					w.remote.dropRemote(nil, true)
				}
			}
			var heard []string
			for _, m := range next.queue {
				heard = append(heard, string(m.data))
			}
			switch {
			case row.want == "" && len(heard) == 0:
			case row.want != "" && len(heard) > 0 && strings.Contains(heard[len(heard)-1], row.want):
			default:
				t.Errorf("whoever came later hears %q, and not %q", heard, row.want)
			}
			next.empty()
			p.room.mu.Lock()
			p.room.recent.forget(p, 0)
			p.room.mu.Unlock()
			if held := h.held.Load(); held != 0 {
				t.Errorf("%d bytes are held", held)
			}
		})
	}
}

// TestTheSameIsSaidTwice: two messages with the same words are two, also when another
// process gives copies of them back; and it gives none back twice.
func TestTheSameIsSaidTwice(t *testing.T) {
	h := NewHub(Options{Settings: shared})
	p := newPerson(h, "/alice", "/alice")
	same := func() *outbound { return ofCat(websocket.TextMessage, []byte(`{"type":"notification","content":"x"}`)) }
	elsewhere := func() *localSubscriber { return unopened(p, &remoteSubscriber{hub: h, process: "b"}) }
	here, b := unopened(p, nil), elsewhere()
	p.room.broadcast(same())
	p.room.broadcast(same())
	b.empty()
	p.room.leaveRemote(b, []*outbound{same(), same()}, nil)
	p.room.leaveRemote(elsewhere(), []*outbound{same(), same()}, nil) // nobody knows whether the first has come
	if n := len(here.queue); n != 2 {
		t.Errorf("who has both hears %d", n)
	}
	later := unopened(p, nil)
	p.room.leave(here, here.empty())
	if n := len(later.queue); n != 2 {
		t.Errorf("who came later hears %d of 2", n)
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.room.recent.forget(p, 0)
}
