package chat

import (
	"testing"
	"time"
)

// TestASlowCatIsGivenItsTime: once a slow answer has come, a silence as long is no sign of
// a lost one: no socket is opened again, nobody is told so, and the order is kept.
func TestASlowCatIsGivenItsTime(t *testing.T) {
	t.Parallel()
	for _, young := range []bool{true, false} {
		l, c := newCatLab(t, Options{Settings: shared})
		l.hub.times.silence = 100 * time.Millisecond
		if !young {
			l.hub.born = time.Now().Add(-time.Hour)
		}
		w := l.open(t, "/alice")
		ask(t, w, "sleep 1s first")
		for f := answer(t, w); f.Content != "sleep 1s first"; f = answer(t, w) {
			if f.Name != "Unanswered" {
				t.Errorf("%+v", f)
			}
		}
		speaks(t, c, w)
		before := c.everOpened("/alice")
		inTurn(t, l, c, w, "sleep 1s second")
		time.Sleep(500 * time.Millisecond) // five times as long as a quick Cat is given
		ask(t, w, "third")
		answered(t, w, "sleep 1s second")
		answered(t, w, "third")
		if n := c.everOpened("/alice"); n != before {
			t.Errorf("%d sockets at the Cat; want %d", n, before)
		}
		leave(w)
	}
}

// TestASlowCatOfSeparateSockets closes no client in the middle of a turn.
func TestASlowCatOfSeparateSockets(t *testing.T) {
	t.Parallel()
	l, _ := newCatLab(t, Options{Settings: Settings{Mode: Separate}})
	l.hub.times.silence = 200 * time.Millisecond
	w := l.open(t, "/alice")
	ask(t, w, "sleep 300ms first") // less than twice the silence
	answered(t, w, "sleep 300ms first")
	ask(t, w, "sleep 700ms second")
	answered(t, w, "sleep 700ms second")
	leave(w)
}
