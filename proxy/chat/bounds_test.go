package chat

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
)

// TestASlowClientHoldsUpNobody: of two subscribers one does not read. The other hears
// everything, and the slow one is closed with a reason that it finds when it reads.
func TestASlowClientHoldsUpNobody(t *testing.T) {
	set := shared
	set.MaxQueue = 1 << 20
	l, _ := newCatLab(t, Options{Settings: set})
	fast, slow := l.open(t, "/alice"), l.open(t, "/alice")
	start := time.Now()
	ask(t, fast, "flood 400 50000") // 20 MB: more than the kernel holds
	for i := range 400 {
		if f := hear(t, fast); !strings.HasPrefix(f.Content, strconv.Itoa(i)+" ") {
			t.Fatalf("%.20s instead of %d", f.Content, i)
		}
	}
	answer(t, fast)
	if took := time.Since(start); took > 20*time.Second { // it would be a minute
		t.Errorf("it took %v", took)
	}
	_ = slow.SetReadDeadline(time.Now().Add(10 * time.Second))
	if code, reason := closedWith(t, slow); code != websocket.CloseTryAgainLater && code != websocket.CloseAbnormalClosure {
		t.Errorf("%d %s", code, reason)
	}
	if e := l.closed(t, 1, websocket.CloseTryAgainLater, closeSlow.Reason); e.User.ID != "/alice" {
		t.Errorf("%+v", e)
	}
	ask(t, fast, "still here")
	if f := answer(t, fast); f.Content != "still here" {
		t.Errorf("%+v", f)
	}
}

// TestAloneTheCatWaits: a client that is only slower than the Cat loses nothing, and
// what is held for it is bounded in the meantime.
func TestAloneTheCatWaits(t *testing.T) {
	set := shared
	set.MaxQueue = 1 << 20
	l, _ := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	ask(t, w, "flood 400 50000")
	most := int64(0)
	for i := range 400 {
		if i%20 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
		most = max(most, l.hub.held.Load())
		if f := hear(t, w); !strings.HasPrefix(f.Content, strconv.Itoa(i)+" ") {
			t.Fatalf("%.20s instead of %d", f.Content, i)
		}
	}
	if most > 2<<20 {
		t.Errorf("%d KiB were held", most>>10)
	}
}

