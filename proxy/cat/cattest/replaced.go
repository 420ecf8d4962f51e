package cattest

import "testing"

// replacedInTurn: a connection that ends while its turn runs is over at the Cat only
// behind that turn. The answer goes to the user's next socket, which then falls silent.
func (s *suite) replacedInTurn(t *testing.T) {
	s.echoes(t)
	ways := map[string]func(socket){
		"cut":    func(w socket) { _ = w.NetConn().Close() },
		"closed": socket.bye,
	}
	for name, end := range ways {
		t.Run(name+" in its turn", func(t *testing.T) {
			user := s.name(name)
			old := s.socketFor(t, user)
			old.say(t, text("sleep 1"))
			settle()
			end(old)
			settle()
			next := s.socketFor(t, user)
			defer next.Close()
			next.until(t, "chat")
			settle()
			next.say(t, text("anybody?"))
			next.silent(t, quiet)
			settle()
			next.bye()
			settle()
			fresh := s.socketFor(t, user)
			defer fresh.bye()
			fresh.turn(t, text("hello again"))
		})
	}
	t.Run("what has come has its turn", func(t *testing.T) {
		user := s.name("queued")
		old := s.socketFor(t, user)
		old.say(t, text("sleep 1"))
		old.say(t, text("the second"))
		settle()
		_ = old.NetConn().Close()
		settle()
		next := s.socketFor(t, user)
		defer next.Close()
		next.until(t, "chat")
		next.until(t, "chat")
	})
}
