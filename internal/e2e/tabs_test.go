package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTabs: the Cat speaks to one socket of a person and forgets the others. Here
// no window of a person's is ever silent: it is answered, or told that it is over.
func TestTabs(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"shared", "separate"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cat := startCat(t)
			f := start(t, config{cat: cat.tap.addr, websocket: "session: " + mode + "\nlinger: 1s"})
			if mode == "separate" {
				// One socket at the Cat for each one here: the Cat's own faults are met, so
				// that only one window is looked at.
				expectTurn(t, mustChat(t, f, alice()), "alone", idOf("alice"))
				return
			}
			first, second := mustChat(t, f, alice()), mustChat(t, f, alice())
			expectTurn(t, second, "from the second window", idOf("alice"))
			if stillAnswered(t, first, "from the first window") {
				expectTurn(t, second, "and from the second again", idOf("alice"))
			}
			// A page that is loaded again and again closes and opens a socket at once:
			// the real Cat is then silent to every fourth.
			for range 10 {
				c := mustChat(t, f, alice())
				expectTurn(t, c, "a fresh page", idOf("alice"))
				_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
				_ = c.Close()
			}
		})
	}
}

// stillAnswered says a text and reports whether an answer came; if not, the socket
// must have been closed with a code and a reason.
func stillAnswered(t *testing.T, c *websocket.Conn, text string) bool {
	t.Helper()
	for range 3 { // what was said in another window may be heard here first
		s, err := turn(c, text)
		var closed *websocket.CloseError
		switch {
		case asClose(err, &closed) && closed.Code >= 4000 && closed.Text != "":
			return false
		case err != nil:
			t.Errorf("a window was left with %v", err)
			return false
		case strings.HasSuffix(s.Text, text):
			return true
		}
	}
	t.Error("a window hears everything but its own answer")
	return false
}
