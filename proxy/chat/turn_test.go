package chat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// turns checks that no two sockets of the lab's person were at the Cat at once, nor
// one too soon after another, and returns how many there were.
func (l *lab) turns(t *testing.T) int {
	t.Helper()
	l.eventually(t, "all sockets end", func() bool { return l.hub.Count() == 0 && l.hub.counts.open.Load() == 0 })
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(l.spans, func(a, b span) int { return a.from.Compare(b.from) })
	for i := 1; i < len(l.spans); i++ {
		if gap := l.spans[i].from.Sub(l.spans[i-1].til); gap < 20*time.Millisecond {
			t.Errorf("socket %d opened %v after the one before", i, gap)
		}
	}
	return len(l.spans)
}

// forgets waits until nothing is remembered of anybody.
func (l *lab) forgets(t *testing.T) {
	t.Helper()
	l.eventually(t, "nothing is remembered", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return len(l.hub.clients) == 0 && len(l.hub.people) == 0 && l.hub.held.Load() == 0
	})
}

// TestOneSocketAtTheCat is the rule of the package: many subscribers of one person,
// all at once, however they end, and never two sockets at the Cat, nor one too soon.
func TestOneSocketAtTheCat(t *testing.T) {
	t.Parallel()
	for _, linger := range []time.Duration{0, 20 * time.Millisecond} {
		set := shared
		set.Linger = linger
		l := newLab(t, set, echo)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				for n := range 5 {
					c, err := l.dial(t.Context(), l.front, "/alice")
					if err != nil {
						t.Error(err)
						return
					}
					text := fmt.Sprint("from ", i, n)
					_ = c.WriteMessage(websocket.TextMessage, []byte(text))
					_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
					for got := ""; got != text; {
						_, p, err := c.ReadMessage()
						if err != nil {
							t.Errorf("%s: %v", text, err)
							break
						}
						got = string(p)
					}
					if i%2 == 0 {
						closer(websocket.FormatCloseMessage(1000, ""))(c)
					}
					_ = c.Close()
				}
			})
		}
		wg.Wait()
		l.turns(t)
		l.forgets(t)
	}
}

func TestAReloadOfThePageWaits(t *testing.T) {
	for name, set := range map[string]Settings{"shared": {Mode: Shared}, "separate": {Mode: Separate}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, set, echo)
			for range 5 {
				c := l.open(t, "/alice")
				closer(websocket.FormatCloseMessage(1001, ""))(c)
				_ = c.Close()
			}
			if n := l.turns(t); set.Mode == Separate && n != 5 {
				t.Errorf("%d sockets at the Cat", n)
			}
		})
	}
}

// TestNobodyIsForgottenTooEarly: what the first socket's end has set off must not
// lose sight of the second's.
func TestNobodyIsForgottenTooEarly(t *testing.T) {
	h := NewHub(Options{Settings: separate})
	j := Joining{User: &authhandlers.AuthUserInfo{ID: "/alice"}}
	first, _ := h.reserve(&j, nil)
	p := first.person
	h.release(first)
	second, _ := h.reserve(&j, nil)
	p.markEnded()
	h.release(second)
	h.forget(p.place) // as the first's timer may
	h.mu.Lock()
	if h.people[p.name] != p {
		t.Error("the next socket would not wait")
	}
	h.mu.Unlock()
	p.mu.Lock()
	p.ended = time.Now().Add(-catSettleDelay)
	p.mu.Unlock()
	h.forget(p.place)
	if len(h.people) != 0 {
		t.Error("never forgotten")
	}
}

// TestTheCatsConnectionEndsFirst has a Cat that answers the close at once, and
// closes the connection later: only that is the end.
func TestTheCatsConnectionEndsFirst(t *testing.T) {
	const late = 300 * time.Millisecond
	set := shared
	set.Linger = 0
	l := newLab(t, set, func(c *websocket.Conn) {
		echo(c)
		time.Sleep(late)
	})
	start := time.Now()
	closer(websocket.FormatCloseMessage(1000, ""))(l.open(t, "/alice"))
	l.eventually(t, "the first has left", func() bool { return l.places("/alice") == 0 })
	l.open(t, "/alice")
	if took := time.Since(start); took < late {
		t.Errorf("after %v", took)
	}
}

// TestAChangeOfTheMode: a reload finds sockets of the other kind, and the next to
// come ends them: there would be two at the Cat.
func TestAChangeOfTheMode(t *testing.T) {
	for name, set := range map[string][2]Settings{"to shared": {separate, shared}, "to separate": {shared, separate}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, set[0], echo)
			a, b := l.open(t, "/alice"), l.open(t, "/alice")
			l.hub.Reconfigure(set[1])
			closed := make(chan int, 2)
			for _, before := range []*websocket.Conn{a, b} {
				go func() {
					code, _ := closedWith(t, before)
					closed <- code
				}()
			}
			c := l.open(t, "/alice")
			for range 2 {
				if code := <-closed; code != websocket.CloseServiceRestart {
					t.Errorf("closed with %d", code)
				}
			}
			if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
				t.Error(err)
			}
			if _, _, err := c.ReadMessage(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAClientThatLeavesTheQueue gives its place back and holds up nobody.
func TestAClientThatLeavesTheQueue(t *testing.T) {
	holding, release := make(chan struct{}), make(chan struct{})
	l := newLab(t, shared, echo)
	first := make(chan error, 1)
	go func() { // holds the turn while it dials
		first <- l.hub.Join(context.Background(), l.joining("/alice", func() (*websocket.Conn, error) {
			close(holding)
			<-release
			return nil, errors.New("refused")
		}))
	}()
	<-holding
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() { second <- l.hub.Join(ctx, l.joining("/alice", nil)) }()
	l.eventually(t, "the second waits", func() bool { return l.places("/alice") == 2 })
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the second: %v", err)
	}
	l.eventually(t, "the place is free", func() bool { return l.places("/alice") == 1 })
	close(release)
	if err := <-first; !errors.As(err, new(*DialError)) {
		t.Errorf("the first: %v", err)
	}
	l.open(t, "/alice")
}

func TestAClientThatHasLeftTakesNoTurn(t *testing.T) {
	p := newPerson(NewHub(Options{}), "/alice", "/alice")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // the turn is free, and which is seen first is chance
		if err := p.lockDial(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
	}
	if len(p.dialLock) != 0 {
		t.Error("it did")
	}
}

// TestAFailedHandshakeLeavesTheCatProperly: the Cat's socket is open when the
// client turns out to be gone.
func TestAFailedHandshakeLeavesTheCatProperly(t *testing.T) {
	for name, set := range map[string]Settings{"shared": {Mode: Shared}, "separate": {Mode: Separate}} {
		t.Run(name, func(t *testing.T) {
			serve, seen := witness(t)
			l := newLab(t, set, serve)
			j := l.joining("/alice", nil)
			j.Upgrade = func() (*websocket.Conn, error) { return nil, net.ErrClosed }
			var failed *UpgradeError
			if err := l.hub.Join(t.Context(), j); !errors.As(err, &failed) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
			if got := <-seen; got.Code != websocket.CloseNormalClosure {
				t.Errorf("closed with %v", got)
			}
			l.forgets(t)
		})
	}
}
