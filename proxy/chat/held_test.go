package chat

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
)

// part sends the beginning of a message that claims a size.
func part(t *testing.T, w *websocket.Conn, claims, sent int) {
	t.Helper()
	head := binary.BigEndian.AppendUint64([]byte{0x80 | websocket.TextMessage, 0x80 | 127}, uint64(claims))
	if _, err := w.NetConn().Write(append(append(head, 0, 0, 0, 0), bytes.Repeat([]byte("x"), sent)...)); err != nil {
		t.Fatal(err)
	}
}

// TestOnePersonsShare: somebody who holds too much is closed and told why, and others say
// and hear what they like.
func TestOnePersonsShare(t *testing.T) {
	set := shared
	set.MaxHeld, set.MaxHeldPerUser = 4<<20, 1<<20
	l, _ := newCatLab(t, Options{Settings: set})
	first, second := l.open(t, "/alice"), l.open(t, "/alice")
	part(t, first, 16<<20, 500<<10)
	l.eventually(t, "it is held", func() bool { return l.hub.held.Load() > 400<<10 })
	if held := l.hub.held.Load(); held > 700<<10 {
		t.Errorf("%d bytes are held for 500 KiB", held)
	}
	part(t, second, 16<<20, 500<<10)
	if code, reason := closedWith(t, second); code != websocket.CloseTryAgainLater || reason != closeOwnFull.Reason {
		t.Errorf("%d %s", code, reason)
	}
	for _, size := range []int{10, 9 << 10, 200 << 10} { // and the question again; alice's first is still held
		w := l.open(t, "/bob")
		ask(t, w, strings.Repeat("x", size))
		if f := answer(t, w); len(f.Content) != size {
			t.Errorf("an answer of %d bytes: %d, %s", size, len(f.Content), f.Name)
		}
		_ = w.Close()
	}
	_ = first.Close()
	l.eventually(t, "nothing is held", func() bool { return l.hub.held.Load() == 0 })
}

// TestAlwaysEnough: also when others hold all that may be held, somebody gets an ordinary
// answer, and clients never fill what the Cat's answers need.
func TestAlwaysEnough(t *testing.T) {
	set := shared
	set.MaxHeld = 1 << 20
	l, _ := newCatLab(t, Options{Settings: set})
	for _, user := range []string{"/alice", "/bob"} {
		part(t, l.open(t, user), 16<<20, 350<<10)
	}
	l.eventually(t, "it is held", func() bool { return l.hub.held.Load() > 700<<10 })
	w := l.open(t, "/carol")
	ask(t, w, strings.Repeat("x", 20<<10))
	if f := answer(t, w); len(f.Content) != 20<<10 {
		t.Errorf("%d bytes, %s", len(f.Content), f.Name)
	}
	l.hub.held.Add(1 << 20)
	defer l.hub.held.Add(-1 << 20)
	ask(t, w, strings.Repeat("x", 20<<10))
	if f := answer(t, w); len(f.Content) != 20<<10 {
		t.Errorf("%d bytes, %s", len(f.Content), f.Name)
	}
}

