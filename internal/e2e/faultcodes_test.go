package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
)

// refusedChat is the code of a handshake that is refused.
func refusedChat(t *testing.T, f *flap, header http.Header) string {
	t.Helper()
	d := websocket.Dialer{HandshakeTimeout: 2 * patience}
	c, resp, err := d.Dial("ws://"+f.addr+"/ws", header)
	if err == nil {
		_ = c.Close()
		return ""
	}
	if resp == nil {
		t.Fatalf("open a socket: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return codeOf(t, body)
}

// codeOf is the code of a refusal.
func codeOf(t *testing.T, body []byte) string {
	t.Helper()
	var a struct{ Detail struct{ Code string } }
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v in %q", err, clip(body, 200))
	}
	return a.Detail.Code
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// TestACatThatIsGoneIsToldAtOnce: a refused handshake is told by the code that the alarm
// is on, and readiness notices within moments, not with the next look in a minute.
func TestACatThatIsGoneIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(*testing.T, *flap) string{
		"chat": func(t *testing.T, f *flap) string { return refusedChat(t, f, bearer(alice())) },
		"http": func(t *testing.T, f *flap) string {
			return codeOf(t, exchange(t, f.addr, "POST", message(f.addr, alice())).body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cat := startCat(t)
			f := start(t, config{cat: cat.tap.addr})
			<-time.After(3 * time.Second) // the look at the start is over, and the next is far off
			cat.stop()
			cat.tap.shut()
			if got := ask(t, f); got != "cat_unreachable" {
				t.Errorf("refused with %q", got)
			}
			began := time.Now()
			f.await("not ready", func() bool { return f.ready() == http.StatusServiceUnavailable })
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("readiness took %v", took)
			}
		})
	}
}

// TestAWrongWebSocketKey: everything but the chat is served, and readiness says why not
// the chat.
func TestAWrongWebSocketKey(t *testing.T) {
	t.Parallel()
	cat := serveCat(t, freeAddress(t), standin.Options{APIKey: catKey, APIKeyWS: "another", JWTSecret: "no default"})
	f := launch(t, config{cat: cat.tap.addr})
	f.await("unready because of the key", func() bool {
		status, why := f.readiness()
		return status == http.StatusServiceUnavailable && strings.Contains(why, "cat.api_key_ws")
	})
	if got := asked(t, f, alice()); got != 200 {
		t.Errorf("a message over HTTP: %d", got)
	}
	if got := refusedChat(t, f, bearer(alice())); got != "cat_refused_socket" {
		t.Errorf("refused with %q", got)
	}
	if strings.Contains(f.log.String(), catKeyWS) {
		t.Error("the log holds the key")
	}
}

// TestCodesWithoutTheStore: while Redis is away, sessions and sockets are refused by the
// code that says so, and the log names Redis.
func TestCodesWithoutTheStore(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	c := startCouple(t, cat.tap.addr, idp.desk("company"))
	v := newVisitor(t, publicURL(c.a.addr))
	v.signIn(idp, "company", "alice")
	chat := mustChat(t, c.a, alice()) // its loss is told of
	defer chat.Close()
	c.redis.stop()
	if got := refusedChat(t, c.a, bearer(bob())); got != "sessions_unavailable" {
		t.Errorf("a socket is refused with %q", got)
	}
	c.a.await("the log names Redis", func() bool {
		for line := range strings.Lines(c.a.log.String()) {
			if strings.Contains(line, "gives up its sockets") && strings.Contains(line, "Redis") && strings.Contains(line, "connection refused") {
				return true
			}
		}
		return false
	})
	if got := refusedChat(t, c.a, bearer(bob())); got != "sessions_unavailable" {
		t.Errorf("later, a socket is refused with %q", got)
	}
	if _, body := v.send(c.a.addr, "POST", "/message", `{"text":"hello"}`); codeOf(t, []byte(body)) != "sessions_unavailable" {
		t.Errorf("a session is refused with %s", body)
	}
	if _, why := c.a.readiness(); !strings.Contains(why, "Redis") {
		t.Errorf("readiness says %s", why)
	}
}
