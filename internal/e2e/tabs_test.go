package e2e

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestTabs: the Cat speaks to one socket of a person and forgets the others. Here
// no window of a person's is ever silent: each hears what the others hear.
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
			expectHeard(t, first, "You said: from the second window")
			expectTurn(t, first, "from the first window", idOf("alice"))
			expectHeard(t, second, "You said: from the first window")
			// A page that is loaded again and again closes and opens a socket at once:
			// the real Cat is then silent to every fourth.
			for range 10 {
				c := mustChat(t, f, alice())
				expectTurn(t, c, "a fresh page", idOf("alice"))
				_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
				_ = c.Close()
				expectHeard(t, first, "You said: a fresh page")
			}
			if n := len(handshakes(cat.tap.take(), "alice")); n != 1 {
				t.Errorf("%d sockets at the Cat for one person", n)
			}
		})
	}
}

// TestReloadedPage: the answer comes while the page is loaded again, and is heard by
// the page that comes back.
func TestReloadedPage(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	for range 3 {
		c := mustChat(t, f, alice())
		if err := c.WriteJSON(map[string]string{"text": "sleep 0.3"}); err != nil {
			t.Fatal(err)
		}
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
		_, _, _ = c.ReadMessage()
		_ = c.Close()
		expectHeard(t, mustChat(t, f, alice()), "You said: sleep 0.3")
	}
}

// expectHeard waits for an answer that was asked for elsewhere.
func expectHeard(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	for {
		s, err := hear(c)
		if err != nil {
			t.Fatalf("a window is left with %v instead of %q", err, text)
		}
		if s.Type != "chat" && s.Type != "error" {
			continue
		}
		if s.Text != text {
			t.Errorf("a window hears %+v instead of %q", s, text)
		}
		return
	}
}
