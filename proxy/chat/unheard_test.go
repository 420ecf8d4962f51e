package chat

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestAPageThatGoesAway: what a page was written in its last moments goes to the next
// client as well, since the browser may have taken it for a script that had stopped.
func TestAPageThatGoesAway(t *testing.T) {
	const close1001, close1000, cut = websocket.CloseGoingAway, websocket.CloseNormalClosure, 0
	for name, c := range map[string]struct {
		text  string
		page  bool
		other bool // another client is there, and hears it
		wait  time.Duration
		code  int
		again bool
	}{
		"a page":               {text: "hello", page: true, code: close1001, again: true},
		"no page":              {text: "hello", code: close1001},
		"closed by its script": {text: "hello", page: true, code: close1000},
		"lost":                 {text: "hello", page: true, code: cut},
		"a while ago":          {text: "hello", page: true, code: close1001, wait: unheardFor},
		"heard by another":     {text: "hello", page: true, code: close1001, other: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, _ := newCatLab(t, Options{Settings: shared})
			l.page = c.page
			w := l.open(t, "/alice")
			if c.other {
				defer l.open(t, "/alice").Close()
			}
			ask(t, w, c.text)
			if f := answer(t, w); f.Content != c.text {
				t.Fatalf("%+v", f)
			}
			time.Sleep(c.wait)
			if c.code != cut {
				closer(websocket.FormatCloseMessage(c.code, ""))(w)
			}
			_ = w.Close()
			l.closed(t, 1, map[int]int{cut: websocket.CloseAbnormalClosure}[c.code]+c.code, "")
			next := l.open(t, "/alice")
			if c.again {
				if f := hear(t, next); f.Type != "chat" || f.Content != c.text {
					t.Errorf("%+v", f)
				}
			}
			silent(t, next, 50*time.Millisecond)
			_ = next.Close()
			l.eventually(t, "nothing is held", func() bool { return l.hub.held.Load() == 0 })
		})
	}
}

// TestAPageThatStays holds nothing of what it was written for longer.
func TestAPageThatStays(t *testing.T) {
	l, _ := newCatLab(t, Options{Settings: shared})
	l.page = true
	w := l.open(t, "/alice")
	for range 3 {
		ask(t, w, "hello")
		answer(t, w)
	}
	l.eventually(t, "nothing is held", func() bool { return l.hub.held.Load() == 0 })
	ask(t, w, "again")
	if f := answer(t, w); f.Content != "again" {
		t.Errorf("%+v", f)
	}
}

// TestAPageThatIsFlooded: what it was written last is bounded like what waits for it.
func TestAPageThatIsFlooded(t *testing.T) {
	set := shared
	set.MaxQueued = 4
	l, _ := newCatLab(t, Options{Settings: set})
	l.page = true
	w := l.open(t, "/alice")
	for range 50 {
		ask(t, w, "hello")
		answer(t, w)
	}
	if n := l.hub.held.Load(); n > 5*200 {
		t.Errorf("%d bytes are held", n)
	}
}
