package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// outcome reads until this text is answered, or told of as lost, and returns how.
func outcome(t *testing.T, c *websocket.Conn, text string) string {
	t.Helper()
	for {
		s, err := hear(c)
		switch {
		case err != nil:
			t.Fatalf("nothing tells what became of %q: %v", text, err)
		case s.Type == "chat" && strings.HasSuffix(s.Text, text):
			return "answered"
		case s.Type == "error":
			return s.Name
		}
	}
}

// speaks asserts that messages are answered again. A client that is told to connect again
// does so. It returns the socket that is left.
func speaks(t *testing.T, again func() *websocket.Conn, c *websocket.Conn, text string) *websocket.Conn {
	t.Helper()
	for i := range 4 {
		text := fmt.Sprintf("%s, message %d", text, i)
		began := time.Now()
		if err := c.WriteJSON(map[string]string{"text": text}); err != nil {
			t.Fatal(err)
		}
		how := ""
		for how != "answered" {
			s, err := hear(c)
			var closed *websocket.CloseError
			switch {
			case asClose(err, &closed) && closed.Code == websocket.CloseServiceRestart && i < 2:
				c = again()
				how = "answered" // it was told of
			case err != nil:
				t.Fatalf("%q: %v", text, err)
			case s.Type == "chat" && strings.HasSuffix(s.Text, text), s.Type == "error" && i == 0:
				how = "answered"
			}
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%q: after %v", text, took)
		}
	}
	return c
}

// TestInterruptedTurns: Catflap's own socket at the Cat is replaced while a turn runs, and
// the person speaks again, behind the interrupted answer or before it.
func TestInterruptedTurns(t *testing.T) {
	t.Parallel()
	restart := func(by syscall.Signal) func(*flap, *catBehindTap) {
		return func(f *flap, _ *catBehindTap) {
			if by == syscall.SIGKILL {
				f.kill()
			} else {
				f.signal(by)
				if _, err := f.wait(30 * time.Second); err != nil {
					f.t.Fatal(err)
				}
			}
			f.again()
		}
	}
	ways := map[string]func(*flap, *catBehindTap){
		"killed":  restart(syscall.SIGKILL),
		"stopped": restart(syscall.SIGTERM),
		"cut":     func(_ *flap, cat *catBehindTap) { cat.DropSockets(idOf("alice")) },
	}
	for _, session := range []string{"shared", "separate"} {
		for name, replace := range ways {
			for _, early := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %s, early %v", session, name, early), func(t *testing.T) {
					t.Parallel()
					cat := startCat(t)
					f := start(t, config{cat: cat.tap.addr, websocket: "session: " + session})
					c := mustChat(t, f, alice())
					expectTurn(t, c, "hello", idOf("alice"))
					const old = "sleep 7"
					if err := c.WriteJSON(map[string]string{"text": old}); err != nil {
						t.Fatal(err)
					}
					began := time.Now()
					time.Sleep(200 * time.Millisecond) // for the Cat to have it
					replace(f, cat)
					again := func() *websocket.Conn { return mustChat(t, f, alice()) }
					if session == "separate" || name != "cut" {
						c = again()
					}
					if !early {
						how := outcome(t, c, old)
						for how == "Interrupted" {
							how = outcome(t, c, old)
						}
						if how != "answered" {
							t.Errorf("the interrupted message: %s", how)
						}
					}
					c = speaks(t, again, c, "afterwards")
					if early {
						time.Sleep(time.Until(began.Add(8 * time.Second))) // the old turn ends meanwhile
						speaks(t, again, c, "behind it")
					}
				})
			}
		}
	}
}

// TestATakeoverInMidTurn: the Catflap that has the person's socket stops or is killed in
// mid-turn, and the person comes to the other, or was there.
func TestATakeoverInMidTurn(t *testing.T) {
	t.Parallel()
	for _, by := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, there := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v and there before %v", by, there), func(t *testing.T) {
				t.Parallel()
				cat := startCat(t)
				couple := startCouple(t, cat.tap.addr)
				c := mustChat(t, couple.a, alice())
				expectTurn(t, c, "hello", idOf("alice"))
				again := func() *websocket.Conn { return mustChat(t, couple.b, alice()) }
				var next *websocket.Conn
				if there {
					next = again()
				}
				if err := c.WriteJSON(map[string]string{"text": "sleep 8"}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(200 * time.Millisecond) // for the Cat to have it
				if by == syscall.SIGKILL {
					couple.a.kill()
				} else {
					couple.a.signal(by)
				}
				if !there {
					next = again()
				}
				began := time.Now()
				next = speaks(t, again, next, "at the other")
				time.Sleep(time.Until(began.Add(9 * time.Second))) // the old turn ends meanwhile
				speaks(t, again, next, "later")
			})
		}
	}
}
