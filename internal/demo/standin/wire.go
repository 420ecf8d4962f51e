package standin

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// headLimit is the longest head that is kept as it came.
const headLimit = 1 << 20

// tapKey is where a connection is found in its requests' context.
type tapKey struct{}

// tap listens to what a client sends and keeps the heads of its requests, since
// Go's server changes the spelling of header names and trims their values.
type tap struct {
	net.Conn

	mu      sync.Mutex
	off     bool
	line    []byte // the head, or the line of a chunked body, that is being read
	skip    int64  // bytes of a body still to come
	chunked bool   // in a chunked body
	trailer bool   // after its last chunk
	heads   [][]Header
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	t.feed(p[:n])
	t.mu.Unlock()
	return n, err
}

func (t *tap) feed(b []byte) {
	for len(b) > 0 && !t.off {
		if t.skip > 0 {
			n := min(t.skip, int64(len(b)))
			t.skip -= n
			b = b[n:]
			continue
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			t.line = append(t.line, b...)
			t.off = len(t.line) > headLimit
			return
		}
		t.line = append(t.line, b[:i+1]...)
		b = b[i+1:]
		if t.chunked {
			t.chunkLine()
		} else {
			t.headLine()
		}
	}
}

// headLine looks whether the head is whole.
func (t *tap) headLine() {
	if strings.TrimRight(string(t.line), "\r\n") == "" {
		t.line = t.line[:0] // an empty line before a request
		return
	}
	if !bytes.HasSuffix(t.line, []byte("\n\r\n")) && !bytes.HasSuffix(t.line, []byte("\n\n")) {
		t.off = len(t.line) > headLimit
		return
	}
	var head []Header
	for i, l := range strings.Split(string(t.line), "\n") {
		name, value, ok := strings.Cut(strings.TrimSuffix(l, "\r"), ":")
		if i == 0 || !ok {
			continue
		}
		value = strings.TrimLeft(value, " \t")
		head = append(head, Header{name, value})
		switch strings.ToLower(name) {
		case "content-length":
			t.skip, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		case "transfer-encoding":
			t.chunked = true
		}
	}
	t.heads = append(t.heads, head)
	t.line = nil
}

// chunkLine reads the size of a chunk, or a line after the last one.
func (t *tap) chunkLine() {
	text := strings.TrimRight(string(t.line), "\r\n")
	t.line = t.line[:0]
	if t.trailer {
		if text == "" {
			t.chunked, t.trailer = false, false
		}
		return
	}
	size, _, _ := strings.Cut(text, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
	switch {
	case err != nil:
		t.off = true
	case n == 0:
		t.trailer = true
	default:
		t.skip = n + 2
	}
}

// next is the head of the request that is answered now.
func (t *tap) next() []Header {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heads) == 0 {
		return nil
	}
	head := t.heads[0]
	t.heads = t.heads[1:]
	return head
}

// headOf is a request's header lines, as they came if the connection is tapped.
func headOf(r *http.Request) []Header {
	if t, ok := r.Context().Value(tapKey{}).(*tap); ok {
		if head := t.next(); head != nil {
			return head
		}
	}
	var head []Header
	for name, values := range r.Header {
		for _, v := range values {
			head = append(head, Header{name, v})
		}
	}
	return head
}

// stopTap leaves a connection alone once it is a WebSocket.
func (e *exchange) stopTap() {
	if t, ok := e.r.Context().Value(tapKey{}).(*tap); ok {
		t.mu.Lock()
		t.off = true
		t.mu.Unlock()
	}
}

// taps is a listener whose connections are tapped.
type taps struct{ net.Listener }

func (l taps) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tap{Conn: conn}, nil
}
