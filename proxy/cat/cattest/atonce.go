package cattest

import (
	"testing"
	"time"
)

// atOnce: people run side by side. The Cat's built-in vector store does not bear that:
// after a few such turns it can fail everybody's, until the Cat is started again. So
// this is asked last, and such a Cat is of no use for a second run.
func (s *suite) atOnce(t *testing.T) {
	s.echoes(t)
	began := time.Now()
	var all []socket
	for _, name := range []string{"p1", "p2", "p3", "p4"} {
		w := s.socketFor(t, s.name(name))
		defer w.bye()
		w.say(t, text("sleep 0.5"))
		all = append(all, w)
	}
	for _, w := range all {
		w.until(t, "chat")
	}
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("took %v", took)
	}
}
