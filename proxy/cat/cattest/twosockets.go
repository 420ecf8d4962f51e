package cattest

import (
	"testing"
	"time"
)

// quiet is how long nothing must be heard.
const quiet = 400 * time.Millisecond

// twoSockets: the Cat has one entry for each user, and loses replies by it.
func (s *suite) twoSockets(t *testing.T) {
	t.Run("the newest takes the replies", func(t *testing.T) {
		user := s.name("newest")
		w1, w2 := s.socketFor(t, user), s.socketFor(t, user)
		defer w1.bye()
		defer w2.bye()
		w1.say(t, text("from one"))
		w2.until(t, "chat")
		w2.turn(t, text("from two"))
		w1.silent(t, quiet)
	})
	t.Run("closing the older silences the newer", func(t *testing.T) {
		user := s.name("older")
		w1, w2 := s.socketFor(t, user), s.socketFor(t, user)
		defer w2.Close()
		w1.bye()
		w2.say(t, text("anybody?"))
		w2.silent(t, quiet)
	})
	t.Run("closing the newer silences the older", func(t *testing.T) {
		user := s.name("newer")
		w1, w2 := s.socketFor(t, user), s.socketFor(t, user)
		defer w1.Close()
		w2.bye()
		w1.say(t, text("anybody?"))
		w1.silent(t, quiet)
	})
	t.Run("a silent turn still runs", func(t *testing.T) {
		user := s.name("silent")
		w1, w2 := s.socketFor(t, user), s.socketFor(t, user)
		w1.bye()
		w2.say(t, text("lost "+s.tag))
		w2.silent(t, quiet)
		w2.Close()
		settle()
		if h := s.history(t, s.as(user)); len(h) != 2 {
			t.Errorf("history %q", h)
		}
	})
	t.Run("a third one hears again", func(t *testing.T) {
		user := s.name("third")
		w1, w2 := s.socketFor(t, user), s.socketFor(t, user)
		w1.bye()
		defer w2.Close()
		w3 := s.socketFor(t, user)
		defer w3.Close()
		w3.turn(t, text("hello"))
	})
	t.Run("reopened after a while", func(t *testing.T) {
		user := s.name("reopen")
		for range 5 {
			w := s.socketFor(t, user)
			w.turn(t, text("hello"))
			w.bye()
		}
	})
	t.Run("other users are not touched", func(t *testing.T) {
		w1, w2 := s.socketFor(t, s.name("one")), s.socketFor(t, s.name("two"))
		defer w2.bye()
		w1.turn(t, text("hello"))
		w1.bye()
		w2.turn(t, text("hello"))
	})
}
