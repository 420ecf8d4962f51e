package chat

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTheCatRestarts: clients stay, the sender of what was in progress is told once,
// what is said in the meantime is delivered once, and nothing twice.
func TestTheCatRestarts(t *testing.T) {
	l, c := newCatLab(t, Options{Settings: shared})
	a, b := l.open(t, "/alice"), l.open(t, "/alice")
	ask(t, a, "before")
	for _, w := range []*websocket.Conn{a, b} {
		if f := answer(t, w); f.Content != "before" {
			t.Errorf("%+v", f)
		}
	}
	ask(t, a, "sleep 300ms in progress")
	l.eventually(t, "it is in progress", func() bool { return c.times("sleep 300ms in progress") == 1 })
	l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
	l.refuses.Store(true)
	c.restart()
	if f := answer(t, a); f.Type != "error" || f.Name != "Interrupted" || f.Description == "" {
		t.Errorf("the sender is told %+v", f)
	}
	l.eventually(t, "the Cat is gone", func() bool { return l.hub.Stats().CatLost == 1 })
	ask(t, b, "meanwhile")
	l.eventually(t, "it was tried", func() bool { return l.refused.Load() >= 2 }) // the turns of before have ended
	l.refuses.Store(false)
	for _, w := range []*websocket.Conn{a, b} {
		if f := answer(t, w); f.Type != "chat" || f.Content != "meanwhile" {
			t.Errorf("%+v", f)
		}
		silent(t, w, 50*time.Millisecond)
	}
	for _, text := range []string{"before", "sleep 300ms in progress", "meanwhile"} {
		if n := c.times(text); n != 1 {
			t.Errorf("the Cat heard %q %d times", text, n)
		}
	}
	kinds := l.kinds()
	if kinds[EventCatOpen] != 1 || kinds[EventCatLost] != 1 || kinds[EventCatBack] != 1 || kinds[EventUndelivered] != 1 || kinds[EventAnswer] != 2 {
		t.Errorf("%v", kinds)
	}
}

// kinds counts the events.
func (l *lab) kinds() map[EventKind]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := map[EventKind]int{}
	for _, e := range l.events {
		kinds[e.Kind]++
	}
	return kinds
}

// TestACatThatEndsItself, however it does, is one that has gone.
func TestACatThatEndsItself(t *testing.T) {
	for _, code := range []int{1000, 1001, 1011, 1012} {
		l, c := newCatLab(t, Options{Settings: shared})
		w := l.open(t, "/alice")
		ask(t, w, "one")
		answer(t, w)
		c.mu.Lock()
		conn := c.entry["/alice"]
		c.mu.Unlock()
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "keepalive ping timeout"), time.Now().Add(time.Second))
		l.eventually(t, "it is back", func() bool {
			return l.hub.counts.lost.Load() == 0 && c.speaksTo("/alice") && c.everOpened("/alice") == 2
		})
		ask(t, w, "two")
		if f := answer(t, w); f.Type != "chat" || f.Content != "two" {
			t.Errorf("%d: %+v", code, f)
		}
		leave(w)
		l.turns(t)
	}
}

func (c *fakeCat) everOpened(user string) int {
	n, _ := c.sockets(user)
	return n
}

// TestTheCatStaysAway: what was said is answered with an error when it has waited
// for long enough, and after reconnect_for everybody is closed and told why.
func TestTheCatStaysAway(t *testing.T) {
	set := shared
	set.ReconnectFor, set.DeliverWithin = 600*time.Millisecond, 100*time.Millisecond
	l, c := newCatLab(t, Options{Settings: set})
	a, b := l.open(t, "/alice"), l.open(t, "/alice")
	l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
	l.refuses.Store(true)
	c.restart()
	l.eventually(t, "the Cat is gone", func() bool { return l.hub.Stats().CatLost == 1 })
	start := time.Now()
	ask(t, a, "nobody hears this")
	if f := answer(t, a); f.Name != "NotDelivered" {
		t.Errorf("%+v", f)
	}
	for _, w := range []*websocket.Conn{a, b} {
		if code, reason := closedWith(t, w); code != websocket.CloseTryAgainLater || reason != closeCatGone.Reason {
			t.Errorf("closed with %d %q", code, reason)
		}
	}
	if took := time.Since(start); took < 300*time.Millisecond || took > 15*time.Second {
		t.Errorf("after %v", took)
	}
	_ = a.Close()
	_ = b.Close()
	if _, resp, err := websocket.DefaultDialer.Dial("ws"+l.front.URL[4:]+"/alice", nil); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new client is let in without the Cat: %v", err)
	}
	l.refuses.Store(false)
	w := l.open(t, "/alice")
	ask(t, w, "hello again")
	if f := answer(t, w); f.Content != "hello again" {
		t.Errorf("%+v", f)
	}
	if c.times("nobody hears this") != 0 {
		t.Error("delivered after all")
	}
	leave(w)
	l.forgets(t)
}

