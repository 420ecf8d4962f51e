package chat

import (
	"context"
	"errors"
	"io"
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
	l.eventually(t, "all sockets end", func() bool { return l.hub.Count() == 0 })
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

// TestOneSocketAtTheCat is the rule of the package: many windows of one person,
// all at once, however they end, and never two sockets at the Cat, nor one too soon.
func TestOneSocketAtTheCat(t *testing.T) {
	t.Parallel()
	l := newLab(t, settings, echo)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			for range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*200*time.Millisecond)
				defer cancel()
				c, err := l.dial(ctx, l.front, "/alice")
				if err != nil {
					continue // too many wait, or this one has left: that is said, not hidden
				}
				_ = c.WriteMessage(websocket.TextMessage, []byte("x"))
				_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
				_, _, _ = c.ReadMessage()
				if i%2 == 0 {
					closer(websocket.FormatCloseMessage(1000, ""))(c)
				}
				_ = c.Close()
			}
		})
	}
	wg.Wait()
	if n := l.turns(t); n < 8 {
		t.Errorf("only %d sockets", n)
	}
	l.eventually(t, "nothing is remembered", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return len(l.hub.sockets) == 0 && len(l.hub.people) == 0
	})
}

func TestAReloadOfThePageWaits(t *testing.T) {
	for name, mode := range map[string]Mode{"shared": Shared, "separate": Separate} {
		t.Run(name, func(t *testing.T) {
			set := settings
			set.Mode = mode
			l := newLab(t, set, echo)
			for range 5 {
				c := l.open(t, "/alice")
				closer(websocket.FormatCloseMessage(1001, ""))(c)
				_ = c.Close()
			}
			l.turns(t)
		})
	}
}

// TestNobodyIsForgottenTooEarly: what the first socket's end has set off must not
// lose sight of the second's.
func TestNobodyIsForgottenTooEarly(t *testing.T) {
	h := NewHub(Options{Settings: settings})
	j := Joining{User: &authhandlers.AuthUserInfo{ID: "/alice"}}
	first, _, _ := h.reserve(&j, nil)
	p := first.person
	h.release(first)
	second, _, _ := h.reserve(&j, nil)
	p.rest()
	h.release(second)
	h.forget(p) // as the first's timer may
	if h.people["/alice"] != p {
		t.Error("the next socket would not wait")
	}
	p.mu.Lock()
	p.ended = time.Now().Add(-settle)
	p.mu.Unlock()
	h.forget(p)
	if len(h.people) != 0 {
		t.Error("never forgotten")
	}
}

func TestASecondSocketTakesOver(t *testing.T) {
	l := newLab(t, settings, echo)
	first := l.open(t, "/alice")
	other := l.open(t, "/bob")
	ended := make(chan Closing, 1)
	go func() {
		code, reason := closedWith(t, first)
		ended <- Closing{code, reason}
	}()
	second := l.open(t, "/alice")
	if c := <-ended; c != closeTakenOver {
		t.Errorf("the first was closed with %v", c)
	}
	for _, c := range []*websocket.Conn{second, other} {
		if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := c.ReadMessage(); err != nil || string(p) != "x" {
			t.Errorf("%q %v", p, err)
		}
	}
}

// TestTheCatsConnectionEndsFirst has a Cat that answers the close at once, and
// closes the connection later: only that is the end.
func TestTheCatsConnectionEndsFirst(t *testing.T) {
	const late = 300 * time.Millisecond
	l := newLab(t, settings, func(c *websocket.Conn) {
		echo(c)
		time.Sleep(late)
	})
	l.open(t, "/alice")
	start := time.Now()
	l.open(t, "/alice")
	if took := time.Since(start); took < late+settle {
		t.Errorf("after %v", took)
	}
}

// TestAChangeToSharedLeavesOne: a reload finds several sockets of a person, and the
// next takes over from all.
func TestAChangeToSharedLeavesOne(t *testing.T) {
	set := settings
	set.Mode = Separate
	l := newLab(t, set, echo)
	a, b := l.open(t, "/alice"), l.open(t, "/alice")
	l.hub.Reconfigure(settings)
	c := l.open(t, "/alice")
	for _, before := range []*websocket.Conn{a, b} {
		if code, _ := closedWith(t, before); code != CodeTakenOver {
			t.Errorf("closed with %d", code)
		}
	}
	if err := c.WriteMessage(websocket.TextMessage, nil); err != nil {
		t.Error(err)
	}
}

// TestAClientThatLeavesTheQueue gives its place back, takes nothing over, and holds
// up nobody.
func TestAClientThatLeavesTheQueue(t *testing.T) {
	holding, release := make(chan struct{}), make(chan struct{})
	l := newLab(t, settings, echo)
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

func TestAClientThatHasLeftTakesNothingOver(t *testing.T) {
	p := newPerson("/alice")
	open := &socket{person: p, over: make(chan struct{})}
	p.joined(open)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // the turn is free, and which is seen first is chance
		if err := p.takeTurn(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
	}
	if open.isEnding() || len(p.turn) != 0 {
		t.Error("it did")
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	l := newLab(t, settings, echo)
	release := make(chan struct{})
	results := make(chan error, queue+1)
	ctx, cancel := context.WithCancel(t.Context())
	for range queue + 1 {
		go func() {
			results <- l.hub.Join(ctx, l.joining("/alice", func() (*websocket.Conn, error) {
				<-release
				return nil, io.EOF
			}))
		}()
	}
	if err := <-results; !errors.Is(err, ErrTooManySockets) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	close(release)
	for range queue {
		<-results
	}
}

// TestAFailedHandshakeLeavesTheCatProperly: the Cat's socket is open when the
// client turns out to be gone.
func TestAFailedHandshakeLeavesTheCatProperly(t *testing.T) {
	serve, seen := witness(t)
	l := newLab(t, settings, serve)
	j := l.joining("/alice", nil)
	j.Upgrade = func() (*websocket.Conn, error) { return nil, net.ErrClosed }
	var failed *UpgradeError
	if err := l.hub.Join(t.Context(), j); !errors.As(err, &failed) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	if got := <-seen; got.Code != websocket.CloseNormalClosure {
		t.Errorf("closed with %v", got)
	}
	if l.places("/alice") != 0 {
		t.Error("the place is not free")
	}
}
