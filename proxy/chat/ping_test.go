package chat

import (
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
	room := &l.hub.people["/alice"].room
	l.hub.mu.Unlock()
	l.eventually(t, "the client is there", func() bool {
		room.mu.Lock()
		defer room.mu.Unlock()
		return len(room.windows) == 1
	})
	var faults atomic.Int32
	room.mu.Lock()
	good := room.windows[0].peer.out.pool
	room.windows[0].peer.out.pool = &sync.Pool{New: func() any {
		if faults.Add(1) == 1 {
			panic("a fault")
		}
		return good.Get()
	}}
	room.windows[0].tell(ours([]byte("a word")))
	room.mu.Unlock()
	<-caught
	if code, _ := closedWith(t, client); code != closeFault.Code {
		t.Errorf("closed with %d", code)
	}
	l.eventually(t, "the place is free", func() bool { return l.places("/alice") == 0 })
}
