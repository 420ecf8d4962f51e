package fleet

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestAnAnswerThatWaitedGoesAlong: nobody was there to hear it, and the process that has
// it loses the person to another, where a client waits.
func TestAnAnswerThatWaitedGoesAlong(t *testing.T) {
	s, c := startRedis(t), newCat(t)
	a, b := s.flap(t, c, patient), s.flap(t, c, patient)
	w := a.open(t, "/alice")
	ask(t, w, "sleep 300ms kept")
	eventually(t, "it is at the Cat", func() bool { return c.times("sleep 300ms kept") == 1 })
	_ = w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
	_ = w.Close()
	time.Sleep(600 * time.Millisecond) // it is answered, to nobody
	a.fleet.lose()
	next := b.again(t, "/alice")
	if f := answer(t, next); f.Content != "sleep 300ms kept" {
		t.Errorf("%+v", f)
	}
}
