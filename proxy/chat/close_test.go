package chat

import (
	"io"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
)

// closer closes with a code and a reason, and waits for the answer.
func closer(payload []byte) func(*websocket.Conn) {
	return func(c *websocket.Conn) {
		_ = c.WriteControl(websocket.CloseMessage, payload, time.Now().Add(time.Second))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, _, _ = c.ReadMessage()
	}
}

// witness tells how its socket was closed.
func witness(t *testing.T) (func(*websocket.Conn), chan Closing) {
	seen := make(chan Closing, 1)
	return func(c *websocket.Conn) {
		code, reason := closedWith(t, c)
		seen <- Closing{Code: code, Reason: reason}
	}, seen
}

func TestClosesPassBothWays(t *testing.T) {
	for _, code := range []int{1000, 1001, 1003, 1005, 1008, 1009, 1011, 1012, 1013, 3000, 3999, 4000, 4123, 4999} {
		want, payload := Closing{Code: code, Reason: "a reason"}, websocket.FormatCloseMessage(code, "a reason")
		if code == websocket.CloseNoStatusReceived {
			want, payload = Closing{Code: code}, nil
		}
		l := newLab(t, separate, closer(payload))
		if got, reason := closedWith(t, l.open(t, "/alice")); got != want.Code || reason != want.Reason {
			t.Errorf("the Cat's %d came as %d %q", code, got, reason)
		}
		serve, seen := witness(t)
		l = newLab(t, separate, serve)
		closer(payload)(l.open(t, "/alice"))
		if got := <-seen; got != want {
			t.Errorf("the client's %d came as %v", code, got)
		}
		l.closed(t, 1, code, "closed by the client")
	}
}

func TestAnEndWithoutACloseIsOneOnTheOtherSide(t *testing.T) {
	l := newLab(t, separate, func(c *websocket.Conn) { _ = c.NetConn().Close() })
	if got, _ := closedWith(t, l.open(t, "/alice")); got != websocket.CloseAbnormalClosure {
		t.Errorf("the Cat's dropped connection came as %d", got)
	}
	l.closed(t, 1, 1006, "closed by the Cat, without a close")
	serve, seen := witness(t)
	l = newLab(t, separate, serve)
	_ = l.open(t, "/alice").NetConn().Close()
	if got := <-seen; got.Code != websocket.CloseAbnormalClosure {
		t.Errorf("the client's dropped connection came as %v", got)
	}
	l.closed(t, 1, 1006, "closed by the client, without a close")
}

// TestWhatIsRefused sends what neither side is to get: the sender and the other
// side are told alike.
func TestWhatIsRefused(t *testing.T) {
	zero := []byte{0, 0, 0, 0}
	for name, c := range map[string]struct {
		raw  []byte
		code int
	}{
		"too large":                {append([]byte{0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1}, zero...), 1009},
		"as large as can be":       {append([]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero...), 1009},
		"too large in two":         {append(append([]byte{0x02, 0x81}, append(zero, 'x')...), append([]byte{0x80, 0xff, 0, 0, 0, 0, 1, 0, 0, 0}, zero...)...), 1009},
		"text that is none":        {append([]byte{0x81, 0x83}, append(zero, 'a', 0xff, 'b')...), 1007},
		"text that is none so far": {append([]byte{0x01, 0x83}, append(zero, 'a', 0xed, 0xa0)...), 1007},
		"text that stops short":    {append([]byte{0x81, 0x82}, append(zero, 0xe6, 0x97)...), 1007},
		"a reserved bit":           {append([]byte{0xc1, 0x80}, zero...), 1002},
		"a reserved opcode":        {append([]byte{0x83, 0x80}, zero...), 1002},
		"no mask":                  {[]byte{0x81, 0x00}, 1002},
		"a long ping":              {append([]byte{0x89, 0xfe, 0, 126}, zero...), 1002},
		"a close code of no one":   {append([]byte{0x88, 0x82}, append(zero, 0x03, 0xed)...), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			serve, seen := witness(t)
			l := newLab(t, separate, serve)
			conn := l.open(t, "/alice")
			if _, err := conn.NetConn().Write(c.raw); err != nil {
				t.Fatal(err)
			}
			if code, _ := closedWith(t, conn); code != c.code {
				t.Errorf("the client was closed with %d", code)
			}
			if got := <-seen; got.Code != c.code {
				t.Errorf("the Cat was closed with %v", got)
			}
			_ = conn.Close()
			if l.closed(t, 1, c.code, "").Reason == "" {
				t.Error("no reason was told")
			}
		})
	}
	l := newLab(t, separate, func(c *websocket.Conn) {
		_ = c.WriteMessage(websocket.TextMessage, []byte("a\xffb"))
		_, _, _ = c.ReadMessage()
	})
	if code, _ := closedWith(t, l.open(t, "/alice")); code != 1007 {
		t.Errorf("the Cat's text that is none: %d", code)
	}
}

// TestTheRefusedSenderIsTold keeps sending for a while after what was refused: the
// close arrives nevertheless, and no reset.
func TestTheRefusedSenderIsTold(t *testing.T) {
	l := newLab(t, separate, echo)
	c := l.open(t, "/alice")
	go func() { _ = c.WriteMessage(websocket.BinaryMessage, make([]byte, 16<<20+1)) }()
	if code, reason := closedWith(t, c); code != websocket.CloseMessageTooBig {
		t.Errorf("%d %s", code, reason)
	}
}

// TestAClientThatClosesIsLetGo: its connection ends at once, although the Cat is
// in no hurry to answer.
func TestAClientThatClosesIsLetGo(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	l := newLab(t, separate, func(*websocket.Conn) { <-release })
	t.Cleanup(func() { close(release) })
	c := l.open(t, "/alice")
	start := time.Now()
	closer(websocket.FormatCloseMessage(1000, ""))(c)
	_, _ = io.Copy(io.Discard, c.NetConn())
	if took := time.Since(start); took > wsconn.CloseWait/2 {
		t.Errorf("after %v", took)
	}
	l.closed(t, 1, 1000, "closed by the client") // within closeWait
}
