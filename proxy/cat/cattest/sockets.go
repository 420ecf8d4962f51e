package cattest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// sockets: one socket on its own.
func (s *suite) sockets(t *testing.T) {
	t.Run("handshake", func(t *testing.T) {
		w := s.socketFor(t, s.name("shake"))
		defer w.bye()
		if got := w.reply.Header.Get("Server"); got != "uvicorn" {
			t.Errorf("server %q", got)
		}
		if got := w.reply.Header.Get("Sec-WebSocket-Extensions"); got != "" {
			t.Errorf("extension %q that was not offered", got)
		}
	})
	t.Run("deflate", func(t *testing.T) {
		d := websocket.Dialer{EnableCompression: true, HandshakeTimeout: patience}
		conn, resp, err := d.Dial("ws://"+s.host+s.socketPath(s.name("deflate")), nil)
		if err != nil {
			t.Fatal(err)
		}
		w := socket{conn, resp}
		defer w.bye()
		w.SetReadDeadline(time.Now().Add(patience))
		if got := resp.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(got, "permessage-deflate") {
			t.Errorf("extension %q", got)
		}
		if got := w.turn(t, text("hello"))["type"]; got != "chat" {
			t.Errorf("type %v", got)
		}
	})
	t.Run("chat frame", func(t *testing.T) {
		w := s.socketFor(t, s.name("frame"))
		defer w.bye()
		w.say(t, `{"text":"a frame","extra":1}`)
		var raw []byte
		for !bytes.Contains(raw, []byte(`"type":"chat",`)) {
			var err error
			if _, raw, err = w.ReadMessage(); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := strings.Join(names(t, raw), " "), "user_id when who text image audio type why content"; got != want {
			t.Errorf("fields %q, want %q", got, want)
		}
		var v struct {
			Who  string
			Why  map[string]any
			Text string
		}
		if err := json.Unmarshal(raw, &v); err != nil || v.Who != "AI" {
			t.Errorf("%v: %+v", err, v)
		}
		if s.Echoes && v.Text != "You said: a frame" {
			t.Errorf("text %q", v.Text)
		}
		for _, name := range []string{"input", "intermediate_steps", "memory", "model_interactions"} {
			if _, found := v.Why[name]; !found {
				t.Errorf("why has no %s", name)
			}
		}
	})
	t.Run("tokens come before the answer", func(t *testing.T) {
		s.echoes(t)
		w := s.socketFor(t, s.name("tokens"))
		defer w.bye()
		w.say(t, text("one two"))
		var b strings.Builder
		for {
			v := w.next(t)
			if v["type"] == "chat" {
				break
			}
			if v["type"] != "chat_token" || len(v) != 2 {
				t.Fatalf("frame %v", v)
			}
			b.WriteString(v["content"].(string))
		}
		if b.String() != "You said: one two" {
			t.Errorf("tokens %q", b.String())
		}
	})
	t.Run("turns run one after another", func(t *testing.T) {
		s.echoes(t)
		w := s.socketFor(t, s.name("turns"))
		defer w.bye()
		began := time.Now()
		w.say(t, text("sleep 0.4"))
		w.say(t, text("second"))
		first := w.until(t, "chat")["text"]
		second := w.until(t, "chat")["text"]
		if first != "You said: sleep 0.4" || second != "You said: second" || time.Since(began) < 400*time.Millisecond {
			t.Errorf("%v, then %v after %v", first, second, time.Since(began))
		}
	})
	t.Run("client pings are answered", func(t *testing.T) {
		w := s.socketFor(t, s.name("ping"))
		defer w.bye()
		pong := ""
		w.SetPongHandler(func(data string) error { pong = data; return nil })
		if err := w.WriteControl(websocket.PingMessage, []byte("data"), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		w.turn(t, text("hello"))
		if pong != "data" {
			t.Errorf("pong %q", pong)
		}
	})
	t.Run("history is of HTTP and sockets", func(t *testing.T) {
		w := s.socketFor(t, s.name("both"))
		w.turn(t, text("by socket "+s.tag))
		w.bye()
		if h := strings.Join(s.history(t, s.as(s.name("both"))), "\n"); !strings.Contains(h, "by socket "+s.tag) {
			t.Errorf("history %q", h)
		}
	})
	t.Run("large answers", func(t *testing.T) {
		s.once(t)
		s.echoes(t)
		w := s.socketFor(t, s.name("large"))
		defer w.bye()
		if got := w.turn(t, text("big 17000000"))["text"].(string); len(got) != 17000000 {
			t.Errorf("%d letters", len(got))
		}
	})
}

// names are the names of an object's fields in their order.
func names(t *testing.T, raw []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var list []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, name.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// socketFrames: what a socket makes of frames it does not like.
func (s *suite) socketFrames(t *testing.T) {
	for _, tt := range []struct {
		name, frame, want string
	}{
		{"a text", `"hello"`, "error"},
		{"a list", `["hello"]`, "error"},
		{"a number", `5`, "error"},
		{"null", `null`, "error"},
		{"text of the wrong kind", `{"text":{}}`, "error"},
		{"text that is a number", `{"text":7}`, "error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := s.socketFor(t, s.name("wrong"))
			defer w.bye()
			v := w.turn(t, tt.frame)
			if v["type"] != tt.want || v["name"] == nil || v["description"] == nil {
				t.Errorf("got %v", v)
			}
			if got := w.turn(t, text("still here"))["type"]; got != "chat" {
				t.Errorf("then %v", got)
			}
		})
	}
	t.Run("no text", func(t *testing.T) {
		s.echoes(t)
		w := s.socketFor(t, s.name("empty"))
		defer w.bye()
		if v := w.turn(t, `{}`); v["type"] != "chat" {
			t.Errorf("got %v", v)
		}
	})
	t.Run("a failed turn", func(t *testing.T) {
		s.echoes(t)
		w := s.socketFor(t, s.name("fail"))
		defer w.bye()
		if v := w.turn(t, text("fail")); v["type"] != "error" || v["description"] == "" {
			t.Errorf("got %v", v["type"])
		}
	})
	for _, tt := range []struct {
		name  string
		kind  int
		frame []byte
		code  int
	}{
		{"no JSON", websocket.TextMessage, []byte("hello"), websocket.CloseAbnormalClosure},
		{"empty", websocket.TextMessage, nil, websocket.CloseAbnormalClosure},
		{"binary", websocket.BinaryMessage, []byte(text("hello")), websocket.CloseAbnormalClosure},
		{"no UTF-8", websocket.TextMessage, []byte("\"\xff\""), websocket.CloseInvalidFramePayloadData},
		{"above 16 MiB", websocket.TextMessage, []byte(text(strings.Repeat("x", 16<<20))), websocket.CloseMessageTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if len(tt.frame) > 1<<20 {
				s.once(t)
			}
			w := s.socketFor(t, s.name("drop"))
			defer settle()
			defer w.Close()
			w.WriteMessage(tt.kind, tt.frame)
			_, _, err := w.ReadMessage()
			if tt.code != websocket.CloseAbnormalClosure {
				if !websocket.IsCloseError(err, tt.code) {
					t.Errorf("ended with %v, want %d", err, tt.code)
				}
				return
			}
			if err == nil || websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseInternalServerErr) {
				t.Errorf("ended with %v, want a drop without a close frame", err)
			}
		})
	}
}
