package wsconn

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// ends are a writer and the library's connection at the other end, which judges it.
func ends(t *testing.T, masked bool) (*writer, *websocket.Conn) {
	t.Helper()
	opened := make(chan *websocket.Conn, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		opened <- c
	}))
	t.Cleanup(s.Close)
	ours, _, err := websocket.DefaultDialer.Dial("ws"+s.URL[len("http"):], nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs := <-opened
	if !masked { // what comes from a server is not
		ours, theirs = theirs, ours
	}
	t.Cleanup(func() {
		_ = ours.Close()
		_ = theirs.Close()
	})
	_ = theirs.SetReadDeadline(time.Now().Add(10 * time.Second))
	return newWriter(ours.NetConn(), rawOf(t, ours.NetConn()), masked), theirs
}

func TestWriter(t *testing.T) {
	for _, masked := range []bool{false, true} {
		for _, n := range []int{0, 1, 125, 126, bufferSize - maxHeader - 1, bufferSize - maxHeader, bufferSize - 1, bufferSize, 2*bufferSize + 3, 1<<16 - 1, 1 << 16, 1 << 20} {
			t.Run(fmt.Sprintf("%d bytes, masked: %v", n, masked), func(t *testing.T) {
				o, judge := ends(t, masked)
				data := bytes.Repeat([]byte("0123456789a"), n/11+1)[:n]
				before := bytes.Clone(data)
				wrote := make(chan error, 1)
				go func() {
					_, one := o.message(websocket.TextMessage, data, time.Minute)
					_, two := o.piece(websocket.BinaryMessage, false, data, time.Minute)
					three := o.control(websocket.PingMessage, []byte("between"), time.Second)
					_, four := o.piece(0, true, data, time.Minute)
					wrote <- errors.Join(one, two, three, four)
					if !masked {
						_, err := o.encoded(Encode(websocket.TextMessage, data), time.Minute)
						wrote <- err
					}
				}()
				pinged := ""
				judge.SetPingHandler(func(p string) error {
					pinged = p
					return nil
				})
				for i, want := range [][]byte{data, append(bytes.Clone(data), data...), data} {
					if i == 2 && masked {
						break
					}
					kind, got, err := judge.ReadMessage()
					if err != nil || kind != websocket.TextMessage+i%2 || !bytes.Equal(got, want) {
						t.Fatalf("message %d: kind %d, %d bytes, %v", i, kind, len(got), err)
					}
					if i != 1 {
						continue
					}
					if err := <-wrote; err != nil || pinged != "between" {
						t.Errorf("%v; pinged with %q", err, pinged)
					}
				}
				if !bytes.Equal(data, before) {
					t.Error("the caller's bytes are masked")
				}
			})
		}
	}
}

// TestWriterMasks: each frame has a key of its own (RFC 6455 §5.3).
func TestWriterMasks(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	o := newWriter(here, nil, true)
	keys := map[string]int{}
	go func() {
		for range 100 {
			_, _ = o.message(websocket.TextMessage, []byte("text"), time.Second) // the reader finds out
		}
	}()
	frame := make([]byte, 10)
	for range 100 {
		if _, err := there.Read(frame); err != nil {
			t.Fatal(err)
		}
		keys[string(frame[2:6])]++
	}
	if len(keys) != 100 {
		t.Errorf("%d keys for 100 frames", len(keys))
	}
}

func TestNothingFollowsAClose(t *testing.T) {
	o, judge := ends(t, false)
	if err := o.control(websocket.CloseMessage, websocket.FormatCloseMessage(4401, "bye"), time.Second); err != nil {
		t.Fatal(err)
	}
	_, message := o.message(websocket.TextMessage, []byte("late"), time.Second)
	_, frame := o.encoded(Encode(websocket.TextMessage, nil), time.Second)
	_, begun, offer := o.offer(Encode(websocket.TextMessage, nil))
	if !begun {
		t.Error("an offer: another try would be made")
	}
	for name, err := range map[string]error{
		"a message": message, "a frame": frame, "an offer": offer,
		"a ping":  o.control(websocket.PingMessage, nil, time.Second),
		"a close": o.control(websocket.CloseMessage, nil, time.Second),
	} {
		if !errors.Is(err, errSaidAll) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := judge.ReadMessage(); !websocket.IsCloseError(err, 4401) {
		t.Error(err)
	}
}

// TestWriterThatNobodyTakes: a write ends in time, a control frame does not wait for it
// longer than it may, and nothing follows what was cut.
func TestWriterThatNobodyTakes(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	o := newWriter(here, nil, false)
	ended := make(chan error, 1)
	go func() {
		_, err := o.message(websocket.TextMessage, []byte("text"), 300*time.Millisecond)
		ended <- err
	}()
	for len(o.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	start := time.Now()
	if err := o.control(websocket.PingMessage, nil, 10*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > 200*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	err := <-ended
	if n, ok := errors.AsType[net.Error](err); !ok || !n.Timeout() {
		t.Error(err)
	}
	if _, again := o.message(websocket.TextMessage, []byte("text"), time.Minute); again == nil || again.Error() != err.Error() {
		t.Errorf("after that: %v", again)
	}
}

// TestWriterWaits: what does not fit is written when it is read, an offer never waits
// and is finished later, and a deadline of before is no later write's.
func TestWriterWaits(t *testing.T) {
	o, judge := ends(t, false)
	const within = 2 * time.Second
	some := Encode(websocket.TextMessage, []byte("some"))
	left, begun, err := o.offer(Encode(websocket.TextMessage, make([]byte, 32<<20))) // more than any connection takes
	if err != nil || !begun || left == nil {
		t.Fatalf("begun: %v, %d bytes left, %v", begun, len(left), err)
	}
	if _, begun, err := o.offer(some); begun || err != nil {
		t.Errorf("another's turn: begun: %v, %v", begun, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		time.Sleep(2 * slowWrite)
		for _, n := range []int{32 << 20, len("after"), len("some")} {
			if _, p, err := judge.ReadMessage(); err != nil || len(p) != n {
				t.Errorf("%d bytes of %d, %v", len(p), n, err)
				return
			}
		}
	}()
	if late, err := o.finish(left, within); err != nil || !late {
		t.Errorf("late: %v, %v", late, err)
	}
	time.Sleep(within + within/4)
	if late, err := o.message(websocket.TextMessage, []byte("after"), within); err != nil || late {
		t.Errorf("after its time: late: %v, %v", late, err)
	}
	if _, err := o.encoded(some, within); err != nil {
		t.Error(err)
	}
	<-read
}

func newWriter(c net.Conn, raw syscall.RawConn, masked bool) *writer {
	w := &writer{}
	w.init(c, raw, masked, lent())
	return w
}

// lent are buffers as a Poller's.
func lent() *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}
}

func rawOf(t *testing.T, c net.Conn) syscall.RawConn {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
