package chat

import (
	"bytes"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
)

func TestWhoeverIsSilentIsFreed(t *testing.T) {
	set := separate
	set.Ping = 400 * time.Millisecond
	l := newLab(t, set, echo)
	l.open(t, "/alice") // never read from, so no ping is answered
	alive := l.open(t, "/bob")
	go func() { _, _ = closedWith(t, alive) }()
	if e := l.closed(t, 1, 1006, wsconn.ClosingSilent.Reason); e.User.ID != "/alice" {
		t.Errorf("%s is freed", e.User.ID)
	}
	release := make(chan struct{})
	defer close(release)
	l = newLab(t, set, func(*websocket.Conn) { <-release })
	c := l.open(t, "/alice")
	if code, _ := closedWith(t, c); code != websocket.CloseAbnormalClosure {
		t.Errorf("the client of a silent Cat is closed with %d", code)
	}
	l.closed(t, 1, 1006, wsconn.ClosingSilent.Reason)
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
	var fault atomic.Bool
	l.throughFaulty(t, &fault)
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
	var w *localSubscriber
	l.eventually(t, "the client is there", func() bool {
		room.mu.Lock()
		defer room.mu.Unlock()
		if len(room.subscribers) == 0 {
			return false
		}
		w = room.subscribers[0].(*localSubscriber)
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.isOpen
	})
	fault.Store(true)
	room.tellOne(w, ours([]byte("a word")))
	<-caught
	if code, _ := closedWith(t, client); code != wsconn.ClosingFault.Code {
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

// faulty is a connection whose next write is a fault of ours.
type faulty struct {
	net.Conn
	fault *atomic.Bool
}

func (f faulty) Write(p []byte) (int, error) {
	if f.fault.CompareAndSwap(true, false) {
		panic("a fault")
	}
	return f.Conn.Write(p)
}

type faultyListener struct {
	net.Listener
	fault *atomic.Bool
}

func (f faultyListener) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return faulty{c, f.fault}, nil
}

// throughFaulty has clients come over connections whose next write is a fault when told so.
func (l *lab) throughFaulty(t *testing.T, fault *atomic.Bool) {
	s := httptest.NewUnstartedServer(l.front.Config.Handler)
	s.Listener = faultyListener{s.Listener, fault}
	s.Start()
	t.Cleanup(s.Close)
	l.front.Close()
	l.front = s
}
