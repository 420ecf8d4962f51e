package wsconn

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fed is a connection that gives out bytes, at most so many at once.
type fed struct {
	net.Conn
	rest []byte
	most int
}

func (f *fed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), f.most)], f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *fed) Write(p []byte) (int, error)      { return len(p), nil }
func (f *fed) SetWriteDeadline(time.Time) error { return nil }
func (f *fed) SetReadDeadline(time.Time) error  { return nil }
func (f *fed) SetDeadline(time.Time) error      { return nil }
func (f *fed) Close() error                     { return nil }

// rawFed gives the same out as a connection does that can be asked without waiting.
type rawFed struct {
	*fed
	in *reader
}

func (f *rawFed) Control(func(uintptr)) error    { return nil }
func (f *rawFed) Write(func(uintptr) bool) error { return nil }

func (f *rawFed) Read(func(uintptr) bool) error {
	for {
		f.in.borrow()
		n, err := f.fed.Read(*f.in.buf)
		if f.in.err = err; err != nil || f.in.arrived(n) {
			return nil
		}
	}
}

// told is what a reader makes of a stream.
type told struct {
	messages []string
	control  []string
	code     int // of the close; 0 for a malformed frame, 1 for a message that is too large
}

func (t *told) gotPing(p []byte) { t.control = append(t.control, "ping "+string(p)) }
func (t *told) gotPong(p []byte) { t.control = append(t.control, "pong "+string(p)) }
func (t *told) gotClose(int)     {}

func ofReader(stream []byte, most int, raw bool) (got told) {
	conn := &fed{rest: stream, most: most}
	r := &reader{conn: conn, masked: true, limit: 1000, pool: lent(), controls: &got}
	if raw {
		r.raw, r.poller = &rawFed{conn, r}, NewPoller(time.Hour)
	}
	got.code = codeOf(r.serve(func(kind int) error {
		p, err := io.ReadAll(r)
		if err == nil {
			got.messages = append(got.messages, string(rune('0'+kind))+string(p))
		}
		return err
	}, nil))
	return got
}

func ofLibrary(stream []byte) (got told) {
	c := libraryConn(stream)
	c.SetReadLimit(1000)
	c.SetPingHandler(func(p string) error { got.control = append(got.control, "ping "+p); return nil })
	c.SetPongHandler(func(p string) error { got.control = append(got.control, "pong "+p); return nil })
	for {
		kind, p, err := c.ReadMessage()
		if err != nil {
			got.code = codeOf(err)
			return got
		}
		got.messages = append(got.messages, string(rune('0'+kind))+string(p))
	}
}

// libraryConn shakes hands with the library, and gives it a stream then.
func libraryConn(stream []byte) *websocket.Conn {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	c, err := (&websocket.Upgrader{}).Upgrade(hijacked{httptest.NewRecorder(), &fed{rest: stream, most: 1 << 20}}, r, nil)
	if err != nil {
		panic(err)
	}
	return c
}

type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func codeOf(err error) int {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		return 1
	}
	return 0
}

// FuzzReader compares with the library's reader, in pieces of several sizes, read one
// message at a time and all that has come at once.
func FuzzReader(f *testing.F) {
	zero := []byte{0, 0, 0, 0}
	text := append([]byte{0x81, 0x85, 1, 2, 3, 4}, 'h'^1, 'e'^2, 'l'^3, 'l'^4, 'o'^1)
	f.Add(slices.Concat(text, []byte{0x89, 0x80}, zero, text))
	f.Add(slices.Concat([]byte{0x01, 0x82}, zero, []byte("ab"), []byte{0x8a, 0x81}, zero, []byte("p"), []byte{0x80, 0x81}, zero, []byte("c"), []byte{0x88, 0x82}, zero, []byte{0x03, 0xe8}))
	f.Add(slices.Concat([]byte{0x82, 0xfe, 0x01, 0x00}, zero, bytes.Repeat([]byte("x"), 256)))
	f.Add(slices.Concat([]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero))
	f.Add(slices.Concat([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero))
	f.Add([]byte{0xc1, 0x80, 0, 0, 0, 0})
	f.Add([]byte{0x88, 0x81, 0, 0, 0, 0, 3})
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, library := ofReader(stream, 1<<20, false), ofLibrary(stream)
		same := func(a, b told) bool {
			return slices.Equal(a.messages, b.messages) && slices.Equal(a.control, b.control) && a.code == b.code
		}
		if library.code == 1 && whole.code == websocket.CloseAbnormalClosure {
			library.code = whole.code // a length is refused there before the key has come
		}
		for _, raw := range []bool{false, true} {
			for _, most := range []int{3, 40, 1 << 20} {
				if pieces := ofReader(stream, most, raw); !same(whole, pieces) {
					t.Fatalf("%x: %+v whole, %+v in pieces of %d, raw: %v", stream, whole, pieces, most, raw)
				}
			}
		}
		if !same(whole, library) && !differsByRule(stream) {
			t.Fatalf("%x: %+v here, %+v by the library", stream, whole, library)
		}
	})
}

