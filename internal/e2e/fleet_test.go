package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// hearing is how often each text was answered, as one client heard it, and how many
// errors came.
type hearing struct {
	mu      sync.Mutex
	answers map[string]int
	errors  int
	closed  error
	turns   chan string // each end of a turn: the text, or "" for an error
}

// listen counts until the socket ends.
func listen(c *websocket.Conn) *hearing {
	l := &hearing{answers: map[string]int{}, turns: make(chan string, 10000)}
	_ = c.SetReadDeadline(time.Time{})
	go func() {
		for {
			var s said
			if err := c.ReadJSON(&s); err != nil {
				l.mu.Lock()
				l.closed = err
				l.mu.Unlock()
				close(l.turns)
				return
			}
			text := strings.TrimPrefix(s.Text, "You said: ")
			l.mu.Lock()
			switch s.Type {
			case "chat":
				l.answers[text]++
				l.turns <- text
			case "error":
				l.errors++
				l.turns <- ""
			}
			l.mu.Unlock()
		}
	}()
	return l
}

// TestFleetOwnerKilled: the Catflap that has a person's socket is killed while people
// talk through another. Their sockets stay open; each message is answered once or told
// of with one error.
func TestFleetOwnerKilled(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	c := startCouple(t, cat.tap.addr)
	expectTurn(t, mustChat(t, c.a, alice()), "the first is the owner", idOf("alice"))
	const clients, each = 3, 25
	var sockets []*websocket.Conn
	var heard []*hearing
	for range clients {
		s := mustChat(t, c.b, alice())
		sockets = append(sockets, s)
		heard = append(heard, listen(s))
	}
	if n := len(handshakes(cat.tap.take(), "alice")); n != 1 {
		t.Fatalf("%d sockets at the Cat for one person", n)
	}
	var all, underway sync.WaitGroup
	underway.Add(clients)
	outcomes := make([]int, clients)
	for i, s := range sockets {
		all.Go(func() {
			for n := range each {
				if n == 5 {
					underway.Done()
				}
				text := fmt.Sprintf("sleep 0.05 %d/%d", i, n)
				if err := s.WriteJSON(map[string]string{"text": text}); err != nil {
					t.Error(err)
				}
				for deadline := time.After(40 * time.Second); ; {
					var (
						got  string
						open bool
					)
					select {
					case got, open = <-heard[i].turns:
					case <-deadline:
						t.Errorf("nobody says what became of %q", text)
						return
					}
					if !open {
						t.Errorf("client %d is closed: %v", i, heard[i].closed)
						return
					}
					if got == text || got == "" {
						outcomes[i]++
						break
					}
				}
			}
		})
	}
	underway.Wait()
	began := time.Now()
	c.a.kill()
	all.Wait()
	t.Logf("%v from the kill to the last answer", time.Since(began))
	time.Sleep(300 * time.Millisecond) // for what would come twice
	answered, failed := map[string]int{}, 0
	for i, l := range heard {
		l.mu.Lock()
		if l.closed != nil {
			t.Errorf("client %d is closed: %v", i, l.closed)
		}
		failed += l.errors
		for text, n := range l.answers {
			if n > 1 {
				t.Errorf("client %d hears the answer to %q %d times", i, text, n)
			}
			if strings.HasPrefix(text, fmt.Sprintf("sleep 0.05 %d/", i)) {
				answered[text]++
			}
		}
		l.mu.Unlock()
		if outcomes[i] != each {
			t.Errorf("client %d: %d of %d messages have an outcome", i, outcomes[i], each)
		}
	}
	t.Logf("%d sent, %d answered, %d errors", clients*each, len(answered), failed)
	if len(answered)+failed != clients*each {
		t.Errorf("%d sent, but %d answered and %d errors", clients*each, len(answered), failed)
	}
	if failed == 0 || failed > clients {
		t.Errorf("%d errors for at most %d messages under way", failed, clients)
	}
	// One, and another behind the answer to a turn that the killed one had left running.
	if n := len(handshakes(cat.tap.take(), "alice")); n < 1 || n > 2 {
		t.Errorf("%d sockets opened anew at the Cat", n)
	}
}

// TestFleetOwnerStops: a clean stop is taken over at once, and closes nobody's socket
// elsewhere.
func TestFleetOwnerStops(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	c := startCouple(t, cat.tap.addr)
	expectTurn(t, mustChat(t, c.a, alice()), "the first is the owner", idOf("alice"))
	s := mustChat(t, c.b, alice())
	expectTurn(t, s, "by way of the other", idOf("alice"))
	c.a.finish()
	began := time.Now()
	expectTurn(t, s, "by its own socket", idOf("alice"))
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("taken over after %v", took)
	}
}