// TestAClientThatOnlySends reads nothing, ever. It is dropped, and nothing is held.
func TestAClientThatOnlySends(t *testing.T) {
	set := shared
	set.MaxQueue, set.Linger = 256<<10, 0
	l, _ := newCatLab(t, Options{Settings: set})
	l.hub.times.stall = 300 * time.Millisecond
	w := l.open(t, "/alice")
	go func() {
		for w.WriteJSON(map[string]string{"text": "flood 100 50000"}) == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	l.closed(t, 1, websocket.CloseTryAgainLater, closeSlow.Reason)
	_ = w.Close()
	l.eventually(t, "the line ends", func() bool { return l.hub.Count() == 0 })
}

// TestTheWholeIsBounded: what all hold together is bounded, too, and whoever would go
// beyond it is closed and told why.
func TestTheWholeIsBounded(t *testing.T) {
	set := shared
	set.MaxHeld = 1 << 20
	l, _ := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	_ = w.WriteMessage(websocket.TextMessage, []byte(`{"text":"`+strings.Repeat("x", 3<<20)+`"}`))
	if code, reason := closedWith(t, w); code != websocket.CloseTryAgainLater || reason != closeFull.Reason {
		t.Errorf("%d %s", code, reason)
	}
	if held := l.hub.held.Load(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
}

// TestAReplyThatIsTooLarge costs the turn and not the client.
func TestAReplyThatIsTooLarge(t *testing.T) {
	set := shared
	set.MaxReply = 100_000
	l, c := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	ask(t, w, "flood 1 200000")
	if f := answer(t, w); f.Name != "Interrupted" {
		t.Errorf("%+v", f)
	}
	l.eventually(t, "the Cat is back", func() bool { return c.everOpened("/alice") == 2 && c.speaksTo("/alice") })
	ask(t, w, "small")
	if f := answer(t, w); f.Content != "small" {
		t.Errorf("%+v", f)
	}
}

// TestTooFast: a message that comes too fast is refused with an error, whose sender
// may go on; one that does not stop is closed.
func TestTooFast(t *testing.T) { inBothModes(t, tooFastIn) }

func tooFastIn(t *testing.T, set Settings) {
	set.MessageRate = 5
	l, c := newCatLab(t, Options{Settings: set})
	w := l.open(t, "/alice")
	const burst = 4 // seconds
	for range 5*burst + 2 {
		ask(t, w, "x")
	}
	refused := 0
	for range 5*burst + 2 {
		if f := answer(t, w); f.Name == "TooManyMessages" {
			refused++
		}
	}
	if n := c.times("x"); refused < 1 || refused > 2 || n+refused != 5*burst+2 {
		t.Errorf("%d refused, %d delivered", refused, n)
	}
	go func() {
		for w.WriteJSON(map[string]string{"text": "y"}) == nil {
		}
	}()
	if code, reason := closedWith(t, w); code != websocket.ClosePolicyViolation || reason != closeTooFast.Reason {
		t.Errorf("%d %s", code, reason)
	}
}

func TestTheBoundOfAPerson(t *testing.T) {
	set := shared
	set.MaxPerUser = 2
	l := newLab(t, set, echo)
	l.open(t, "/alice")
	l.open(t, "/alice")
	if _, err := l.dial(t.Context(), l.front, "/alice"); err == nil {
		t.Error("a third was opened")
	}
	l.open(t, "/bob")
}

// TestASilentCatIsGone: one that answers no ping has gone, too.
func TestASilentCatIsGone(t *testing.T) {
	set := shared
	set.Ping, set.ReconnectFor = 50*time.Millisecond, 300*time.Millisecond
	release := make(chan struct{})
	l := newLab(t, set, func(*websocket.Conn) { <-release })
	defer close(release)
	w := l.open(t, "/alice")
	if code, reason := closedWith(t, w); code != websocket.CloseTryAgainLater {
		t.Errorf("%d %s", code, reason)
	}
}

// TestASilentClientIsFreed and another of the same person stays.
func TestASilentClientIsFreed(t *testing.T) {
	set := shared
	set.Ping = 50 * time.Millisecond
	l, _ := newCatLab(t, Options{Settings: set})
	l.open(t, "/alice") // never read from, so no ping is answered
	alive := l.open(t, "/alice")
	go func() { _, _ = closedWith(t, alive) }()
	l.closed(t, 1, 1006, wsconn.ClosingSilent.Reason)
	if n := len(l.hub.Sockets(info("/alice"))); n != 1 {
		t.Errorf("%d are left", n)
	}
}

// TestWhatAClientMayNotSend ends that client and no other of the same person.
func TestWhatAClientMayNotSend(t *testing.T) {
	l, c := newCatLab(t, Options{Settings: shared})
	other := l.open(t, "/alice")
	zero := []byte{0, 0, 0, 0}
	for code, raw := range map[int][]byte{
		1009: append([]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero...),
		1007: append([]byte{0x81, 0x83}, append(zero, 'a', 0xff, 'b')...),
		1002: append([]byte{0x83, 0x80}, zero...),
	} {
		w := l.open(t, "/alice")
		if _, err := w.NetConn().Write(raw); err != nil {
			t.Fatal(err)
		}
		if got, _ := closedWith(t, w); got != code {
			t.Errorf("closed with %d instead of %d", got, code)
		}
		_ = w.Close()
	}
	ask(t, other, "here")
	if f := answer(t, other); f.Content != "here" {
		t.Errorf("%+v", f)
	}
	if n := c.everOpened("/alice"); n != 1 {
		t.Errorf("%d sockets at the Cat", n)
	}
}
