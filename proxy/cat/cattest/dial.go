package cattest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// socket is an open WebSocket to the Cat.
type socket struct {
	*websocket.Conn
	reply *http.Response
}

// handshake tries to open a socket.
func (s *suite) handshake(target string, lines ...string) (socket, *http.Response, error) {
	header := http.Header{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ":")
		header[name] = append(header[name], strings.TrimLeft(value, " "))
	}
	d := websocket.Dialer{HandshakeTimeout: patience}
	conn, resp, err := d.Dial("ws://"+s.host+target, header)
	return socket{conn, resp}, resp, err
}

// dial opens a socket that must be opened.
func (s *suite) dial(t *testing.T, target string) socket {
	t.Helper()
	w, resp, err := s.handshake(target)
	if err != nil {
		status := ""
		if resp != nil {
			status = resp.Status
		}
		t.Fatalf("socket %s: %v %s", target, err, status)
	}
	w.SetReadDeadline(time.Now().Add(patience))
	return w
}

// socketFor opens the socket of a user with the socket key.
func (s *suite) socketFor(t *testing.T, user string) socket {
	t.Helper()
	return s.dial(t, s.socketPath(user))
}

func (s *suite) socketPath(user string) string {
	path := "/ws/" + user
	if s.APIKeyWS != "" {
		path += "?token=" + s.APIKeyWS
	}
	return path
}

// wantSocket fails unless the socket opens, or is refused in the Cat's way.
func (s *suite) wantSocket(t *testing.T, target string, in bool, lines ...string) {
	t.Helper()
	w, resp, err := s.handshake(target, lines...)
	if err == nil {
		w.bye()
		if !in {
			t.Fatalf("%s: opened, must be refused", target)
		}
		if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "" {
			t.Errorf("sub-protocol %q selected", got)
		}
		return
	}
	if in {
		t.Fatalf("%s: %v, must open", target, err)
	}
	if resp == nil {
		t.Fatalf("%s: %v, must be refused with an answer", target, err)
	}
	if resp.StatusCode != forbidden || resp.ContentLength != 0 || resp.Header.Get("Content-Type") != "text/plain" || !resp.Close {
		t.Errorf("%s: refused with %s, %d bytes of %q, close %v",
			target, resp.Status, resp.ContentLength, resp.Header.Get("Content-Type"), resp.Close)
	}
}

// next reads the next frame.
func (w socket) next(t *testing.T) map[string]any {
	t.Helper()
	kind, b, err := w.ReadMessage()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil || kind != websocket.TextMessage {
		t.Fatalf("frame of kind %d: %s", kind, short(string(b)))
	}
	return v
}

// until reads to the next frame of one of these types.
func (w socket) until(t *testing.T, types ...string) map[string]any {
	t.Helper()
	for {
		v := w.next(t)
		for _, want := range types {
			if v["type"] == want {
				return v
			}
		}
	}
}

// say sends a text frame.
func (w socket) say(t *testing.T, frame string) {
	t.Helper()
	if err := w.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// turn sends a frame and reads to its answer.
func (w socket) turn(t *testing.T, frame string) map[string]any {
	t.Helper()
	w.say(t, frame)
	return w.until(t, "chat", "error")
}

// silent fails if a chat frame comes within the time.
func (w socket) silent(t *testing.T, d time.Duration) {
	t.Helper()
	w.SetReadDeadline(time.Now().Add(d))
	for {
		_, b, err := w.ReadMessage()
		if err != nil {
			if _, ok := errors.AsType[*websocket.CloseError](err); ok {
				t.Errorf("closed: %v", err)
			}
			return
		}
		t.Errorf("heard %s", short(string(b)))
	}
}

// bye ends the socket with a close handshake and lets the Cat finish with it.
func (w socket) bye() {
	defer settle()
	defer w.Close()
	w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	w.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		if _, _, err := w.ReadMessage(); err != nil {
			return
		}
	}
}

// settle lets the Cat finish with a socket that was closed: one of the same user
// that is opened within 20 ms is lost.
func settle() { time.Sleep(60 * time.Millisecond) }

func text(s string) string { return fmt.Sprintf(`{"text":%q}`, s) }
