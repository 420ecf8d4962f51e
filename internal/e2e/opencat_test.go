package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestOpenCat: a Cat with any door open is not served until it is closed, and
// then without anybody's doing.
func TestOpenCat(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		open standin.Options
	}{
		{"no keys", standin.Options{JWTSecret: "no default"}},
		{"no key for HTTP", standin.Options{APIKeyWS: catKeyWS, JWTSecret: "no default"}},
		{"no key for WebSocket", standin.Options{APIKey: catKey, JWTSecret: "no default"}},
		{"default secret", standin.Options{APIKey: catKey, APIKeyWS: catKeyWS}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			addr := freeAddress(t)
			open := serveCat(t, addr, row.open)
			f := launch(t, config{cat: open.tap.addr})
			var reason string
			f.await("unready because of the Cat", func() bool {
				var status int
				status, reason = f.readiness()
				return status == http.StatusServiceUnavailable && strings.Contains(reason, "open")
			})
			open.tap.take()
			exchange(t, f.addr, "POST", message(f.addr, alice())).refusal(t, 503)
			if c, status := openChat(t, f, "/ws", alice()); c != nil || status != 503 {
				t.Errorf("handshake was answered %d", status)
			}
			exchange(t, f.addr, "GET", request("GET /", f.addr, "", "")).refusal(t, 503, 401)
			none(t, open.tap.take())
			if !strings.Contains(f.log.String(), "open") {
				t.Error("the log does not say why")
			}

			open.stop()
			closed := listenAs(t, addr, standin.Options{APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: "no default"})
			t.Cleanup(func() { _ = closed.Close() })
			f.await("ready", func() bool { return f.ready() == http.StatusOK })
			open.tap.take()
			if got := asked(t, f, alice()); got != 200 {
				t.Errorf("with the Cat closed, status %d", got)
			}
			exactlyOne(t, open.tap.take(), idOf("alice"))
		})
	}
}

// TestCatRestarts: while the Cat is down one is told so at once, and when it is
// back nothing else is needed.
func TestCatRestarts(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, websocket: "linger: 1s"})
	c := mustChat(t, f, alice())
	expectTurn(t, c, "before", idOf("alice"))

	cat.tap.shut()
	began := time.Now()
	exchange(t, f.addr, "POST", message(f.addr, alice())).refusal(t, 502, 503, 504)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the refusal took %s", took)
	}
	if s, err := turn(c, "into the void"); err == nil && s.Type != "error" {
		t.Errorf("a turn was answered by a Cat that is down: %+v", s)
	}
	if got := exchange(t, f.addr, "POST", message(f.addr, "")).status; got != 401 {
		t.Errorf("without a credential, status %d", got)
	}

	cat.tap.open()
	f.await("serving again", func() bool { return asked(t, f, alice()) == 200 })
	expectTurn(t, mustChat(t, f, bob()), "after", idOf("bob")) // alice gets what she said before
}

// TestStaleConnections: the Cat closes a connection that has been idle for five
// seconds, and after each 500 without saying so. No client must notice.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	l := dial(t, f.addr)
	ask := func(i, want int, body string) {
		t.Helper()
		l.send(request("POST /message", f.addr, alice(), body))
		if a, err := l.receive("POST"); err != nil || a.status != want {
			t.Fatalf("request %d was answered %d (%v), want %d: %s", i, a.status, err, want, a.body)
		}
	}
	for i := range 60 {
		if i%3 == 2 {
			ask(i, 500, `{"text":{}}`)
			continue
		}
		ask(i, 200, `{"text":"hello"}`)
	}
	// On both sides of the Cat's own limit, which is real time of another program.
	for i, idle := range []time.Duration{4900 * time.Millisecond, 5100 * time.Millisecond} {
		<-time.After(idle)
		ask(60+i, 200, `{"text":"hello again"}`)
	}
}
