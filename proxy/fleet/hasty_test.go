package fleet

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/chat"
)

// TestHastyReloads: many people, each with one tab, load their page anew before the
// answer has come, at whichever process it happens to be. The page before hears it, or
// the next. Where the machine is so busy that a process takes itself or another for
// gone, it may be told instead that the answer is lost.
func TestHastyReloads(t *testing.T) {
	s, c := startRedis(t), newCat(t)
	s.times = defaultTimes() // nobody dies here
	flaps := []*flap{s.flap(t, c, patient), s.flap(t, c, patient)}
	var all sync.WaitGroup
	for who := range 60 {
		all.Go(func() {
			user := fmt.Sprintf("/%d", who)
			reloads(t, flaps, flaps[who%2].open(t, user), user, 25, false)
		})
	}
	all.Wait()
}

// patient keeps what nobody has heard for longer than a process needs to find another on
// a busy machine.
func patient(set *chat.Settings) { set.Linger = 20 * time.Second }

// TestHastyReloadsAroundACrash: the process that has everybody's socket dies meanwhile.
// Whoever says something after that is answered, or somebody is told that it may be lost.
func TestHastyReloadsAroundACrash(t *testing.T) {
	s, c := startRedis(t), newCat(t)
	owner, others := s.flap(t, c, patient), []*flap{s.flap(t, c, patient), s.flap(t, c, patient)}
	var all sync.WaitGroup
	dead := make(chan struct{})
	for who := range 40 {
		user := fmt.Sprintf("/%d", who)
		first := owner.open(t, user)
		w := others[who%2].open(t, user)
		_ = first.Close()
		all.Go(func() {
			<-dead
			reloads(t, others, w, user, 10, true)
		})
	}
	owner.crash()
	close(dead)
	all.Wait()
}

// TestHastyReloadsAroundAGuestsCrash: a process dies that has clients of everybody's, and
// not the sockets. Until that is noticed it is given what it will never pass on.
func TestHastyReloadsAroundAGuestsCrash(t *testing.T) {
	s, c := startRedis(t), newCat(t)
	owner, other := s.flap(t, c, patient), s.flap(t, c, patient)
	var all sync.WaitGroup
	dead := make(chan struct{})
	for who := range 40 {
		user := fmt.Sprintf("/%d", who)
		w := owner.open(t, user)
		other.open(t, user)
		all.Go(func() {
			<-dead
			reloads(t, []*flap{owner}, w, user, 10, true)
		})
	}
	other.crash()
	close(dead)
	all.Wait()
}

// TestAReloadedPageAndACrash: the page that has asked is loaded anew, elsewhere or not,
// and then the process dies that waits for the answer. The new page is told.
func TestAReloadedPageAndACrash(t *testing.T) {
	for name, at := range map[string]int{"asked where the socket is": 0, "asked elsewhere": 1} {
		t.Run(name, func(t *testing.T) {
			s, c := startRedis(t), newCat(t)
			flaps := []*flap{s.flap(t, c, nil), s.flap(t, c, nil), s.flap(t, c, nil)}
			first := flaps[0].open(t, "/alice")
			w := flaps[at].open(t, "/alice")
			_ = first.Close()
			ask(t, w, "sleep 4s")
			eventually(t, "it is at the Cat", func() bool { return c.times("sleep 4s") == 1 })
			_ = w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
			_ = w.Close()
			next := flaps[2].open(t, "/alice")
			flaps[0].crash()
			if f := answer(t, next); f.Type != "error" || f.Name != "Interrupted" {
				t.Errorf("%+v", f)
			}
			ask(t, next, "and now")
			answersTo(t, next, "and now")
		})
	}
}

// TestAnAnswerToAnotherAndACrash: a tab elsewhere that waits for the answer to what another
// has said is told, too, when the process dies; and not of one that it has heard.
func TestAnAnswerToAnotherAndACrash(t *testing.T) {
	_, c, a, b := pair(t, nil)
	w, elsewhere := a.open(t, "/alice"), b.open(t, "/alice")
	ask(t, w, "first")
	if f := answer(t, elsewhere); f.Content != "first" {
		t.Fatalf("%+v", f)
	}
	ask(t, w, "sleep 4s")
	eventually(t, "it is at the Cat", func() bool { return c.times("sleep 4s") == 1 })
	a.crash()
	if f := answer(t, elsewhere); f.Type != "error" || f.Name != "Interrupted" {
		t.Errorf("%+v", f)
	}
	ask(t, elsewhere, "and now")
	answersTo(t, elsewhere, "and now")
}

// answersTo reads to an answer; the one that was interrupted may come before it, or behind it.
func answersTo(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	f := answer(t, c)
	if f.Content == "sleep 4s" {
		f = answer(t, c)
	}
	if f.Content != text {
		t.Errorf("%+v", f)
	}
}

// reloads says one thing after another, and loads the page anew before each answer. With
// told it is enough to be told that a message may be lost.
func reloads(t *testing.T, flaps []*flap, w *websocket.Conn, user string, times int, told bool) {
	var all sync.WaitGroup
	defer all.Wait()
	heard := make(chan frame, 1000)
	w = listening(w, &all, heard)
	for i := range times {
		text := fmt.Sprint(i)
		if i%3 == 0 {
			text = fmt.Sprintf("sleep 5ms %d", i)
		}
		ask(t, w, text)
		_ = w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(5*time.Second))
		at := rand.IntN(len(flaps))
		w = listening(flaps[at].again(t, user), &all, heard)
		other, ok := comes(heard, text, func() bool { return told || slices.ContainsFunc(flaps, (*flap).hasWarned) })
		if !ok {
			t.Errorf("%s: after reload %d, at %d, nothing is heard but %v", user, i, at, other)
		}
	}
	_ = w.Close()
}

// listening has what a tab hears told until it ends.
func listening(c *websocket.Conn, all *sync.WaitGroup, heard chan<- frame) *websocket.Conn {
	all.Go(func() {
		defer c.Close()
		for {
			_, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			var f frame
			if json.Unmarshal(p, &f) == nil && f.Type != "chat_token" {
				heard <- f
			}
		}
	})
	return c
}

// tooBusy is how long nothing comes only where the machine is too busy to be in time.
const tooBusy = 3 * time.Second

// comes waits for an answer, or for word that it may be lost, and returns what else came.
func comes(heard <-chan frame, text string, told func() bool) (other []frame, ok bool) {
	began, limit := time.Now(), time.After(30*time.Second)
	for {
		select {
		case f := <-heard:
			if f.Content == text || f.Type == "error" && (told() || time.Since(began) > tooBusy) {
				return nil, true
			}
			other = append(other, f)
		case <-limit:
			return other, false
		}
	}
}
