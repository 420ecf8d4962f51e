package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTheGateIsFair: a person who asks for many places has half of them at most, and of
// those who wait the one comes next who has fewest.
func TestTheGateIsFair(t *testing.T) {
	g := newGate(func() int { return 4 }, time.Minute)
	type place struct {
		person string
		leave  func()
	}
	came := make(chan place, 20)
	ask := func(person string) {
		if leave, _ := g.enter(person, func(leave func()) { came <- place{person, leave} }); leave != nil {
			came <- place{person, leave}
		}
	}
	for range 10 {
		ask("greedy")
	}
	if under, waiting := g.counts(); under != 2 || waiting != 8 {
		t.Fatalf("%d under way, %d wait", under, waiting)
	}
	for _, person := range []string{"bob", "carol", "dora"} { // there are places for two of them
		ask(person)
	}
	if under, waiting := g.counts(); under != 4 || waiting != 9 {
		t.Fatalf("%d under way, %d wait", under, waiting)
	}
	for n := range 13 {
		p := <-came
		p.leave()
		p.leave() // once counts
		g.mu.Lock()
		if n == 0 && g.of["dora"] != 1 {
			t.Errorf("dora waits behind the greedy one: %v", g.of)
		}
		g.mu.Unlock()
	}
	if under, waiting := g.counts(); under != 0 || waiting != 0 {
		t.Fatalf("%d under way, %d wait", under, waiting)
	}
}

// TestTurnsAreBounded: with one place, people who speak at once are answered one after
// another, each of them, and nobody's second turn comes before everybody's first.
func TestTurnsAreBounded(t *testing.T) {
	set := shared
	set.MaxTurns = 1
	var at, most, overs atomic.Int64
	l := newLab(t, set, func(c *websocket.Conn) {
		for {
			_, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			n := at.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(5 * time.Millisecond) // of a model's
			at.Add(-1)
			overs.Add(1)
			if c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"chat","content":%q}`, p)) != nil {
				return
			}
		}
	})
	const people, each = 6, 5
	var all sync.WaitGroup
	for i := range people {
		w := l.open(t, fmt.Sprintf("/p%d", i))
		all.Go(func() {
			for n := range each { // at once: they wait here
				if err := w.WriteJSON(map[string]string{"text": fmt.Sprint(n)}); err != nil {
					t.Error(err)
				}
			}
			_ = w.SetReadDeadline(time.Now().Add(30 * time.Second))
			for n := range each {
				if _, p, err := w.ReadMessage(); err != nil || string(p) != fmt.Sprintf(`{"type":"chat","content":%q}`, fmt.Appendf(nil, "{\"text\":\"%d\"}\n", n)) {
					t.Errorf("turn %d: %s %v", n, p, err)
					return
				}
			}
		})
	}
	all.Wait()
	if most.Load() != 1 || overs.Load() != people*each {
		t.Errorf("%d turns at once, %d in all", most.Load(), overs.Load())
	}
	l.eventually(t, "no place is taken", func() bool { s := l.hub.Stats(); return s.TurnsAtCat == 0 && s.TurnsWaiting == 0 })
}

// TestABusyCat: who has waited in vain is told so, over a socket and over HTTP, and a
// Cat that goes gives its places back.
func TestABusyCat(t *testing.T) {
	set := shared
	set.MaxTurns, set.DeliverWithin = 1, 200*time.Millisecond
	l, c := newCatLab(t, Options{Settings: set})
	a, b := l.open(t, "/alice"), l.open(t, "/bob")
	ask(t, a, "sleep 3s")
	l.eventually(t, "it is in progress", func() bool { return c.times("sleep 3s") == 1 })
	ask(t, b, "me too")
	if f := answer(t, b); f.Name != "Busy" || c.times("me too") != 0 {
		t.Errorf("%+v", f)
	}
	if _, err := l.hub.Turn(t.Context(), "carol"); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.hub.Turn(gone, "dora"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	c.restart()
	if f := answer(t, a); f.Name != "Interrupted" && f.Content != "sleep 3s" { // on a busy machine
		t.Errorf("%+v", f)
	}
	l.eventually(t, "the Cat is back", func() bool { s := l.hub.Stats(); return s.CatOpen == 2 && s.TurnsAtCat == 0 && s.TurnsWaiting == 0 })
	ask(t, b, "and now")
	if f := answer(t, b); f.Content != "and now" {
		t.Errorf("%+v", f)
	}
	leave, err := l.hub.Turn(t.Context(), "carol")
	if err != nil {
		t.Fatal(err)
	}
	set.MaxTurns = 0 // no bound any more: who waits comes in
	ask(t, b, "at last")
	l.hub.Reconfigure(set)
	if f := answer(t, b); f.Content != "at last" {
		t.Errorf("%+v", f)
	}
	leave()
	time.Sleep(3 * time.Second) // the fake Cat ends its turn
}
