package chat

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestAllHearTheSame: three subscribers talk at once. Each hears everything, in one
// order, from one socket at the Cat, which hears whole messages.
func TestAllHearTheSame(t *testing.T) {
	l, c := newCatLab(t, Options{Settings: shared})
	const each = 20
	var windows []*websocket.Conn
	for range 3 {
		windows = append(windows, l.open(t, "/alice"))
	}
	var wg sync.WaitGroup
	heard := make([][]string, len(windows))
	for i, w := range windows {
		wg.Go(func() {
			for n := range each {
				ask(t, w, fmt.Sprintf("%d/%d %s", i, n, strings.Repeat("long ", 5000)))
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
		last := -1
		for _, text := range heard[0] {
			var from, n int
			_, _ = fmt.Sscanf(text, "%d/%d", &from, &n)
			if from == i {
				if n != last+1 {
					t.Errorf("window %d's message %d comes after %d", i, n, last)
				}
				last = n
			}
		}
	}
	if ever, _ := c.sockets("/alice"); ever != 1 {
		t.Errorf("%d sockets at the Cat", ever)
	}
}

// TestReloadsLoseNothing: a page that is loaded again while its answer is on the
// way hears it afterwards, once.
func TestReloadsLoseNothing(t *testing.T) {
	l, c := newCatLab(t, Options{Settings: shared})
	w := l.open(t, "/alice")
	for i := range 40 {
		text := fmt.Sprint("sleep 20ms #", i)
		ask(t, w, text)
		leave(w)
		if i%4 == 3 {
			time.Sleep(40 * time.Millisecond) // the answer comes while nobody is there
		}
		w = l.open(t, "/alice")
		if f := answer(t, w); f.Type != "chat" || f.Content != text {
			t.Fatalf("after reload %d: %+v", i, f)
		}
	}
	silent(t, w, 50*time.Millisecond)
	if ever, _ := c.sockets("/alice"); ever != 1 {
		t.Errorf("%d sockets at the Cat", ever)
	}
}

// TestAnAnswerIsFinished: the socket at the Cat outlives the linger until the Cat has
// answered, and no longer.
func TestAnAnswerIsFinished(t *testing.T) {
	set := shared
	set.Linger = 10 * time.Millisecond
	l, c := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	ask(t, w, "sleep 300ms")
	leave(w)
	time.Sleep(100 * time.Millisecond)
	if _, now := c.sockets("/alice"); now != 1 {
		t.Error("closed in the middle of an answer")
	}
	if got := l.hub.Stats(); got.Lingering != 1 || got.CatOpen != 1 || got.Clients != 0 {
		t.Errorf("%+v", got)
	}
	l.eventually(t, "it is closed then", func() bool { _, now := c.sockets("/alice"); return now == 0 })
	l.forgets(t)
	if got := l.hub.Stats(); got != (Stats{}) {
		t.Errorf("%+v", got)
	}
}

// TestAnAnswerThatNeverComes is waited for only so long.
func TestAnAnswerThatNeverComes(t *testing.T) {
	set := shared
	set.Linger = 10 * time.Millisecond
	l, c := newCatLab(t, Options{Settings: set})
	l.hub.times.turn = 200 * time.Millisecond
	w := l.open(t, "/alice")
	ask(t, w, "sleep 1s")
	start := time.Now()
	leave(w)
	l.eventually(t, "it is closed", func() bool { return l.hub.counts.open.Load() == 0 })
	if took := time.Since(start); took < 150*time.Millisecond {
		t.Errorf("after %v", took)
	}
	_ = c
}

// TestWhatWasMissed comes first, in its order: the words of an answer only if the
// whole has not come, and with a word about what was too much.
func TestWhatWasMissed(t *testing.T) {
	set := shared
	set.Linger, set.MaxQueued = 5*time.Second, 4
	l, c := newCatLab(t, Options{Settings: set})
	away := func(do func()) *websocket.Conn {
		w := l.open(t, "/alice")
		leave(w)
		l.eventually(t, "nobody is there", func() bool { return l.hub.Count() == 0 && c.speaksTo("/alice") })
		do()
		time.Sleep(50 * time.Millisecond)
		return l.open(t, "/alice")
	}
	w := away(func() {
		for _, f := range []catFrame{{Type: "chat_token", Content: "a"}, {Type: "notification", Content: "b"}, {Type: "chat", Content: "c"}, {Type: "chat_token", Content: "d"}} {
			c.say("/alice", f)
		}
	})
	for _, want := range []catFrame{{Type: "notification", Content: "b"}, {Type: "chat", Content: "c"}, {Type: "chat_token", Content: "d"}} {
		if got := hear(t, w); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	leave(w)
	w = away(func() {
		for i := range 6 {
			c.say("/alice", catFrame{Type: "chat", Content: fmt.Sprint(i)})
		}
	})
	if got := hear(t, w); got.Type != "notification" || !strings.Contains(got.Content, "2 earlier") {
		t.Errorf("%+v", got)
	}
	for i := range 4 {
		if got := hear(t, w); got.Content != fmt.Sprint(i+2) {
			t.Errorf("%+v", got)
		}
	}
	silent(t, w, 30*time.Millisecond)
}

// TestManyPeople: 200 clients of 50 people come, talk and go. What each has sent is
// answered to each of their clients, and nothing is left in the end.
func TestManyPeople(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: shared})
	const people, clients, each = 50, 4, 5
	var sent, answered atomic.Int64
	var all sync.WaitGroup
	for p := range people {
		user := fmt.Sprint("/person-", p)
		var windows []*websocket.Conn
		for range clients {
			windows = append(windows, l.open(t, user))
		}
		for i, w := range windows {
			all.Go(func() {
				for n := range each {
					ask(t, w, fmt.Sprint(user, " ", i, " ", n))
					sent.Add(1)
				}
			})
			all.Go(func() {
				for range clients * each {
					if f := answer(t, w); f.Type != "chat" || !strings.HasPrefix(f.Content, user+" ") {
						t.Errorf("%s hears %+v", user, f)
					}
					answered.Add(1)
				}
			})
		}
	}
	all.Wait()
	if sent.Load() != people*clients*each || answered.Load() != sent.Load()*clients {
		t.Errorf("%d sent, %d answers heard", sent.Load(), answered.Load())
	}
	for p := range people {
		if ever, _ := c.sockets(fmt.Sprint("/person-", p)); ever != 1 {
			t.Errorf("%d sockets at the Cat", ever)
		}
	}
	if infos := l.hub.Sockets(info("/person-7")); len(infos) != clients || infos[0].Handler != "h" || infos[0].Since.IsZero() {
		t.Errorf("%+v", infos)
	}
}