// TestWhatWaitsIsBounded: a client that talks to a Cat that is not there is told of
// each message that is too much.
func TestWhatWaitsIsBounded(t *testing.T) {
	l, c := newCatLab(t, Options{Settings: shared})
	w := l.open(t, "/alice")
	l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
	l.refuses.Store(true)
	c.restart()
	l.eventually(t, "the Cat is gone", func() bool { return l.hub.Stats().CatLost == 1 })
	for i := range maxKept + 3 {
		ask(t, w, fmt.Sprint(i))
	}
	for range 3 {
		if f := answer(t, w); f.Name != "NotDelivered" {
			t.Errorf("%+v", f)
		}
	}
	l.refuses.Store(false)
	for i := range maxKept {
		if f := answer(t, w); f.Content != fmt.Sprint(i) {
			t.Fatalf("%+v, want %d", f, i)
		}
	}
}

// TestAnErrorFindsWhoeverIsThere: the sender has gone, so that the next hears it.
func TestAnErrorFindsWhoeverIsThere(t *testing.T) {
	set := shared
	set.Linger = 5 * time.Second
	l, c := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	ask(t, w, "sleep 200ms")
	l.eventually(t, "it is in progress", func() bool { return c.times("sleep 200ms") == 1 })
	leave(w)
	c.restart()
	l.eventually(t, "the line is given up", func() bool { return len(l.events) > 0 && l.events[len(l.events)-1].Kind == EventCatEnd })
	if f := answer(t, l.open(t, "/alice")); f.Name != "Interrupted" {
		t.Errorf("%+v", f)
	}
}

// TestACatThatFlaps lets everybody in and out at once. It is not tried faster and
// faster, and it is given up in the end.
func TestACatThatFlaps(t *testing.T) {
	set := shared
	set.ReconnectFor = time.Second
	l := newLab(t, set, func(c *websocket.Conn) { time.Sleep(time.Millisecond) })
	code, _ := closedWith(t, l.open(t, "/alice"))
	if code != websocket.CloseTryAgainLater {
		t.Errorf("closed with %d", code)
	}
	if n := l.turns(t); n > 6 {
		t.Errorf("%d tries in a second", n)
	}
}

// TestRestartsUnderWay has clients talk while the Cat comes and goes: each message is
// answered once, by the Cat or by an error, and the Cat hears none twice.
func TestRestartsUnderWay(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: shared})
	l.hub.times.maxBackoff, l.hub.times.patience = 100*time.Millisecond, 20*time.Millisecond
	stop := make(chan struct{})
	var wg, restarts sync.WaitGroup
	restarts.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(150 * time.Millisecond):
				c.restart()
			}
		}
	})
	for p := range 8 {
		user := fmt.Sprint("/p", p)
		w := l.open(t, user)
		wg.Go(func() {
			late := map[string]bool{}
			for i := range 30 {
				text := fmt.Sprint("sleep 5ms ", user, i)
				ask(t, w, text)
				f := answer(t, w)
				for f.Type == "chat" && late[f.Content] { // it was told to be late, and it is
					delete(late, f.Content)
					f = answer(t, w)
				}
				if f.Name == "Unanswered" || f.Name == "Interrupted" { // its turn may go on at the Cat
					late[text] = true
				}
				if f.Type == "chat" && f.Content != text {
					t.Errorf("%q is answered with %+v", text, f)
				}
				if n := c.times(text); n > 1 || n == 0 && f.Type == "chat" {
					t.Errorf("%q was heard %d times", text, n)
				}
			}
			if len(late) == 0 {
				silent(t, w, 20*time.Millisecond)
			}
		})
	}
	wg.Wait()
	close(stop)
	restarts.Wait()
}
