package chat

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// noFleet is other processes that are told and never say anything.
type noFleet struct{}

func (noFleet) Listen(Listener)                              {}
func (noFleet) Claim(context.Context, string) (Claim, error) { return Claim{}, nil }
func (noFleet) Holds(string) bool                            { return true }
func (noFleet) Release(string, string)                       {}
func (noFleet) Send(string, []byte)                          {}
func (noFleet) Watch(string) func()                          { return func() {} }

// unopened is a client in a person's room that is not open yet, and is written nothing.
func unopened(p *person) *localSubscriber {
	w := &localSubscriber{}
	w.hub, w.person, w.in.maxBytes, w.in.maxCount = p.hub, p, 1<<20, 100
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.room.add(w)
	return w
}

// reads has a client read all that waits for it, and returns that.
func reads(w *localSubscriber) (heard []string) {
	w.person.room.mu.Lock()
	defer w.person.room.mu.Unlock()
	for {
		m, n := w.in.reader.next()
		if m == nil {
			return heard
		}
		heard = append(heard, string(m.data))
		w.in.reader.gave(n)
		w.in.reader.confirm(n, time.Time{})
	}
}

// elsewhere is another process's clients in a person's room.
func elsewhere(p *person, process string) *remoteSubscriber {
	g := newRemoteSubscriber(p.hub, p, process, &clusterMessage{session: process})
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.room.add(g)
	return g
}

// TestWhatIsGivenBack: a client that leaves gives back what it was not written. When
// nobody has it any more, whoever is there in the meantime hears it; with a process that has
// died it can't be known, and they are told that something may be missing.
func TestWhatIsGivenBack(t *testing.T) {
	const hasRead, givesBack, givesBackThere, dies = "reads", "gives back", "gives back at another process", "dies"
	for name, row := range map[string]struct {
		ends []string // of those who were given it
		want string   // what one who came later hears, in part
	}{
		"one gives it back":                       {[]string{givesBack}, "hello"},
		"both give it back":                       {[]string{givesBack, givesBack}, "hello"},
		"one has read it":                         {[]string{hasRead, givesBack}, ""},
		"the other has read it":                   {[]string{givesBack, hasRead}, ""},
		"a process dies":                          {[]string{dies}, "Missed"},
		"one gives it back, a process dies":       {[]string{givesBack, dies}, "Missed"},
		"a process dies, one gives it back":       {[]string{dies, givesBack}, "hello"},
		"one has read it, a process dies":         {[]string{hasRead, dies}, ""},
		"two give it back, then a process":        {[]string{givesBack, givesBack, dies}, "Missed"},
		"one gives it back, two processes die":    {[]string{givesBack, dies, dies}, "Missed"},
		"one here, then one elsewhere":            {[]string{givesBack, givesBackThere}, "hello"},
		"one givesBackThere, then one here":       {[]string{givesBackThere, givesBack}, "hello"},
		"two elsewhere":                           {[]string{givesBackThere, givesBackThere}, "hello"},
		"one givesBackThere, another has read it": {[]string{givesBackThere, hasRead}, ""},
		"one givesBackThere, a process dies":      {[]string{givesBackThere, dies}, "Missed"},
		"a process dies, one elsewhere":           {[]string{dies, givesBackThere}, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHub(Options{Settings: shared, Fleet: noFleet{}})
			p := newPerson(h, "/alice", "/alice")
			p.room.newest.user = &authhandlers.AuthUserInfo{ID: "/alice"}
			var all []subscriber
			for i, end := range row.ends {
				if end == dies || end == givesBackThere {
					all = append(all, elsewhere(p, fmt.Sprint("process ", i)))
				} else {
					all = append(all, unopened(p))
				}
			}
			p.room.broadcast(ofCat(websocket.TextMessage, []byte(`{"type":"chat","content":"hello"}`)))
			for i, end := range row.ends {
				if end == hasRead {
					reads(all[i].(*localSubscriber))
				}
			}
			next := unopened(p)
			for i, end := range row.ends {
				switch w := all[i]; end {
				case hasRead, givesBack:
					w.(*localSubscriber).leaveRoom()
				case givesBackThere:
					w.(*remoteSubscriber).leave(&clusterMessage{kind: messageLeave})
				case dies:
					w.(*remoteSubscriber).dropRemote(true)
				}
			}
			heard := reads(next)
			switch {
			case row.want == "" && len(heard) == 0:
			case row.want != "" && len(heard) > 0 && strings.Contains(heard[len(heard)-1], row.want):
			default:
				t.Errorf("whoever came later hears %q, and not %q", heard, row.want)
			}
			next.leaveRoom()
			p.room.mu.Lock()
			p.room.log.settle()
			p.room.mu.Unlock()
			if held := h.held.Load(); held != 0 {
				t.Errorf("%d bytes are held", held)
			}
		})
	}
}

// TestTheSameIsSaidTwice: two messages with the same words are two, also when another
// process has read neither.
func TestTheSameIsSaidTwice(t *testing.T) {
	h := NewHub(Options{Settings: shared, Fleet: noFleet{}})
	p := newPerson(h, "/alice", "/alice")
	here, there := unopened(p), elsewhere(p, "b")
	for range 2 {
		p.room.broadcast(ofCat(websocket.TextMessage, []byte(`{"type":"notification","content":"x"}`)))
	}
	there.leave(&clusterMessage{kind: messageLeave})
	p.room.mu.Lock()
	_, waits := here.in.reader.behind()
	p.room.mu.Unlock()
	if waits != 2 {
		t.Errorf("%d wait for a client that has read none", waits)
	}
	later := unopened(p)
	here.leaveRoom()
	if heard := reads(later); len(heard) != 2 {
		t.Errorf("a client that came later hears %d of 2", len(heard))
	}
}
