package chat

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// cut ends a user's connections without a close.
func (c *fakeCat) cut(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, u := range c.live {
		if u == user {
			_ = conn.NetConn().Close()
		}
	}
}

// inTurn asks, and waits until the Cat is at it.
func inTurn(t *testing.T, l *lab, c *fakeCat, w *websocket.Conn, text string) {
	t.Helper()
	ask(t, w, text)
	l.eventually(t, "it is in progress", func() bool { return c.times(text) == 1 })
}

// answered reads until this text is answered, and fails if anything else is.
func answered(t *testing.T, w *websocket.Conn, text string) {
	t.Helper()
	if f := answer(t, w); f.Type != "chat" || f.Content != text {
		t.Errorf("%q is answered with %+v", text, f)
	}
}

// speaks asserts that messages are answered from now on, each once and in their order.
func speaks(t *testing.T, c *fakeCat, w *websocket.Conn) {
	t.Helper()
	for i := range 3 {
		text := fmt.Sprint("hello ", i, time.Now().UnixNano())
		ask(t, w, text)
		answered(t, w, text)
		if n := c.times(text); n != 1 {
			t.Errorf("%q was heard %d times", text, n)
		}
	}
}

// TestASocketCutInMidTurn: the interrupted answer comes, and after it the person is
// heard, whether they speak before it or behind it.
func TestASocketCutInMidTurn(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		l, c := newCatLab(t, Options{Settings: shared})
		w := l.open(t, "/alice")
		for i := range 3 {
			text := fmt.Sprint("sleep 600ms ", i)
			inTurn(t, l, c, w, text)
			ask(t, w, fmt.Sprint("queued ", i))
			time.Sleep(20 * time.Millisecond) // for the Cat to have it
			c.cut("/alice")
			for range 2 {
				if f := answer(t, w); f.Name != "Interrupted" {
					t.Errorf("%+v", f)
				}
			}
			next := fmt.Sprint("next ", i)
			if early {
				ask(t, w, next)
			}
			answered(t, w, text)
			answered(t, w, fmt.Sprint("queued ", i))
			if !early {
				ask(t, w, next)
			}
			answered(t, w, next)
		}
		speaks(t, c, w)
		leave(w)
	}
}

// TestTwoPingsUnanswered by a Cat that is blocked, in mid-turn and without a turn.
func TestTwoPingsUnanswered(t *testing.T) {
	t.Parallel()
	for _, turn := range []bool{true, false} {
		l, c := newCatLab(t, Options{Settings: shared})
		w := l.open(t, "/alice")
		set := shared
		set.Ping = 150 * time.Millisecond
		l.hub.Reconfigure(set)
		c.cut("/alice")
		l.eventually(t, "the Cat is back", func() bool { return c.everOpened("/alice") >= 2 })
		speaks(t, c, w)
		if turn {
			inTurn(t, l, c, w, "sleep 1s blocked")
		}
		c.loop.Lock()
		l.eventually(t, "it is given up", func() bool { return l.hub.counts.lost.Load() == 1 })
		c.loop.Unlock()
		if turn {
			if f := answer(t, w); f.Name != "Interrupted" {
				t.Errorf("%+v", f)
			}
			answered(t, w, "sleep 1s blocked")
		}
		ask(t, w, "after it")
		answered(t, w, "after it")
		ask(t, w, "and again")
		answered(t, w, "and again")
	}
}

// another is a second hub before the lab's Cat, as a process that takes its place.
func (l *lab) another(t *testing.T) *lab {
	t.Helper()
	next, _ := newCatLab(t, Options{Settings: l.hub.o.Settings})
	next.catAddr = l.cat.Listener.Addr().String()
	return next
}

// stopAtOnce ends the hub as a process ends that is told to, or is killed.
func (l *lab) stopAtOnce(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = l.hub.Shutdown(ctx)
}

// TestARestartInMidTurn: the new process knows nothing of the turn. An answer that
// nobody there has asked for tells it, also while it waits for another.
func TestARestartInMidTurn(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"behind the answer", "before the answer", "long before the answer", "at its end"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			first, c := newCatLab(t, Options{Settings: shared})
			const old, slow = "until old", "until slow"
			inTurn(t, first, c, first.open(t, "/alice"), old)
			first.stopAtOnce(t)
			l := first.another(t)
			w := l.open(t, "/alice")
			switch when {
			case "behind the answer":
				l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
				c.free(old)
				answered(t, w, old)
			case "before the answer":
				inTurn(t, l, c, w, slow)
				c.free(old)
				answered(t, w, old)
				l.eventually(t, "another socket is opened", func() bool { return c.everOpened("/alice") == 3 && c.speaksTo("/alice") })
				c.free(slow)
				answered(t, w, slow)
			case "long before the answer":
				speaks(t, c, w)
				c.free(old)
				answered(t, w, old)
			case "at its end":
				inTurn(t, l, c, w, slow)
				c.free(old)
				answered(t, w, old)
				c.free(slow)
				if f := answer(t, w); f.Content != slow && f.Name != "Unanswered" {
					t.Errorf("%+v", f)
				}
			}
			ask(t, w, "new")
			answered(t, w, "new")
			speaks(t, c, w)
			leave(w)
		})
	}
}

