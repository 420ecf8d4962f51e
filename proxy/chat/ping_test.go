package chat

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestWhoeverIsSilentIsFreed(t *testing.T) {
	set := separate
	set.Ping = 50 * time.Millisecond
	l := newLab(t, set, echo)
	l.open(t, "/alice") // never read from, so no ping is answered
	alive := l.open(t, "/bob")
	go func() { _, _ = closedWith(t, alive) }()
	if e := l.closed(t, 1, 1006, closeSilent.Reason); e.User.ID != "/alice" {
		t.Errorf("%s is freed", e.User.ID)
	}
	release := make(chan struct{})
	defer close(release)
	l = newLab(t, set, func(*websocket.Conn) { <-release })
	c := l.open(t, "/alice")
	if code, _ := closedWith(t, c); code != websocket.CloseAbnormalClosure {
		t.Errorf("the client of a silent Cat is closed with %d", code)
	}
	l.closed(t, 1, 1006, closeSilent.Reason)
}

// TestBothStuck: each side waits for the other to read. Nothing is ever taken, and
// after a while both are freed, and told of.
func TestBothStuck(t *testing.T) {
	release := make(chan struct{})
	flood := func(c *websocket.Conn) {
		for c.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<20)) == nil {
		}
	}
	l := newLab(t, separate, func(c *websocket.Conn) {
		flood(c)
		<-release
	})
	l.hub.times.stall = 300 * time.Millisecond
	defer close(release)
	flood(l.open(t, "/alice"))
	if e := l.closed(t, 1, 1006, ""); e.Reason != "the client takes nothing any more" && e.Reason != "the Cat takes nothing any more" {
		t.Errorf("%q", e.Reason)
	}
}

// TestAFaultCostsOneSocket: a panic while a socket is served is caught by whoever
// was asked to, the place is given back, and others go on.
func TestAFaultCostsOneSocket(t *testing.T) {
	l := newLab(t, separate, echo)
	caught := make(chan any, 1)
	l.hub.o.Caught = func() {
		if v := recover(); v != nil {
			caught <- v
		}
	}
	told := l.hub.o.Observe
	l.hub.o.Observe = func(e Event) {
		told(e)
		if e.Kind == EventClose && e.User.ID == "/alice" {
			panic("the observer's own")
		}
	}
	other := l.open(t, "/bob")
	_ = l.open(t, "/alice").Close()
	<-caught
	l.eventually(t, "the place is free", func() bool { return l.places("/alice") == 0 })
	if err := other.WriteMessage(websocket.TextMessage, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := other.ReadMessage(); err != nil {
		t.Error(err)
	}
}

// TestAFaultInWriting: a panic while a client is written to is caught as well, and
// the client can leave: nobody waits for the end of that write.
func TestAFaultInWriting(t *testing.T) {
	l := newLab(t, shared, echo)
	caught := make(chan any, 1)
	l.hub.o.Caught = func() {
		if v := recover(); v != nil {
			caught <- v
		}
	}
	client := l.open(t, "/alice")
	l.hub.mu.Lock()
	room := &l.hub.people[info("/alice").Key()].room
	l.hub.mu.Unlock()
	var w *window
	l.eventually(t, "the client is there", func() bool {
		room.mu.Lock()
		defer room.mu.Unlock()
		if len(room.windows) == 0 {
			return false
		}
		w = room.windows[0]
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.isOpen
	})
	var faults atomic.Int32
	good := w.peer.out.pool
	w.peer.out.pool = &sync.Pool{New: func() any {
		if faults.Add(1) == 1 {
			panic("a fault")
		}
		return good.Get()
	}}
	w.tell(ours([]byte("a word")))
	<-caught
	if code, _ := closedWith(t, client); code != closeFault.Code {
		t.Errorf("closed with %d", code)
	}
	l.eventually(t, "the place is free", func() bool { return l.places("/alice") == 0 })
}

// TestASlowMessage: within a message a client can't answer pings, and each part of one
// that comes slowly is a sign of life.
func TestASlowMessage(t *testing.T) { inBothModes(t, aSlowMessage) }

func aSlowMessage(t *testing.T, set Settings) {
	set.Ping = 200 * time.Millisecond
	l := newLab(t, set, echo)
	w := l.open(t, "/alice")
	raw := w.NetConn()
	_, _ = raw.Write([]byte{0x82, 0xfe, 0x10, 0, 0, 0, 0, 0}) // 4 KiB in one frame
	for range 16 {
		time.Sleep(60 * time.Millisecond)
		if _, err := raw.Write(bytes.Repeat([]byte{'x'}, 256)); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, p, err := w.ReadMessage(); err != nil || len(p) != 4096 {
		t.Errorf("%d bytes, %v", len(p), err)
	}
}

// TestMessagesThatComeAtOnce: each is a sign of life when it is dealt with, since the
// pongs behind them are not read meanwhile.
func TestMessagesThatComeAtOnce(t *testing.T) {
	h := NewHub(Options{Settings: shared})
	defer h.parker.close()
	o, judge := ends(t, false)
	p := &peer{hub: h, from: toClient, ping: 300 * time.Millisecond, in: newInput(judge.NetConn(), false, &h.inputs, &h.parker)}
	p.out = newOutput(judge.NetConn(), p.in.raw, true, &h.inputs)
	p.in.pong, p.in.ping = func([]byte) { p.alive(time.Now()) }, p.answerPing
	p.in.closed = func(int) {}
	p.alive(time.Now())
	p.pinging = time.AfterFunc(p.ping, p.askIt)
	one := encode(websocket.TextMessage, []byte("hello"))
	if _, err := o.conn.Write(bytes.Repeat(one, 4)); err != nil {
		t.Fatal(err)
	}
	n := 0
	how, _ := p.receive(func(int) error {
		time.Sleep(500 * time.Millisecond)
		if _, err := io.Copy(io.Discard, p.in); err != nil {
			return err
		}
		if n++; n == 4 {
			return &EndedError{closeUnused}
		}
		return nil
	}, nil)
	if n != 4 || how != closeUnused {
		t.Errorf("%+v after %d messages", how, n)
	}
}