// differsByRule names where this reader is not the library's: a close of one byte is
// malformed (RFC 6455 §5.5.1), and 1014 and 1015 are judged as the IANA's list has it now.
func differsByRule(stream []byte) bool {
	for i := range stream {
		if stream[i]&0x0f == websocket.CloseMessage {
			return true
		}
	}
	return false
}

func newReader(c net.Conn, masked bool, p *Poller) *reader {
	r := &reader{}
	r.init(c, masked, lent(), p)
	return r
}

// TestRoom: a message gets little more than has come of it, whatever its head claims.
func TestRoom(t *testing.T) {
	for _, row := range []struct {
		name             string
		have, left, most int64
		final            bool
		want             int64
	}{
		{"small", 0, 10, 16 << 20, true, 11},
		{"unknown", 0, 10, 16 << 20, false, 513},
		{"claims much", 0, 16 << 20, 16 << 20, true, 513},
		{"doubles", 2000, 16 << 20, 16 << 20, true, 4001},
		{"a quarter", 1 << 20, 16 << 20, 16 << 20, true, 1<<20 + 256<<10 + 1},
		{"its end", 1 << 20, 10, 16 << 20, true, 1<<20 + 11},
		{"the limit", 15 << 20, 10, 16 << 20, false, 16<<20 + 1},
		{"no limit", 1 << 20, 1 << 20, 0, false, 1<<20 + 256<<10 + 1},
	} {
		r := &reader{left: row.left, final: row.final, limit: row.most}
		if got := r.room(row.have, 0); got != row.want {
			t.Errorf("%s: %d instead of %d", row.name, got, row.want)
		}
	}
}

// TestDue: a message has more time when more of it has come, also on a connection that
// can't be asked whether there is something to read, as one with TLS.
func TestDue(t *testing.T) {
	for name, hide := range map[string]bool{"plain": false, "as with TLS": true} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := connected(t)
			if hide {
				ours = struct{ net.Conn }{ours}
			}
			r := newReader(ours, true, nil)
			r.within = 200 * time.Millisecond
			head := append(binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, 1<<20), 0, 0, 0, 0)
			if _, err := theirs.Write(append(head, make([]byte, Slowest)...)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.next(); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			n, err := io.Copy(io.Discard, r)
			if took := time.Since(start); !errors.Is(err, errLate) || n != Slowest || took < time.Second {
				t.Errorf("%d bytes, %v after %s", n, err, took)
			}
		})
	}
}

// TestToCome: the time that a message has grows with it.
func TestToCome(t *testing.T) {
	if got := toCome(time.Second, 16<<20); got != 257*time.Second {
		t.Errorf("16 MiB may take %s", got)
	}
}

// TestDueIsOver: after a message that was waited for, the next may come whenever it does.
func TestDueIsOver(t *testing.T) {
	for name, hide := range map[string]bool{"plain": false, "as with TLS": true} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := connected(t)
			if hide {
				ours = struct{ net.Conn }{ours}
			}
			r := newReader(ours, true, nil)
			r.within = 300 * time.Millisecond
			var writer sync.WaitGroup
			defer writer.Wait()
			writer.Go(func() {
				for range 2 {
					_, _ = theirs.Write([]byte{0x82, 0x81, 0, 0, 0, 0})
					time.Sleep(50 * time.Millisecond)
					_, _ = theirs.Write([]byte{'x'})
					time.Sleep(500 * time.Millisecond) // longer than a message may take
				}
			})
			for range 2 {
				if _, err := r.next(); err != nil {
					t.Fatal(err)
				}
				if p, err := io.ReadAll(r); err != nil || string(p) != "x" {
					t.Fatalf("%q %v", p, err)
				}
			}
		})
	}
}

// connected returns the two ends of a connection.
func connected(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return ours, theirs
}

// TestCutWhileTaking: whoever cuts a connection does not wait for its reader, which may
// be taking a message and wait for what the other holds.
func TestCutWhileTaking(t *testing.T) {
	o, judge := ends(t, true)
	r := newReader(o.conn, false, NewPoller(time.Second))
	var held sync.Mutex
	taking, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- r.serve(func(int) error {
			_, err := io.Copy(io.Discard, r)
			close(taking)
			held.Lock()
			defer held.Unlock()
			return err
		}, nil)
	}()
	held.Lock()
	if err := judge.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	<-taking
	r.cut()
	_ = judge.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := judge.NetConn().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other end sees %v", err)
	}
	held.Unlock()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the reader goes on")
	}
}

// TestACutFreesWhoeverFloods: the other end, which waits for room to write, learns of a cut
// also when all that has come was read before the close.
func TestACutFreesWhoeverFloods(t *testing.T) {
	o, judge := ends(t, true)
	r := newReader(o.conn, false, NewPoller(time.Second))
	wrote, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		for {
			if err := judge.WriteMessage(websocket.TextMessage, make([]byte, 50_000)); err != nil {
				ended <- err
				return
			}
			select {
			case wrote <- struct{}{}:
			default:
			}
		}
	}()
	for full := false; !full; {
		select {
		case <-wrote:
		case <-time.After(300 * time.Millisecond):
			full = true
		}
	}
	r.shut()
	_ = o.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, _ = io.Copy(io.Discard, o.conn)
	r.close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("it goes on waiting")
	}
}