// TestASilentSocketIsReplaced: another program with the same id has closed its socket,
// and nothing tells of that. Whoever asks again is heard, and what was lost is told.
func TestASilentSocketIsReplaced(t *testing.T) {
	t.Parallel()
	for _, young := range []bool{true, false} {
		l, c := newCatLab(t, Options{Settings: shared})
		l.hub.times.silence = 200 * time.Millisecond
		if !young {
			l.hub.born = time.Now().Add(-time.Hour)
		}
		w := l.open(t, "/alice")
		speaks(t, c, w)
		other, err := l.dialCat(t.Context(), "/alice")
		if err != nil {
			t.Fatal(err)
		}
		leave(other)
		l.eventually(t, "the Cat has forgotten", func() bool { return !c.speaksTo("/alice") })
		ask(t, w, "lost")
		if !young {
			time.Sleep(2*l.hub.times.silence + 10*time.Millisecond)
			ask(t, w, "again")
		}
		if f := answer(t, w); f.Name != "Unanswered" {
			t.Errorf("%+v", f)
		}
		if !young {
			answered(t, w, "again")
		}
		speaks(t, c, w)
		leave(w)
	}
}

// TestUnaskedAnswersAreBorneWith: a plugin that says things by itself, even as answers,
// makes no endless coming and going, and what is asked between them is answered.
func TestUnaskedAnswersAreBorneWith(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: shared})
	w := l.open(t, "/alice")
	speaks(t, c, w)
	for range 3 * maxStrangers {
		_ = c.say("/alice", catFrame{Type: "chat", Content: "by the way"})
		time.Sleep(catSettleDelay / 2)
	}
	time.Sleep(2 * catSettleDelay)
	ask(t, w, "mine")
	for f := answer(t, w); f.Content != "mine"; f = answer(t, w) {
		if f.Content != "by the way" {
			t.Fatalf("%+v", f)
		}
	}
	if n := c.everOpened("/alice"); n > 1+maxStrangers {
		t.Errorf("%d sockets at the Cat", n)
	}
	leave(w)
}

// TestAMessageThatNeverArrived: its answer is not waited for without end.
func TestAMessageThatNeverArrived(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: shared})
	l.hub.times.patience = 300 * time.Millisecond
	w := l.open(t, "/alice")
	inTurn(t, l, c, w, "sleep 2s long")
	c.cut("/alice")
	if f := answer(t, w); f.Name != "Interrupted" {
		t.Errorf("%+v", f)
	}
	ask(t, w, "meanwhile")
	answered(t, w, "meanwhile")
	answered(t, w, "sleep 2s long")
	speaks(t, c, w)
	leave(w)
}

// TestAWireThatEndsInMidTurn leaves its turn to the person's next one.
func TestAWireThatEndsInMidTurn(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: shared})
	l.hub.born = time.Now().Add(-time.Hour)
	w := l.open(t, "/alice")
	inTurn(t, l, c, w, "sleep 1s old")
	for _, line := range l.hub.places["/alice"].upstreams() {
		line.end(closeChanged)
	}
	_, _ = closedWith(t, w)
	w = l.open(t, "/alice")
	ask(t, w, "new")
	for _, text := range []string{"sleep 1s old", "new"} {
		f := answer(t, w)
		if f.Name == "Interrupted" { // unless the subscriber that has closed was told
			f = answer(t, w)
		}
		if f.Content != text {
			t.Errorf("%+v", f)
		}
	}
	speaks(t, c, w)
	leave(w)
}

// TestAnothersTurnUnderTheSameID: where two issuers' people have one id at the Cat, the
// answer to a turn that the first left running is told to the second in no way.
func TestAnothersTurnUnderTheSameID(t *testing.T) {
	t.Parallel()
	for _, mode := range []Settings{shared, separate} {
		l, c := newCatLab(t, Options{Settings: mode})
		first := l.open(t, "/alice")
		inTurn(t, l, c, first, "sleep 600ms secret")
		_ = first.Close()
		if mode.Mode == Separate {
			l.eventually(t, "the first has left", func() bool { return l.hub.Stats().Clients == 0 })
		}
		second := l.open(t, "/alice?issuer=another")
		ask(t, second, "mine")
		answered(t, second, "mine")
		speaks(t, c, second)
	}
}