// TestManyClientsOneMessage: what the Cat says is in memory once, however many of a
// person's clients have not taken it.
func TestManyClientsOneMessage(t *testing.T) {
	h := NewHub(Options{Settings: Settings{MaxHeld: 10 << 10, MaxHeldPerUser: 5 << 10}})
	p := newPerson(h, "p", "p")
	m := ofCat(websocket.TextMessage, bytes.Repeat([]byte("x"), 4<<10))
	for range 32 {
		if c := m.keep(p); c != nil {
			t.Fatal(c)
		}
	}
	if c := ofCat(websocket.TextMessage, bytes.Repeat([]byte("x"), 2<<10)).keep(p); c == nil || *c != closeOwnFull {
		t.Errorf("more than the share: %v", c)
	}
	if held := h.held.Load(); held != 4<<10 {
		t.Errorf("%d bytes are held", held)
	}
	for range 32 {
		m.letGo(p)
	}
	if held := h.held.Load() + p.held.Load(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
}

// TestTheShareSeparate: where messages stream through, what they stream through counts.
func TestTheShareSeparate(t *testing.T) {
	set := separate
	set.MaxHeldPerUser = 4 * copyBufferSize
	l := newLab(t, set, echo)
	for range 3 {
		part(t, l.open(t, "/alice"), 1<<20, 10)
	}
	l.eventually(t, "they are held", func() bool { return l.hub.held.Load() == 3*copyBufferSize })
	w := l.open(t, "/alice")
	part(t, w, 1<<20, 10)
	if code, reason := closedWith(t, w); code != websocket.CloseTryAgainLater || reason != closeOwnFull.Reason {
		t.Errorf("%d %s", code, reason)
	}
	other := l.open(t, "/bob")
	_ = other.WriteMessage(websocket.TextMessage, []byte("x"))
	if _, p, err := other.ReadMessage(); err != nil || string(p) != "x" {
		t.Errorf("another: %q %v", p, err)
	}
}

// TestALateMessage: a message that is not whole in time ends its client, whatever comes
// between its parts.
func TestALateMessage(t *testing.T) { inBothModes(t, aLateMessageIn) }

func aLateMessageIn(t *testing.T, set Settings) {
	set.MessageTimeout = 300 * time.Millisecond
	for _, row := range []struct {
		name  string
		first []byte // masked with zeros
		then  []byte // again and again
	}{
		{"silence", []byte{0x81, 0x85, 0, 0, 0, 0, 'x'}, nil},
		{"half a head", []byte{0x81}, nil},
		{"pings", []byte{0x01, 0x81, 0, 0, 0, 0, 'x'}, []byte{0x89, 0x80, 0, 0, 0, 0}},
		{"fragments of a byte", []byte{0x01, 0x81, 0, 0, 0, 0, 'x'}, []byte{0x00, 0x81, 0, 0, 0, 0, 'x'}},
		{"fragments of nothing", []byte{0x01, 0x80, 0, 0, 0, 0}, []byte{0x00, 0x80, 0, 0, 0, 0}},
		{"a byte after another", []byte{0x81, 0xfe, 0x10, 0, 0, 0, 0, 0}, []byte("x")},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLab(t, set, func(c *websocket.Conn) { _, _, _ = c.ReadMessage() })
			w := l.open(t, "/alice")
			_, _ = w.NetConn().Write(row.first)
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-stop:
						return
					case <-tick.C:
						if _, err := w.NetConn().Write(row.then); err != nil {
							return
						}
					}
				}
			}()
			if code, reason := closedWith(t, w); code != wsconn.ClosingLate.Code || reason != wsconn.ClosingLate.Reason {
				t.Errorf("%d %s", code, reason)
			}
		})
	}
}

// TestAMessageInItsTime: one that comes slowly and in time is passed on, one after
// another, and a client that says nothing in between stays.
func TestAMessageInItsTime(t *testing.T) { inBothModes(t, aMessageInItsTimeIn) }

func aMessageInItsTimeIn(t *testing.T, set Settings) {
	set.MessageTimeout = 10 * time.Second
	l := newLab(t, set, echo)
	l.hub.poller.After = 20 * time.Millisecond // it rests, also within a message
	w := l.open(t, "/alice")
	for range 3 {
		for _, b := range []string{"\x01", "\x81\x00\x00\x00\x00", "x", "\x89\x80\x00\x00\x00\x00", "\x80\x81\x00\x00\x00", "\x00y"} {
			_, _ = w.NetConn().Write([]byte(b))
			time.Sleep(30 * time.Millisecond)
		}
		if _, p, err := w.ReadMessage(); err != nil || string(p) != "xy" {
			t.Fatalf("%q %v", p, err)
		}
	}
}

// TestNoCompression: a client that offers compression gets none, and one that compresses
// all the same is closed.
func TestNoCompression(t *testing.T) {
	l := newLab(t, shared, echo)
	d := websocket.Dialer{EnableCompression: true}
	w, resp, err := d.Dial("ws"+strings.TrimPrefix(l.front.URL, "http")+"/alice", http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("it speaks %q", got)
	}
	_, _ = w.NetConn().Write([]byte{0xc1, 0x81, 0, 0, 0, 0, 'x'})
	if code, _ := closedWith(t, w); code != websocket.CloseProtocolError {
		t.Errorf("%d", code)
	}
}

// TestAFloodOfPings: a client that sends nothing but pings is closed; a few at once are
// all answered.
func TestAFloodOfPings(t *testing.T) { inBothModes(t, aFloodOfPingsIn) }

func aFloodOfPingsIn(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	w := l.open(t, "/alice")
	pongs := 0
	w.SetPongHandler(func(string) error { pongs++; return nil })
	send := func(n int) {
		_, _ = w.NetConn().Write(bytes.Repeat([]byte{0x89, 0x80, 0, 0, 0, 0}, n))
	}
	send(100)
	_ = w.WriteMessage(websocket.TextMessage, []byte("x"))
	if _, _, err := w.ReadMessage(); err != nil || pongs != 100 {
		t.Fatalf("%d pongs, %v", pongs, err)
	}
	send(1000)
	if code, reason := closedWith(t, w); code != wsconn.ClosingFlood.Code || reason != wsconn.ClosingFlood.Reason {
		t.Errorf("%d %s", code, reason)
	}
}
