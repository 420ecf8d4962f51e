package chat

import (
	"errors"
	"testing"

	"github.com/gorilla/websocket"
)

func TestSeparateSocketsLiveSideBySide(t *testing.T) {
	set := separate
	set.MaxPerUser = 2
	l := newLab(t, set, echo)
	a, b := l.open(t, "/alice"), l.open(t, "/alice")
	for _, c := range []*websocket.Conn{a, b} {
		if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.dial(t.Context(), l.front, "/alice"); err == nil {
		t.Error("a third was opened")
	}
	l.eventually(t, "the third is refused", func() bool { return len(l.errs) == 1 && errors.Is(l.errs[0], ErrTooManySockets) })
}

func TestTheCatThatDoesNotOpen(t *testing.T) {
	l := newLab(t, separate, echo)
	l.cat.Close()
	if _, err := l.dial(t.Context(), l.front, "/alice"); err == nil {
		t.Fatal("upgraded without the Cat")
	}
	l.eventually(t, "the error", func() bool {
		var dial *DialError
		return len(l.errs) == 1 && errors.As(l.errs[0], &dial)
	})
}

func TestTheTotalIsBounded(t *testing.T) {
	set := separate
	set.MaxSockets = 2
	l := newLab(t, set, echo)
	l.open(t, "/a")
	b := l.open(t, "/b")
	if _, err := l.dial(t.Context(), l.front, "/c"); err == nil {
		t.Fatal("a third was opened")
	}
	_ = b.Close()
	l.eventually(t, "a place is free", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return len(l.hub.clients) == 1
	})
	l.open(t, "/c")
}
