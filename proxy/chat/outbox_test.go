package chat

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTheEndOfHopeIsTold: what still waits when the clients have waited for long enough
// is told to be undelivered, before they are closed.
func TestTheEndOfHopeIsTold(t *testing.T) {
	set := shared
	set.ReconnectFor = time.Second
	l, c := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
	l.refuses.Store(true)
	c.restart()
	l.eventually(t, "the Cat is gone", func() bool { return l.hub.Stats().CatLost == 1 })
	ask(t, w, "are you there?")
	if f := answer(t, w); f.Name != "NotDelivered" {
		t.Errorf("%+v", f)
	}
	if code, _ := closedWith(t, w); code != websocket.CloseTryAgainLater {
		t.Errorf("closed with %d", code)
	}
}

// TestAMessageWaitsForTheCat for as long as the settings say, and is delivered once.
func TestAMessageWaitsForTheCat(t *testing.T) {
	for within, want := range map[time.Duration]string{50 * time.Millisecond: "NotDelivered", time.Minute: ""} {
		set := shared
		set.ReconnectFor, set.DeliverWithin = 2*time.Minute, within
		l, c := newCatLab(t, Options{Settings: set})
		w := l.open(t, "/alice")
		l.eventually(t, "the Cat is there", func() bool { return c.speaksTo("/alice") })
		l.refuses.Store(true)
		c.restart()
		l.eventually(t, "the Cat is gone", func() bool { return l.hub.Stats().CatLost == 1 })
		ask(t, w, "good morning")
		if want != "" {
			if f := answer(t, w); f.Name != want {
				t.Errorf("%v: %+v", within, f)
			}
		}
		l.refuses.Store(false)
		if want == "" {
			if f := answer(t, w); f.Content != "good morning" || c.times("good morning") != 1 {
				t.Errorf("%v: %+v, heard %d times", within, f, c.times("good morning"))
			}
		}
	}
}

// TestTheDefaultOutlastsAStart: the Cat 1 takes up to half a minute to start, and is
// asked each 7.5 s by then.
func TestTheDefaultOutlastsAStart(t *testing.T) {
	most := defaultTimes().maxBackoff * 3 / 2
	if got := (&Settings{}).deliverWithin(); got < 30*time.Second+most {
		t.Errorf("a message waits for %v", got)
	}
}
