package chat

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
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
	in *input
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

func ofInput(stream []byte, most int, raw bool) (got told) {
	conn := &fed{rest: stream, most: most}
	in := &input{conn: conn, masked: true, limit: 1000, pool: lent()}
	if raw {
		in.raw, in.parker = &rawFed{conn, in}, &parker{after: time.Hour}
	}
	in.ping = func(p []byte) { got.control = append(got.control, "ping "+string(p)) }
	in.pong = func(p []byte) { got.control = append(got.control, "pong "+string(p)) }
	in.closed = func(int) {}
	got.code = codeOf(in.serve(func(kind int) error {
		p, err := io.ReadAll(in)
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

// FuzzInput compares with the library's reader, in pieces of several sizes, read one
// message at a time and all that has come at once.
func FuzzInput(f *testing.F) {
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
		whole, library := ofInput(stream, 1<<20, false), ofLibrary(stream)
		same := func(a, b told) bool {
			return slices.Equal(a.messages, b.messages) && slices.Equal(a.control, b.control) && a.code == b.code
		}
		if library.code == 1 && whole.code == websocket.CloseAbnormalClosure {
			library.code = whole.code // a length is refused there before the key has come
		}
		for _, raw := range []bool{false, true} {
			for _, most := range []int{3, 40, 1 << 20} {
				if pieces := ofInput(stream, most, raw); !same(whole, pieces) {
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
