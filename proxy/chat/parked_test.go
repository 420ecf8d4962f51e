package chat

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// parked is how many connections wait without a goroutine.
func (h *Hub) parked() int {
	now, _ := h.poller.Parked()
	return now
}

// TestAnIdleSocketRests: both sides wait without a goroutine from the start, again
// a while after they have talked, and hear what is said then.
func TestAnIdleSocketRests(t *testing.T) { inBothModes(t, anIdleSocketRests) }

func anIdleSocketRests(t *testing.T, set Settings) {
	set.Ping = 400 * time.Millisecond
	l, _ := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	heard := make(chan catFrame)
	go func() { // a client answers pings only while it reads
		for {
			f := catFrame{}
			if w.ReadJSON(&f) != nil {
				close(heard)
				return
			}
			if f.Type == "chat" {
				heard <- f
			}
		}
	}()
	for _, text := range []string{"one", "two", "three"} {
		if runtime.GOOS == "linux" { // elsewhere nothing rests, and all else is the same
			l.eventually(t, "both sides rest", func() bool { return l.hub.parked() == 2 })
		}
		ask(t, w, text)
		if f := <-heard; f.Content != text {
			t.Errorf("%+v", f)
		}
	}
	time.Sleep(5 * set.Ping)
	if n := l.hub.Count(); n != 1 {
		t.Errorf("%d are open: pings are not answered at rest", n)
	}
	_ = w.Close()
	if _, open := <-heard; open {
		t.Error("something is heard after the end")
	}
}

// TestSilenceWithinAMessage: a reader that waits within a message does not rest, and
// loses nothing of it.
func TestSilenceWithinAMessage(t *testing.T) { inBothModes(t, silenceWithinAMessage) }

func silenceWithinAMessage(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	l.hub.poller.After = 10 * time.Millisecond
	w := l.open(t, "/alice")
	raw := w.NetConn()
	for _, b := range slices.Concat(
		[]byte{0x01, 0x82, 1, 2, 3, 4, 'a' ^ 1, 'b' ^ 2}, // the first part of a message
		[]byte{0x89, 0x81, 0, 0, 0, 0, 'p'},
		[]byte{0x80, 0xfe, 0, 126, 0, 0, 0, 0}, bytes.Repeat([]byte{'c'}, 126), // the rest
	) {
		if b != 'c' { // that many of them would take too long
			time.Sleep(30 * time.Millisecond)
		}
		if _, err := raw.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	pinged := make(chan string, 1)
	w.SetPongHandler(func(p string) error {
		pinged <- p
		return nil
	})
	_ = w.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, p, err := w.ReadMessage(); err != nil || string(p) != "ab"+strings.Repeat("c", 126) {
		t.Errorf("%q, %v", p, err)
	}
	if p := <-pinged; p != "p" {
		t.Errorf("ping %q", p)
	}
	l.eventually(t, "both sides rest", func() bool { return runtime.GOOS != "linux" || l.hub.parked() == 2 })
}

// TestShutdownOfWhatLingers: nobody is there, and the Cat is told properly.
func TestShutdownOfWhatLingers(t *testing.T) {
	set := shared
	set.Linger = time.Hour
	serve, seen := witness(t)
	l := newLab(t, set, serve)
	w := l.open(t, "/alice")
	leave(w)
	l.eventually(t, "it lingers", func() bool { return l.hub.Stats().Lingering == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := l.hub.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if got := <-seen; got.Code != websocket.CloseNormalClosure {
		t.Errorf("the Cat is closed with %v", got)
	}
	if got := l.hub.Stats(); got != (Stats{}) {
		t.Errorf("%+v", got)
	}
}

// TestARestIsShort: a pong wakes a reader once, and whatever else there is to read it
// finds then.
func TestARestIsShort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing rests here")
	}
	set := shared
	set.Ping = 300 * time.Millisecond
	l := newLab(t, set, echo)
	l.hub.poller.After = 50 * time.Millisecond
	w := l.open(t, "/alice")
	go func() {
		for {
			if _, _, err := w.ReadMessage(); err != nil {
				return
			}
		}
	}()
	l.eventually(t, "both sides rest", func() bool { return l.hub.parked() == 2 })
	serial := func() uint64 {
		_, ever := l.hub.poller.Parked()
		return ever
	}
	before := serial()
	time.Sleep(4*set.Ping + set.Ping/2)
	if n := serial() - before; n < 6 || n > 10 { // of two sides, for four pings
		t.Errorf("parked %d times", n)
	}
	_ = w.Close()
}

// TestFragmentsStream: where messages stream through, a part of one is passed on when
// it has ended, though the rest has not come.
func TestFragmentsStream(t *testing.T) {
	rest := make(chan struct{})
	l := newLab(t, separate, func(c *websocket.Conn) {
		_, _ = c.NetConn().Write([]byte("\x01\x05begun"))
		<-rest
		_, _ = c.NetConn().Write([]byte("\x80\x0a and ended"))
		_, _, _ = c.ReadMessage()
	})
	w := l.open(t, "/alice")
	_ = w.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, r, err := w.NextReader()
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 100)
	n, err := r.Read(first)
	if err != nil || string(first[:n]) != "begun" {
		t.Errorf("%q, %v", first[:n], err)
	}
	close(rest)
	if p, err := io.ReadAll(r); err != nil || string(p) != " and ended" {
		t.Errorf("%q, %v", p, err)
	}
}

// TestAnEndWithTheLastMessage: the connection's end comes together with a message, and
// so without a sign of its own. It is found all the same, and soon.
func TestAnEndWithTheLastMessage(t *testing.T) { inBothModes(t, anEndWithTheLastMessage) }

func anEndWithTheLastMessage(t *testing.T, set Settings) {
	set.Linger = time.Millisecond
	heard := make(chan string, 100)
	l := newLab(t, set, func(c *websocket.Conn) {
		for {
			_, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			heard <- string(p)
		}
	})
	l.hub.poller.After = 20 * time.Millisecond
	frame := []byte{0x81, 0x82, 1, 2, 3, 4, 'a' ^ 1, 'b' ^ 2}
	for i := range 20 {
		w := l.open(t, "/alice")
		if i%2 == 0 { // a reader that is awake
			_, _ = w.NetConn().Write(frame)
			<-heard
		}
		_, _ = w.NetConn().Write(frame)
		_ = w.NetConn().Close()
		if got := <-heard; got != "ab" {
			t.Errorf("%q was heard", got)
		}
		l.eventually(t, "it has ended", func() bool { return l.hub.Count() == 0 })
	}
	l.closed(t, 20, websocket.CloseAbnormalClosure, "closed by the client, without a close")
}
