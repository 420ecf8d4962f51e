package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/upstream"
)

// socketLab is a lab whose Cat is the stand-in.
func socketLab(t *testing.T) (*lab, *standin.Running) {
	t.Helper()
	running, err := standin.Start(standin.Options{APIKey: labKey, APIKeyWS: "the-cats-ws-key", JWTSecret: "long and random"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	base, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	return newLab(t, func(o *Options) {
		o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{Base: base, ConnectTimeout: time.Second, ResponseTimeout: 5 * time.Second, Log: o.Log}))
		o.Credentials = cat.NewKeys(labKey, "the-cats-ws-key")
	}), running
}

func (l *lab) dial(path string, h http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: 5 * time.Second}
	return d.DialContext(context.Background(), "ws"+strings.TrimPrefix(l.front.URL, "http")+path, h)
}

// ask sends a message and returns whom the Cat takes the person for.
func ask(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"text":"hi","user_id":"admin"}`)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		_, p, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Type   string
			UserID string `json:"user_id"`
		}
		if err := json.Unmarshal(p, &m); err != nil {
			t.Fatal(err)
		}
		if m.Type == "chat" {
			return m.UserID
		}
	}
}

func TestTheSocketIsTheTokensPerson(t *testing.T) {
	l, running := socketLab(t)
	for _, c := range []struct {
		name, path string
		h          http.Header
		protocols  []string
		selected   string
	}{
		{name: "query", path: "/ws?token=alice"},
		{name: "query and somebody else's path", path: "/ws/staff:bob?token=alice"},
		{name: "query, percent-encoded", path: "/ws/user?tok%65n=ali%63e"},
		{name: "the old widgets' way", path: "/ws?token=alice&x=/user"},
		{name: "authorization", path: "/ws/user", h: http.Header{"Authorization": {"Bearer alice"}}},
		{name: "legacy header", path: "/ws/user", h: http.Header{"access_token": {"alice"}}},
		{name: "both, equal", path: "/ws/user?token=alice", h: http.Header{"Authorization": {"Bearer alice"}}},
		{name: "sub-protocol", path: "/ws/user", protocols: []string{"bearer", "alice"}, selected: "bearer"},
		{name: "own origin", path: "/ws?token=alice", h: http.Header{"Origin": {l.front.URL}}},
		{name: "an app's origin", path: "/ws?token=alice", h: http.Header{"Origin": {"capacitor://localhost"}}},
		{name: "listed origin", path: "/ws?token=alice", h: http.Header{"Origin": {"https://app.example.com"}}},
		{name: "a final slash", path: "/ws/?token=alice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, resp, err := l.dial(c.path, c.h, c.protocols...)
			if err != nil {
				t.Fatal(err, resp)
			}
			defer conn.Close()
			if got := ask(t, conn); got != "staff:alice" {
				t.Errorf("the Cat takes the person for %q", got)
			}
			if conn.Subprotocol() != c.selected {
				t.Errorf("sub-protocol %q", conn.Subprotocol())
			}
			last := running.LastRequest()
			if last.Target != "/ws/staff:alice?token=the-cats-ws-key" || len(last.Values("user_id")) != 1 {
				t.Errorf("the handshake at the Cat: %s %v", last.Target, last.Headers)
			}
			for _, line := range last.Headers {
				if line.Name == "Authorization" || line.Name == "Sec-WebSocket-Protocol" || line.Name == "Origin" || strings.Contains(line.Value, "Bearer") {
					t.Errorf("%s reached the Cat", line.Name)
				}
			}
		})
	}
}

func TestRefusedHandshakes(t *testing.T) {
	l, running := socketLab(t)
	for _, c := range []struct {
		name, path string
		h          http.Header
		status     int
		code       string
	}{
		{"nobody", "/ws", nil, 401, "missing_credential"},
		{"forged", "/ws?token=forged", nil, 401, "bad_signature"},
		{"two tokens", "/ws?token=alice&token=bob", nil, 400, "bad_credential"},
		{"two carriers", "/ws?token=alice", http.Header{"Authorization": {"Bearer bob"}}, 400, "bad_credential"},
		{"another site", "/ws?token=alice", http.Header{"Origin": {"https://evil.example"}}, 403, "origin_not_allowed"},
		{"null origin", "/ws?token=alice", http.Header{"Origin": {"null"}}, 403, "origin_not_allowed"},
		{"two origins", "/ws?token=alice", http.Header{"Origin": {"https://app.example.com", "https://evil.example"}}, 403, "origin_not_allowed"},
		{"no socket there", "/message?token=alice", nil, 403, "permission_denied"},
		{"two segments", "/ws/a/b?token=alice", nil, 403, "permission_denied"},
		{"encoded slash", "/ws/a%2fb?token=alice", nil, 400, "bad_request_target"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := running.RequestCount()
			conn, resp, err := l.dial(c.path, c.h)
			if err == nil {
				_ = conn.Close()
				t.Fatal("upgraded")
			}
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(body), c.code) {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
			if running.RequestCount() != seen {
				t.Error("something reached the Cat")
			}
		})
	}
}

func TestMalformedHandshakes(t *testing.T) {
	l, running := socketLab(t)
	addr := strings.TrimPrefix(l.front.URL, "http://")
	head := func(line string, changes ...string) string {
		h := map[string]string{
			"Host": addr, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Authorization": "Bearer alice",
		}
		for i := 0; i < len(changes); i += 2 {
			h[changes[i]] = changes[i+1]
		}
		text := line + "\r\n"
		for name, value := range h {
			if value != "" {
				text += name + ": " + value + "\r\n"
			}
		}
		return text + "\r\n"
	}
	for name, c := range map[string]struct{ raw, status string }{
		"by POST":                {head("POST /ws HTTP/1.1"), "400"},
		"HTTP/1.0":               {head("GET /ws HTTP/1.0"), "400"},
		"another version":        {head("GET /ws HTTP/1.1", "Sec-WebSocket-Version", "8"), "426"},
		"no key":                 {head("GET /ws HTTP/1.1", "Sec-WebSocket-Key", ""), "400"},
		"a short key":            {head("GET /ws HTTP/1.1", "Sec-WebSocket-Key", "YWJj"), "400"},
		"with a body":            {head("GET /ws HTTP/1.1", "Content-Length", "5") + "hello", "400"},
		"h2c is no WebSocket":    {head("GET /ws HTTP/1.1", "Upgrade", "h2c", "HTTP2-Settings", "AAMAAABkAAQ"), "426"},
		"Upgrade not in the way": {head("GET /ws HTTP/1.1", "Connection", "keep-alive"), "426"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := running.RequestCount()
			if got := rawStatus(t, addr, c.raw); got != c.status {
				t.Errorf("%s, want %s", got, c.status)
			}
			if running.RequestCount() != seen {
				t.Error("something reached the Cat")
			}
		})
	}
}

// TestNothingFollowsARefusedHandshake pipes a request behind a handshake that is
// refused: it must not be looked at (S-075).
func TestNothingFollowsARefusedHandshake(t *testing.T) {
	l, running := socketLab(t)
	addr := strings.TrimPrefix(l.front.URL, "http://")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+
		"POST /message HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer alice\r\nContent-Length: 2\r\n\r\n{}", addr, addr)
	all, _ := io.ReadAll(bufio.NewReader(c))
	if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(all), "HTTP/1.1 401") {
		t.Errorf("%d answers: %.200s", n, all)
	}
	if running.RequestCount() != 0 {
		t.Error("what was piped behind reached the Cat")
	}
}

func TestTheCatThatRefusesASocketIsOurFault(t *testing.T) {
	running, err := standin.Start(standin.Options{APIKey: labKey, APIKeyWS: "another key", JWTSecret: "long and random"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	base, _ := url.Parse(running.URL)
	l := newLab(t, func(o *Options) {
		o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{Base: base, ConnectTimeout: time.Second, ResponseTimeout: time.Second, Log: o.Log}))
	})
	conn, resp, err := l.dial("/ws?token=alice", nil)
	if err == nil {
		_ = conn.Close()
		t.Fatal("upgraded")
	}
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusBadGateway || strings.Contains(string(body), "key") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if r := l.record(t, 1); r.Err == nil || strings.Contains(r.Err.Error(), "the-cats-ws-key") || strings.Contains(r.Err.Error(), "token=") {
		t.Errorf("the log would hold %v", r.Err)
	}
}

func TestRefuseSocket(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{chat.ErrTooManySockets, 503},
		{chat.ErrStopping, 503},
		{fmt.Errorf("dial: %w", cat.ErrNoAccount), 403},
		{&chat.DialError{Err: io.EOF}, 502},
		{&chat.EndedError{Closing: chat.Closing{Code: chat.CodeSignedOut, Reason: "token expired"}}, 401},
		{&chat.EndedError{Closing: chat.Closing{Code: chat.CodeForbidden, Reason: "you may no longer chat"}}, 403},
		{&chat.EndedError{Closing: chat.Closing{Code: websocket.CloseGoingAway, Reason: "stopping"}}, 503},
		{&chat.UpgradeError{Err: websocket.HandshakeError{}}, 400},
	} {
		if ref := refuseSocket(c.err); ref == nil || ref.status != c.status || ref.public == "" || ref.hint == "" {
			t.Errorf("%v: %+v", c.err, ref)
		}
	}
	// A client that has gone in the middle of its handshake has nobody to tell.
	if ref := refuseSocket(&chat.UpgradeError{Err: io.EOF}); ref != nil {
		t.Errorf("%+v", ref)
	}
}

// A request for the chat without a whole handshake is told which header is missing,
// and nothing of it reaches the Cat, for an administrator either.
func TestHandshakeWithoutItsHeaders(t *testing.T) {
	for _, c := range []struct {
		name   string
		h      http.Header
		status int
		says   string
	}{
		{"none", nil, 426, "Upgrade: websocket and Connection: upgrade did not arrive"},
		{"no Connection", http.Header{"Upgrade": {"websocket"}}, 426, "Connection: upgrade did not arrive"},
		{"Connection: close", http.Header{"Upgrade": {"websocket"}, "Connection": {"close"}}, 426, "Connection: upgrade did not arrive"},
		{"no Upgrade", http.Header{"Connection": {"upgrade"}}, 426, "Upgrade: websocket did not arrive"},
		{"another protocol", http.Header{"Connection": {"upgrade"}, "Upgrade": {"h2c"}}, 426, "Upgrade: websocket did not arrive"},
		{"no version", http.Header{"Connection": {"upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="}}, 426, "Sec-WebSocket-Version"},
		{"no key", http.Header{"Connection": {"upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}}, 400, "Sec-WebSocket-Key"},
	} {
		for _, who := range []string{"", "base", "admin"} {
			for _, path := range []string{"/ws", "/ws/alice"} {
				t.Run(c.name+" "+who+path, func(t *testing.T) {
					l := newLab(t, nil)
					req := l.request(t, http.MethodGet, path, who, "")
					maps.Copy(req.Header, c.h)
					resp, body := l.send(t, req)
					status := c.status
					if who == "" && c.h["Connection"] != nil && c.h["Upgrade"] != nil && c.h["Upgrade"][0] == "websocket" && c.h["Connection"][0] == "upgrade" {
						status = 401 // a handshake of nobody's, whatever else it lacks
					}
					if resp.StatusCode != status || status != 401 && !strings.Contains(body, c.says) {
						t.Errorf("%d %s", resp.StatusCode, body)
					}
					if l.cat.count() != 0 {
						t.Error("it reached the Cat")
					}
				})
			}
		}
	}
	l := newLab(t, nil)
	if status, body := l.do(t, http.MethodGet, "/wsx", "admin", ""); status != 200 {
		t.Errorf("a path that is no chat: %d %s", status, body)
	}
}
