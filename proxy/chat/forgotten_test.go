package chat

import (
	"testing"
	"time"
)

// TestForgottenBehindATurn: that the turn of a socket which was replaced has come to its
// end says nothing of what another program does. Whoever's answer is lost is told, in a
// young process also without asking again.
func TestForgottenBehindATurn(t *testing.T) {
	t.Parallel()
	l, c := newCatLab(t, Options{Settings: shared})
	l.hub.times.silence = time.Second
	w := l.open(t, "/alice")
	inTurn(t, l, c, w, "until cut")
	c.cut("/alice")
	if f := answer(t, w); f.Name != "Interrupted" {
		t.Errorf("%+v", f)
	}
	l.eventually(t, "another socket is opened", func() bool { return c.everOpened("/alice") == 2 && c.speaksTo("/alice") })
	c.free("until cut")
	answered(t, w, "until cut")
	l.eventually(t, "one that speaks is opened", func() bool { return c.everOpened("/alice") == 3 && c.speaksTo("/alice") })
	speaks(t, c, w)
	other, err := l.dialCat(t.Context(), "/alice")
	if err != nil {
		t.Fatal(err)
	}
	leave(other)
	l.eventually(t, "the Cat has forgotten", func() bool { return !c.speaksTo("/alice") })
	ask(t, w, "lost")
	if f := answer(t, w); f.Name != "Unanswered" {
		t.Errorf("%+v", f)
	}
	speaks(t, c, w)
	leave(w)
}
