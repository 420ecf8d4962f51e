package fleet

import (
	"fmt"
	"sync"
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

// TestTheOwnerStopsWhileSomebodySpeaks: each message reaches the Cat once, whether the
// process that stops has passed it on or not, and each gets an answer or is told of.
func TestTheOwnerStopsWhileSomebodySpeaks(t *testing.T) {
	for round := range 3 {
		s, c := startRedis(t), newCat(t)
		a, b := s.flap(t, c, patient), s.flap(t, c, patient)
		a.open(t, "/alice")
		w := b.open(t, "/alice")
		ask(t, w, "first")
		answer(t, w)
		const many = 24
		var stopping sync.WaitGroup
		for i := range many {
			if i == many/2 {
				stopping.Go(a.stop)
			}
			ask(t, w, fmt.Sprint("message ", i))
			time.Sleep(time.Duration(round) * time.Millisecond)
		}
		told := 0
		for range many {
			if f := answer(t, w); f.Name != "" {
				told++
			}
		}
		heard := 0
		for i := range many {
			switch n := c.times(fmt.Sprint("message ", i)); n {
			case 0:
				t.Errorf("round %d: message %d never reached the Cat", round, i)
			case 1:
				heard++
			default:
				t.Errorf("round %d: message %d reached the Cat %d times", round, i, n)
			}
		}
		t.Logf("round %d: %d of %d were heard, %d were told of", round, heard, many, told)
		stopping.Wait()
	}
}
