package chat

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

var settings = Settings{Mode: Shared, Ping: 30 * time.Second, MaxMessage: 16 << 20}

func TestMessagesPassUnaltered(t *testing.T) {
	l := newLab(t, settings, echo)
	c := l.open(t, "/alice")
	big := make([]byte, 16<<20)
	_, _ = rand.Read(big)
	for _, m := range []struct {
		kind int
		data []byte
	}{
		{websocket.TextMessage, []byte(`{"text":"hi"}`)}, {websocket.TextMessage, nil}, {websocket.BinaryMessage, nil},
		{websocket.TextMessage, []byte(strings.Repeat("é日🐱", 20000))}, {websocket.BinaryMessage, big},
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

func TestTheCatMaySendMoreThanTheClient(t *testing.T) {
	const size = 40 << 20
	l := newLab(t, settings, func(c *websocket.Conn) {
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

func TestClosesPassBothWays(t *testing.T) {
	for _, code := range []int{1000, 1001, 1003, 1008, 1011, 3000, 4123} {
		closer := func(c *websocket.Conn) {
			_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "a reason"), time.Now().Add(time.Second))
			_, _, _ = c.ReadMessage()
		}
		l := newLab(t, settings, closer)
		if got, reason := closedWith(t, l.open(t, "/alice")); got != code || reason != "a reason" {
			t.Errorf("the Cat's %d came as %d %q", code, got, reason)
		}
		seen := make(chan int, 1)
		l = newLab(t, settings, func(c *websocket.Conn) {
			got, _ := closedWith(t, c)
			seen <- got
		})
		closer(l.open(t, "/alice"))
		if got := <-seen; got != code {
			t.Errorf("the client's %d came as %d", code, got)
		}
	}
}

func TestAnEndWithoutACloseIsOneOnTheOtherSide(t *testing.T) {
	l := newLab(t, settings, func(c *websocket.Conn) { _ = c.NetConn().Close() })
	if got, _ := closedWith(t, l.open(t, "/alice")); got != websocket.CloseAbnormalClosure {
		t.Errorf("the Cat's dropped connection came as %d", got)
	}
	seen := make(chan int, 1)
	l = newLab(t, settings, func(c *websocket.Conn) {
		got, _ := closedWith(t, c)
		seen <- got
	})
	c := l.open(t, "/alice")
	_ = c.NetConn().Close()
	if got := <-seen; got != websocket.CloseAbnormalClosure {
		t.Errorf("the client's dropped connection came as %d", got)
	}
	l = newLab(t, settings, func(c *websocket.Conn) {
		_ = c.WriteControl(websocket.CloseMessage, nil, time.Now().Add(time.Second))
		_, _, _ = c.ReadMessage()
	})
	if got, _ := closedWith(t, l.open(t, "/alice")); got != websocket.CloseNoStatusReceived {
		t.Errorf("the Cat's close without a status came as %d", got)
	}
}

func TestTooLargeAndNotText(t *testing.T) {
	l := newLab(t, settings, echo)
	c := l.open(t, "/alice")
	go func() { _ = c.WriteMessage(websocket.BinaryMessage, make([]byte, 16<<20+1)) }()
	if code, _ := closedWith(t, c); code != websocket.CloseMessageTooBig {
		t.Errorf("a message that is too large: %d", code)
	}
	c = l.open(t, "/bob")
	if err := c.WriteMessage(websocket.TextMessage, []byte("a\xffb")); err != nil {
		t.Fatal(err)
	}
	if code, _ := closedWith(t, c); code != websocket.CloseInvalidFramePayloadData {
		t.Errorf("text that is none: %d", code)
	}
}

func TestASlowClientSlowsTheCat(t *testing.T) {
	var sent atomicCount
	l := newLab(t, settings, func(c *websocket.Conn) {
		for range 4096 {
			if c.WriteMessage(websocket.BinaryMessage, make([]byte, 64<<10)) != nil {
				return
			}
			sent.add(64 << 10)
		}
	})
	c := l.open(t, "/alice")
	last := int64(-1)
	for deadline := time.Now().Add(10 * time.Second); sent.get() != last; {
		if last = sent.get(); time.Now().After(deadline) {
			t.Fatalf("%d MiB were taken for a client that reads nothing", last>>20)
		}
		time.Sleep(300 * time.Millisecond) // what the kernel's buffers take has gone by then
	}
	if last > 64<<20 {
		t.Errorf("%d MiB were taken", last>>20)
	}
	_ = c.NetConn().Close()
}

// TestOneSocketAtTheCat is the rule of the package: many windows of one person,
// all at once, and never two sockets at the Cat, nor one too soon.
func TestOneSocketAtTheCat(t *testing.T) {
	l := newLab(t, settings, echo)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 4 {
				c, err := l.dial(t.Context(), l.front, "/alice")
				if err != nil {
					continue // too many wait: that is said, not hidden
				}
				_ = c.WriteMessage(websocket.TextMessage, []byte("x"))
				_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
				_, _, _ = c.ReadMessage()
				_ = c.Close()
			}
		})
	}
	wg.Wait()
	l.eventually(t, "all sockets end", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return len(l.hub.sockets) == 0 && l.hub.joining == 0
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(l.spans, func(a, b span) int { return a.from.Compare(b.from) })
	for i := 1; i < len(l.spans); i++ {
		if gap := l.spans[i].from.Sub(l.spans[i-1].til); gap < 20*time.Millisecond {
			t.Errorf("socket %d opened %v after the one before", i, gap)
		}
	}
	if len(l.spans) < 8 {
		t.Errorf("only %d sockets", len(l.spans))
	}
}

func TestASecondSocketTakesOver(t *testing.T) {
	l := newLab(t, settings, echo)
	first := l.open(t, "/alice")
	other := l.open(t, "/bob")
	ended := make(chan int, 1)
	go func() {
		code, _ := closedWith(t, first)
		ended <- code
	}()
	second := l.open(t, "/alice")
	if code := <-ended; code != CodeTakenOver {
		t.Errorf("the first was closed with %d", code)
	}
	for _, c := range []*websocket.Conn{second, other} {
		if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := c.ReadMessage(); err != nil || string(p) != "x" {
			t.Errorf("%q %v", p, err)
		}
	}
}

func TestSeparateSocketsLiveSideBySide(t *testing.T) {
	set := settings
	set.Mode, set.MaxPerUser = Separate, 2
	l := newLab(t, set, echo)
	a, b := l.open(t, "/alice"), l.open(t, "/alice")
	for _, c := range []*websocket.Conn{a, b} {
		if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.dial(t.Context(), l.front, "/alice"); err == nil {
		t.Error("a third was opened")
	}
	l.eventually(t, "the third is refused", func() bool { return len(l.errs) == 1 && errors.Is(l.errs[0], ErrTooManySockets) })
}

func TestASocketEndsWithItsCredential(t *testing.T) {
	l := newLab(t, settings, echo)
	l.expiry.Store(l.now.Load() + int64(time.Hour))
	c := l.open(t, "/alice")
	if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	l.now.Add(int64(time.Hour))
	moved := time.Now()
	code, reason := closedWith(t, c)
	if code != CodeSignedOut || reason == "" || time.Since(moved) > time.Second {
		t.Errorf("%d %q after %v", code, reason, time.Since(moved))
	}
}

func TestRevokeRejudgeShutdown(t *testing.T) {
	l := newLab(t, settings, echo)
	alice, bob, carol := l.open(t, "/alice"), l.open(t, "/bob"), l.open(t, "/carol")
	l.eventually(t, "three sockets", func() bool { return len(l.events) == 3 })
	l.hub.Revoke(authhandlers.Revocation{})
	l.hub.Revoke(authhandlers.Revocation{Issuer: "i", Subject: "/alice"})
	if code, _ := closedWith(t, alice); code != CodeSignedOut {
		t.Errorf("revoked: %d", code)
	}
	l.hub.Rejudge(func(u *authhandlers.AuthUserInfo) *Closing {
		if u.ID == "/bob" {
			return &Closing{CodeForbidden, "no longer allowed"}
		}
		return nil
	})
	if code, reason := closedWith(t, bob); code != CodeForbidden || reason != "no longer allowed" {
		t.Errorf("rejudged: %d %q", code, reason)
	}
	go func() { _ = l.hub.Shutdown(t.Context()) }()
	if code, _ := closedWith(t, carol); code != websocket.CloseGoingAway {
		t.Errorf("shut down: %d", code)
	}
	if _, err := l.dial(t.Context(), l.front, "/dave"); err == nil {
		t.Error("a socket opened after the stop")
	}
	l.eventually(t, "every closing is told", func() bool {
		n := 0
		for _, e := range l.events {
			if e.Kind == EventClose && e.Reason != "" && e.Code != 0 {
				n++
			}
		}
		return n == 3
	})
}

func TestAClientThatIsSilentIsFreed(t *testing.T) {
	set := settings
	set.Ping = 50 * time.Millisecond
	l := newLab(t, set, echo)
	l.open(t, "/alice") // never read from, so no ping is answered
	alive := l.open(t, "/bob")
	go func() { _, _ = closedWith(t, alive) }()
	l.eventually(t, "the silent one is freed", func() bool {
		for _, e := range l.events {
			if e.Kind == EventClose {
				return e.User.ID == "/alice"
			}
		}
		return false
	})
}

func TestTheCatThatDoesNotOpen(t *testing.T) {
	l := newLab(t, settings, echo)
	l.cat.Close()
	if _, err := l.dial(t.Context(), l.front, "/alice"); err == nil {
		t.Fatal("upgraded without the Cat")
	}
	l.eventually(t, "the error", func() bool {
		var dial *DialError
		return len(l.errs) == 1 && errors.As(l.errs[0], &dial)
	})
}

func TestTheTotalIsBounded(t *testing.T) {
	set := settings
	set.MaxSockets = 2
	l := newLab(t, set, echo)
	l.open(t, "/a")
	b := l.open(t, "/b")
	if _, err := l.dial(t.Context(), l.front, "/c"); err == nil {
		t.Fatal("a third was opened")
	}
	_ = b.Close()
	l.eventually(t, "a place is free", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return l.hub.joining == 1
	})
	l.open(t, "/c")
}

func TestAClientThatDoesNotAnswerHoldsUpNobody(t *testing.T) {
	l := newLab(t, settings, echo)
	l.open(t, "/alice") // never reads, so it never answers the close
	begun := time.Now()
	second := l.open(t, "/alice")
	if took := time.Since(begun); took > closeWait/2 {
		t.Errorf("the second socket took %v", took)
	}
	if err := second.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.ReadMessage(); err != nil {
		t.Error(err)
	}
}
