package standin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
)

func open(t *testing.T, cat *standin.Running, target string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(cat.URL, "http")+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// closing reads to the end of a socket and returns how it ended.
func closing(conn *websocket.Conn) error {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return err
		}
	}
}

func TestSocketWithoutPongsIsGivenUp(t *testing.T) {
	cat := start(t, standin.Options{PingEvery: 50 * time.Millisecond})
	conn := open(t, cat, "/ws/alice")
	payload := -1
	conn.SetPingHandler(func(data string) error { payload = len(data); return nil })
	err := closing(conn)
	var ce *websocket.CloseError
	if !errors.As(err, &ce) || ce.Code != websocket.CloseInternalServerErr || ce.Text != "keepalive ping timeout" {
		t.Errorf("ended with %v", err)
	}
	if payload != 4 {
		t.Errorf("ping payload of %d bytes", payload)
	}
}

func TestSocketWithPongsLives(t *testing.T) {
	cat := start(t, standin.Options{PingEvery: 30 * time.Millisecond})
	conn := open(t, cat, "/ws/alice")
	pings := make(chan struct{}, 100)
	conn.SetPingHandler(func(data string) error {
		pings <- struct{}{}
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	ended := make(chan error, 1)
	go func() { ended <- closing(conn) }()
	for range 6 {
		select {
		case <-pings:
		case err := <-ended:
			t.Fatalf("ended with %v", err)
		}
	}
	if cat.Sockets("alice") != 1 {
		t.Error("it is gone")
	}
}

// clock is a time that stands still until it is moved.
type clock struct{ at chan time.Time }

func newClock() clock {
	c := clock{make(chan time.Time, 1)}
	c.at <- time.Unix(1_800_000_000, 0)
	return c
}

func (c clock) now() time.Time { t := <-c.at; c.at <- t; return t }

func (c clock) move(d time.Duration) { c.at <- (<-c.at).Add(d) }

func TestReopenedSocketIsLost(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		clean bool
		hears bool
	}{
		{"at once", 0, true, false},
		{"after 19 ms", 19 * time.Millisecond, true, false},
		{"after 20 ms", 20 * time.Millisecond, true, true},
		{"at once after an abort", 0, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := newClock()
			cat := start(t, standin.Options{Now: clock.now})
			first := open(t, cat, "/ws/alice")
			if !cat.Hears("alice") {
				t.Fatal("a first socket hears nothing")
			}
			if tt.clean {
				first.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
				closing(first)
			} else {
				first.NetConn().Close()
			}
			eventually(t, "it is closed", func() bool { return cat.Sockets("alice") == 0 })
			clock.move(tt.after)
			open(t, cat, "/ws/alice")
			if got := cat.Hears("alice"); got != tt.hears {
				t.Errorf("hears: %v, want %v", got, tt.hears)
			}
			if cat.SocketsOpened("alice") != 2 || cat.SocketUsers()["alice"] != 1 {
				t.Errorf("opened %d, live %v", cat.SocketsOpened("alice"), cat.SocketUsers())
			}
		})
	}
}

// eventually waits for something that happens elsewhere.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestSocketsEnd(t *testing.T) {
	cat := start(t, standin.Options{})
	dropped, closed := open(t, cat, "/ws/dropped"), open(t, cat, "/ws/closed")
	cat.Notify("closed", "hello")
	var v struct{ Type, Content string }
	if _, b, err := closed.ReadMessage(); err != nil || json.Unmarshal(b, &v) != nil || v.Type != "notification" || v.Content != "hello" {
		t.Errorf("%+v %v", v, err)
	}
	cat.DropSockets("dropped")
	if err := closing(dropped); websocket.IsCloseError(err, websocket.CloseNormalClosure) || err == nil {
		t.Errorf("ended with %v", err)
	}
	cat.CloseSockets("closed", websocket.CloseGoingAway, "bye")
	if err := closing(closed); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("ended with %v", err)
	}
}

func TestWhatArrivedIsKept(t *testing.T) {
	cat := start(t, standin.Options{APIKey: "k", APIKeyWS: "w"})
	conn, err := net.Dial("tcp", strings.TrimPrefix(cat.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Three requests on one connection; the first body looks like a request.
	const inner = "GET /inner HTTP/1.1\r\nuser_id: inner\r\n\r\n"
	fmt.Fprintf(conn, "POST /custom/echo?a=%%41 HTTP/1.1\r\nHost: cat\r\nuSER_id: one \r\nContent-Length: %d\r\n\r\n%s", len(inner), inner)
	fmt.Fprintf(conn, "POST /custom/echo HTTP/1.1\r\nHost: cat\r\nTransfer-Encoding: chunked\r\nuser_id: two\r\nuser_id: 2\r\n\r\n%x;x=y\r\n%s\r\n0\r\nTrailer: x\r\n\r\n", len(inner), inner)
	fmt.Fprintf(conn, "GET /custom/whoami HTTP/1.1\r\nHost: cat\r\naccess_token: k\r\nUser_Id: three\r\n\r\n")
	eventually(t, "three requests are answered", func() bool { return cat.LastRequest().Status == http.StatusOK && cat.RequestCount() == 3 })
	all := cat.Requests()
	if got := all[0]; got.Target != "/custom/echo?a=%41" || got.Method != "POST" || got.Host != "cat" ||
		fmt.Sprint(got.Values("uSER_id")) != "[one ]" || got.Admitted {
		t.Errorf("first: %+v", got)
	}
	if got := all[1]; fmt.Sprint(got.Header("USER_ID")) != "[two 2]" {
		t.Errorf("second: %+v", got)
	}
	if got := all[2]; got.Headers[1] != (standin.Header{Name: "access_token", Value: "k"}) || !got.Admitted || got.User != "three" ||
		got.Credential != "k" || got.CredentialVia != "access_token" {
		t.Errorf("third: %+v", got)
	}
	cat.ForgetRequests()
	open(t, cat, "/ws/alice?token=w")
	if got := cat.LastRequest(); got.Status != http.StatusSwitchingProtocols || got.User != "alice" || !got.Upgrade || got.CredentialVia != "query" {
		t.Errorf("socket: %+v", got)
	}
}

func TestLeftStreamIsNoticed(t *testing.T) {
	cat := start(t, standin.Options{})
	resp, err := http.Get(cat.URL + "/custom/stream?n=1000&ms=20")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Read(make([]byte, 1))
	resp.Body.Close()
	eventually(t, "the stream is cut", func() bool { return cat.StreamsCut() == 1 })
}

func TestHistoryAndReply(t *testing.T) {
	cat := start(t, standin.Options{Reply: func(user, text string) string { return user + "! " + text }})
	req, err := http.NewRequest("POST", cat.URL+"/message", strings.NewReader(`{"text":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("user_id", "alice")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := fmt.Sprintf("%q", cat.History("alice")); got != `["Human: hi" "AI: alice! hi"]` {
		t.Errorf("history %s", got)
	}
}
