package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// openChat opens a WebSocket with the token in Authorization; on refusal the
// status tells.
func openChat(t testing.TB, f *flap, path, token string) (*websocket.Conn, int) {
	t.Helper()
	h := http.Header{}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	d := websocket.Dialer{HandshakeTimeout: patience}
	c, resp, err := d.Dial("ws://"+f.addr+path, h)
	if err != nil {
		if resp == nil {
			t.Fatalf("open a socket: %v", err)
		}
		_ = resp.Body.Close()
		return nil, resp.StatusCode
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, resp.StatusCode
}

// mustChat is openChat that succeeds.
func mustChat(t testing.TB, f *flap, token string) *websocket.Conn {
	t.Helper()
	c, status := openChat(t, f, "/ws", token)
	if c == nil {
		t.Fatalf("handshake was answered %d", status)
	}
	return c
}

// said is a frame of the Cat.
type said struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	UserID string `json:"user_id"`
	// Name and Description are those of an error.
	Name, Description string
}

// turn says a text and waits for the Cat's answer to it.
func turn(c *websocket.Conn, text string) (said, error) {
	if err := c.WriteJSON(map[string]string{"text": text, "user_id": "admin"}); err != nil {
		return said{}, err
	}
	for {
		s, err := hear(c)
		if err != nil || s.Type == "chat" || s.Type == "error" {
			return s, err
		}
	}
}

func hear(c *websocket.Conn) (said, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, b, err := c.ReadMessage()
	if err != nil {
		return said{}, err
	}
	var s said
	if err := json.Unmarshal(b, &s); err != nil {
		return said{}, fmt.Errorf("the Cat said %q: %w", b, err)
	}
	return s, nil
}

// expectTurn asserts that a turn is answered, to the person itself.
func expectTurn(t testing.TB, c *websocket.Conn, text, id string) {
	t.Helper()
	s, err := turn(c, text)
	if err != nil || s.Text != "You said: "+text || s.UserID != id {
		t.Errorf("a turn of %s was answered %+v, %v", id, s, err)
	}
}
