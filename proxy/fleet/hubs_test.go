package fleet

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/chat"
)

func pair(t testing.TB, change func(*chat.Settings)) (*server, *cat, *flap, *flap) {
	t.Helper()
	s, c := startRedis(t), newCat(t)
	return s, c, s.flap(t, c, change), s.flap(t, c, change)
}

// TestTwoAreAsOne: clients of one person at two processes talk at once. All hear the
// same in one order, over one socket at the Cat.
func TestTwoAreAsOne(t *testing.T) {
	_, c, a, b := pair(t, nil)
	windows := []*websocket.Conn{a.open(t, "/alice"), b.open(t, "/alice"), b.open(t, "/alice")}
	const each = 20
	heard := make([][]string, len(windows))
	var wg sync.WaitGroup
	for i, w := range windows {
		wg.Go(func() {
			for n := range each {
				ask(t, w, fmt.Sprintf("%d/%d %s", i, n, strings.Repeat("long ", 2000)))
			}
		})
		wg.Go(func() {
			for range each * len(windows) {
				heard[i] = append(heard[i], answer(t, w).Content)
			}
		})
	}
	wg.Wait()
	for i := range windows {
		if !slices.Equal(heard[i], heard[0]) {
			t.Errorf("window %d hears another order", i)
		}
	}
	if c.highest() != 1 {
		t.Errorf("%d sockets at the Cat", c.highest())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for text, n := range c.heard {
		if n != 1 {
			t.Errorf("the Cat heard %.10q %d times", text, n)
		}
	}
	if s := b.hub.Stats(); s.Relayed != 1 || s.CatOpen != 0 {
		t.Errorf("%+v", s)
	}
}

// TestALongMessage is cut into pieces on its way, both ways.
func TestALongMessage(t *testing.T) {
	_, _, a, b := pair(t, nil)
	a.open(t, "/alice")
	w := b.open(t, "/alice")
	text := strings.Repeat("very long ", 3*part/10)
	ask(t, w, text)
	if f := answer(t, w); f.Content != text {
		t.Errorf("%d bytes come back", len(f.Content))
	}
}

// TestTheOwnerCrashes: what was under way is told of once, what comes meanwhile is
// answered, and nothing is said twice.
func TestTheOwnerCrashes(t *testing.T) {
	_, c, a, b := pair(t, nil)
	a.open(t, "/alice")
	w, other := b.open(t, "/alice"), b.open(t, "/alice")
	ask(t, w, "before")
	for _, w := range []*websocket.Conn{w, other} {
		if f := answer(t, w); f.Content != "before" {
			t.Errorf("%+v", f)
		}
	}
	ask(t, w, "sleep 500ms under way")
	eventually(t, "it is at the Cat", func() bool { return c.times("sleep 500ms under way") == 1 })
	began := time.Now()
	a.crash()
	if f := answer(t, w); f.Name != "Interrupted" {
		t.Errorf("%+v", f)
	}
	ask(t, other, "meanwhile")
	for _, w := range []*websocket.Conn{w, other} {
		if f := answer(t, w); f.Content != "meanwhile" {
			t.Errorf("%+v", f)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("taken over after %v", took)
	}
	for _, text := range []string{"before", "sleep 500ms under way", "meanwhile"} {
		if n := c.times(text); n != 1 {
			t.Errorf("the Cat heard %q %d times", text, n)
		}
	}
	for _, w := range []*websocket.Conn{w, other} {
		silent(t, w, 100*time.Millisecond)
	}
	if c.highest() != 1 || b.hub.Stats().CatOpen != 1 {
		t.Errorf("%d sockets; %+v", c.highest(), b.hub.Stats())
	}
}

// TestTheOwnerStops: the others take over at once.
func TestTheOwnerStops(t *testing.T) {
	s, c := startRedis(t), newCat(t)
	s.times.lease = 6 * time.Second // well above what a busy machine needs
	a, b := s.flap(t, c, nil), s.flap(t, c, nil)
	a.open(t, "/alice")
	w := b.open(t, "/alice")
	ask(t, w, "one")
	answer(t, w)
	began := time.Now()
	var stopping sync.WaitGroup
	defer stopping.Wait()
	stopping.Go(a.stop) // its own client does not answer the close, which takes a while
	eventually(t, "it closes its socket", func() bool { return a.hub.Stats().CatOpen == 0 })
	ask(t, w, "two")
	if f := answer(t, w); f.Content != "two" {
		t.Errorf("%+v", f)
	}
	if took := time.Since(began); took > s.times.lease {
		t.Errorf("taken over after %v", took)
	}
	if c.highest() != 1 {
		t.Errorf("%d sockets at the Cat", c.highest())
	}
}

// TestReloadsAcross: a page that is loaded again, each time at the other process,
// hears its answer, once.
func TestReloadsAcross(t *testing.T) {
	_, c, a, b := pair(t, nil)
	w := a.open(t, "/alice")
	for i := range 20 {
		text := fmt.Sprint("sleep 20ms #", i)
		ask(t, w, text)
		eventually(t, "it is at the Cat", func() bool { return c.times(text) == 1 })
		_ = w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
		_ = w.Close()
		w = []*flap{b, a}[i%2].open(t, "/alice")
		if f := answer(t, w); f.Content != text {
			t.Fatalf("after reload %d: %+v", i, f)
		}
	}
	silent(t, w, 100*time.Millisecond)
	if c.highest() != 1 {
		t.Errorf("%d sockets at the Cat", c.highest())
	}
}

// TestRedisRestarts, empty: whoever had a socket gives it up, nobody opens one before,
// and the clients stay.
func TestRedisRestarts(t *testing.T) {
	s, c, a, b := pair(t, nil)
	w, v := a.open(t, "/alice"), b.open(t, "/alice")
	ask(t, v, "before")
	answer(t, v)
	answer(t, w)
	s.kill()
	s.start(t)
	eventually(t, "the socket is given up", func() bool { return c.now("/alice") == 0 })
	// The process that relays may not know yet: then it says that what it is told now
	// may be lost.
	var told []string
	text := ""
	// later is the next answer that is not to a message which was told as interrupted, and
	// has reached the Cat all the same.
	later := func(w *websocket.Conn) frame {
		f := answer(t, w)
		for slices.Contains(told, f.Content) {
			f = answer(t, w)
		}
		return f
	}
	for f := (frame{}); f.Content == "" || f.Content != text; {
		if text != "" {
			told = append(told, text)
		}
		text = fmt.Sprint("after ", len(told))
		ask(t, v, text)
		if f = later(v); f.Content != text && f.Name != "Interrupted" || len(told) > 3 {
			t.Fatalf("%+v", f)
		}
	}
	// The one whose process has come back later may be told that it missed it.
	if f := later(w); f.Content != text && f.Name != "Missed" {
		t.Errorf("%+v; a %+v b %+v", f, a.hub.Stats(), b.hub.Stats())
	}
	if n := c.times(text); n != 1 {
		t.Errorf("heard %d times", n)
	}
	if c.highest() != 1 {
		t.Errorf("%d sockets at the Cat", c.highest())
	}
}

// TestRedisIsDown: the socket is given up before the lease ends, what is said is
// answered with an error, and the clients are closed with 1013 in the end.
func TestRedisIsDown(t *testing.T) {
	s, c, a, _ := pair(t, func(s *chat.Settings) { s.ReconnectFor = 3 * time.Second })
	w := a.open(t, "/alice")
	ask(t, w, "before")
	answer(t, w)
	s.kill()
	began := time.Now()
	eventually(t, "the socket is given up", func() bool { return c.now("/alice") == 0 })
	if took := time.Since(began); took > short().lease {
		t.Errorf("after %v", took)
	}
	ask(t, w, "in vain")
	if f := answer(t, w); f.Name != "NotDelivered" {
		t.Errorf("%+v", f)
	}
	_, _, err := w.ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseTryAgainLater) {
		t.Errorf("closed with %v", err)
	}
}
