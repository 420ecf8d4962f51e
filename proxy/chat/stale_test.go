package chat

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestAClientComesBackInMidTurn with a socket of its own: its handshake waits for the turn
// that it has left running, and it gets that answer and every later one.
func TestAClientComesBackInMidTurn(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*fakeCat, *websocket.Conn){
		"closed":           func(_ *fakeCat, w *websocket.Conn) { leave(w) },
		"cut":              func(_ *fakeCat, w *websocket.Conn) { _ = w.NetConn().Close() },
		"cut from the Cat": func(c *fakeCat, _ *websocket.Conn) { c.cut("/alice") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, c := newCatLab(t, Options{Settings: separate})
			w := l.open(t, "/alice")
			speaks(t, c, w)
			const text = "sleep 1s old"
			inTurn(t, l, c, w, text)
			end(c, w)
			l.eventually(t, "it has left", func() bool { return l.places("/alice") == 0 })
			w = l.open(t, "/alice")
			answered(t, w, text)
			speaks(t, c, w)
			leave(w)
		})
	}
}

// TestATurnLongerThanTheHandshake: the client is let in, and closed behind the answer when
// that comes after all. It comes back with a socket that speaks.
func TestATurnLongerThanTheHandshake(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: separate})
	l.hub.times.patience = 50 * time.Millisecond
	const old = "until old"
	w := l.open(t, "/alice")
	inTurn(t, l, c, w, old)
	leave(w)
	l.eventually(t, "it has left", func() bool { return l.places("/alice") == 0 })
	w = l.open(t, "/alice")
	speaks(t, c, w)
	c.free(old)
	answered(t, w, old)
	l.comesBack(t, c, w)
}

// comesBack asserts that the client is told to, and that the next socket speaks.
func (l *lab) comesBack(t *testing.T, c *fakeCat, w *websocket.Conn) {
	t.Helper()
	if code, reason := closedWith(t, w); code != closeStale.Code || reason != closeStale.Reason {
		t.Errorf("closed with %d %s", code, reason)
	}
	_ = w.Close()
	w = l.open(t, "/alice")
	speaks(t, c, w)
	leave(w)
}

// TestARestartBetweenOwnSockets: an answer that nobody has asked the new process for tells
// it of the turn.
func TestARestartBetweenOwnSockets(t *testing.T) {
	t.Parallel()
	first, c := newCatLab(t, Options{Settings: separate})
	const old = "until old"
	inTurn(t, first, c, first.open(t, "/alice"), old)
	first.stopAtOnce(t)
	l := first.another(t)
	w := l.open(t, "/alice")
	l.eventually(t, "the Cat is there", func() bool { return c.everOpened("/alice") == 2 && c.speaksTo("/alice") })
	c.free(old)
	answered(t, w, old)
	l.comesBack(t, c, w)
}

// TestAnotherOfTheSameIDCloses: the Cat forgets the socket that stays, and no frame tells.
func TestAnotherOfTheSameIDCloses(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: separate})
	l.hub.times.silence, l.hub.times.patience = 200*time.Millisecond, 100*time.Millisecond
	w := l.open(t, "/alice")
	leave(l.open(t, "/alice"))
	l.eventually(t, "the Cat has forgotten", func() bool { return !c.speaksTo("/alice") })
	ask(t, w, "lost")
	l.comesBack(t, c, w)
}

// TestAPluginThatSaysAnswers does not close a client's own socket again and again.
func TestAPluginThatSaysAnswers(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: separate})
	closed := 0
	for range 2 * maxStrangers {
		w := l.open(t, "/alice")
		l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
		_ = c.say("/alice", catFrame{Type: "chat", Content: "by the way"})
		answered(t, w, "by the way")
		_ = w.SetReadDeadline(time.Now().Add(4 * catSettleDelay))
		if _, _, err := w.ReadMessage(); websocket.IsCloseError(err, closeStale.Code) {
			closed++
		}
		leave(w)
		l.eventually(t, "it has left", func() bool { return l.places("/alice") == 0 })
	}
	if closed == 2*maxStrangers { // on a busy machine the place may be forgotten once, and the count begins again
		t.Errorf("closed each of %d times", closed)
	}
}
