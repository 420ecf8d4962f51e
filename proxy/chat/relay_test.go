package chat

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
)

func TestMessagesPassUnaltered(t *testing.T) { inBothModes(t, tMessagesPassUnaltered) }

func tMessagesPassUnaltered(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	c := l.open(t, "/alice")
	big := make([]byte, 16<<20)
	_, _ = rand.Read(big)
	for _, m := range []struct {
		kind int
		data []byte
	}{
		{websocket.TextMessage, []byte(`{"text":"hi"}`)}, {websocket.TextMessage, nil}, {websocket.BinaryMessage, nil},
		{websocket.TextMessage, []byte(strings.Repeat("é日🐱", 20000))}, {websocket.BinaryMessage, big},
		{websocket.BinaryMessage, big[:125]}, {websocket.BinaryMessage, big[:126]}, {websocket.BinaryMessage, big[:copyBufferSize+1]},
	} {
		if err := c.WriteMessage(m.kind, m.data); err != nil {
			t.Fatal(err)
		}
		kind, got, err := c.ReadMessage()
		if err != nil || kind != m.kind || !bytes.Equal(got, m.data) {
			t.Fatalf("%d bytes of kind %d came back as %d of kind %d: %v", len(m.data), m.kind, len(got), kind, err)
		}
	}
}

// TestFragments sends one text in pieces that cut its characters, with a ping in
// the middle, which is answered first and with its own words.
func TestFragments(t *testing.T) { inBothModes(t, tFragments) }

func tFragments(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	c := l.open(t, "/alice")
	raw := c.NetConn()
	text := "né日🐱"
	for i := range len(text) {
		head := []byte{0, 0x81, 0, 0, 0, 0} // masked with zeros, one byte
		if i == 0 {
			head[0] = websocket.TextMessage
		}
		if i == 5 {
			_, _ = raw.Write([]byte{0x89, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'})
		}
		if _, err := raw.Write(append(head, text[i])); err != nil {
			t.Fatal(err)
		}
	}
	pong := ""
	c.SetPongHandler(func(p string) error { pong = p; return nil })
	_, _ = raw.Write([]byte{0x80, 0x80, 0, 0, 0, 0}) // the last, empty
	kind, got, err := c.ReadMessage()
	if err != nil || kind != websocket.TextMessage || string(got) != text {
		t.Errorf("%q came back as %q of kind %d: %v", text, got, kind, err)
	}
	if pong != "ping" {
		t.Errorf("the ping was answered with %q", pong)
	}
}

func TestTheCatMaySendMoreThanTheClient(t *testing.T) {
	inBothModes(t, tTheCatMaySendMoreThanTheClient)
}

func tTheCatMaySendMoreThanTheClient(t *testing.T, set Settings) {
	const size = 40 << 20
	l := newLab(t, set, func(c *websocket.Conn) {
		_ = c.WriteMessage(websocket.BinaryMessage, make([]byte, size))
		_, _, _ = c.ReadMessage()
	})
	_, r, err := l.open(t, "/alice").NextReader()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestASlowReaderSlowsTheWriter floods either side while the other reads nothing:
// what the connections' own buffers take is all that is taken.
func TestASlowReaderSlowsTheWriter(t *testing.T) {
	const most = 64 << 20
	flood := func(sent *atomic.Int64, c *websocket.Conn) {
		for range 4096 {
			if c.WriteMessage(websocket.BinaryMessage, make([]byte, 64<<10)) != nil {
				return
			}
			sent.Add(64 << 10)
		}
	}
	stopped := func(name string, sent *atomic.Int64) {
		t.Helper()
		last := int64(-1)
		for deadline := time.Now().Add(10 * time.Second); sent.Load() != last; {
			if last = sent.Load(); time.Now().After(deadline) {
				break
			}
			time.Sleep(300 * time.Millisecond) // what the kernel's buffers take has gone by then
		}
		if last == 0 || last > most {
			t.Errorf("%s: %d MiB were taken for somebody who reads nothing", name, last>>20)
		}
	}
	var fromCat, fromClient atomic.Int64
	l := newLab(t, separate, func(c *websocket.Conn) { flood(&fromCat, c) })
	c := l.open(t, "/alice")
	stopped("from the Cat", &fromCat)
	_ = c.NetConn().Close()

	release := make(chan struct{})
	l = newLab(t, separate, func(*websocket.Conn) { <-release })
	c = l.open(t, "/alice")
	over := make(chan struct{})
	go func() {
		defer close(over)
		flood(&fromClient, c)
	}()
	stopped("from the client", &fromClient)
	close(release)
	<-over
}

// TestAReaderThatIsSlowIsNotDead has a client that is so slow that the pings are
// far behind what it reads: it answers none for much longer than is waited for.
// That it takes what is written shows that it is there.
func TestAReaderThatIsSlowIsNotDead(t *testing.T) {
	t.Parallel()
	set := separate
	set.Ping = 200 * time.Millisecond
	l := newLab(t, set, func(c *websocket.Conn) {
		for c.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<20)) == nil {
		}
	})
	raw := l.open(t, "/alice").NetConn() // nobody looks for pings here
	buf := make([]byte, 1<<20)
	for start := time.Now(); time.Since(start) < 2*time.Second; time.Sleep(100 * time.Millisecond) {
		if _, err := io.ReadFull(raw, buf); err != nil {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
	}
	l.closed(t, 1, 1006, wsconn.ClosingSilent.Reason) // and now it reads no more
}

// TestABrokenCatIsNotTheClientsFault: the Cat is gone in the middle of a message. The
// rest of it is no malformed frame of the client's.
func TestABrokenCatIsNotTheClientsFault(t *testing.T) {
	l := newLab(t, separate, func(c *websocket.Conn) {
		_ = c.NetConn().(*net.TCPConn).SetLinger(0)
		_, r, err := c.NextReader()
		if err == nil {
			_, _ = io.CopyN(io.Discard, r, 1)
		}
		_ = c.NetConn().Close()
	})
	w := l.open(t, "/alice")
	go func() { _ = w.WriteMessage(websocket.BinaryMessage, make([]byte, 15<<20)) }()
	if code, reason := closedWith(t, w); code != websocket.CloseAbnormalClosure {
		t.Errorf("the client was closed with %d %q", code, reason)
	}
	l.closed(t, 1, websocket.CloseAbnormalClosure, "closed by the Cat, without a close")
}
