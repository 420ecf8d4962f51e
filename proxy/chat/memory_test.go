package chat

import (
	"bufio"
	"crypto/sha1" // the hash of the handshake itself (RFC 6455 §1.3)
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

// rawCat answers handshakes and then holds its connections without a goroutine or
// a buffer, so that what is measured is ours.
type rawCat struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func newRawCat(t testing.TB) *rawCat {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rawCat{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.answer(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range r.conns {
			_ = c.Close()
		}
	})
	return r
}

func (r *rawCat) answer(c net.Conn) {
	req, err := http.ReadRequest(bufio.NewReaderSize(c, 1<<10))
	if err != nil {
		_ = c.Close()
		return
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
}

// rawOpen opens a socket and leaves it alone.
func rawOpen(addr, path string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	head := make([]byte, 512)
	n, err := c.Read(head)
	if err == nil && !strings.HasPrefix(string(head[:n]), "HTTP/1.1 101") {
		err = fmt.Errorf("%.40q", head[:n])
	}
	return c, err
}

type memory struct{ heap, stack, resident float64 } // KiB

func inUse() memory {
	debug.FreeOSMemory()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	got := memory{heap: float64(m.HeapAlloc) / 1024, stack: float64(m.StackInuse) / 1024}
	if p, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, resident int
		_, _ = fmt.Sscan(string(p), &size, &resident)
		got.resident = float64(resident*os.Getpagesize()) / 1024
	}
	return got
}

func (m memory) per(n int, base memory) memory {
	return memory{(m.heap - base.heap) / float64(n), (m.stack - base.stack) / float64(n), (m.resident - base.resident) / float64(n)}
}

// idleSocket measures what an open socket costs that says nothing. The two ends are
// of this process, too: what a pair of them costs alone is taken off.
func idleSocket(t testing.TB, mode Mode, n int) memory {
	cat := newRawCat(t)
	var ends []net.Conn
	hold := func(addr string) {
		for i := range n {
			c, err := rawOpen(addr, fmt.Sprintf("/%d", i))
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, c)
		}
	}
	set := shared
	set.Mode, set.Ping = mode, time.Minute
	l := newLab(t, set, echo)
	l.hub.o.Observe = func(Event) {}
	l.catAddr = cat.Addr().String()
	none := inUse()
	hold(l.catAddr)
	alone := inUse().per(n, none) // two ends
	start := inUse()
	hold(strings.TrimPrefix(l.front.URL, "http://"))
	for l.hub.Count() < n {
		time.Sleep(time.Millisecond)
	}
	pair := inUse().per(n, start)
	for _, c := range ends {
		_ = c.Close()
	}
	for l.hub.Count() > 0 {
		time.Sleep(time.Millisecond)
	}
	return memory{pair.heap - alone.heap, pair.stack - alone.stack, pair.resident - alone.resident}
}

// TestAnIdleSocketIsCheap holds what an idle socket may cost, each of another person.
func TestAnIdleSocketIsCheap(t *testing.T) {
	for _, c := range []struct {
		name string
		mode Mode
		most float64
	}{{"separate", Separate, 9}, {"shared", Shared, 16}} {
		t.Run(c.name, func(t *testing.T) { // what is left of one must not be measured with the next
			least := memory{heap: c.most + 1}
			for range 3 { // what other tests have left may go in the meantime, or come
				if m := idleSocket(t, c.mode, 500); m.heap+m.stack < least.heap+least.stack {
					least = m
				}
				if least.heap+least.stack <= c.most {
					return
				}
			}
			t.Errorf("%.1f KiB of heap and %.1f KiB of stack", least.heap, least.stack)
		})
	}
}

func BenchmarkIdleSocket(b *testing.B) {
	for _, mode := range []Mode{Separate, Shared} {
		b.Run(map[Mode]string{Separate: "separate", Shared: "shared"}[mode], func(b *testing.B) {
			m := idleSocket(b, mode, 2000)
			b.ReportMetric(m.heap, "KiB-heap")
			b.ReportMetric(m.stack, "KiB-stack")
			b.ReportMetric(m.heap+m.stack, "KiB/socket")
			b.ReportMetric(m.resident, "KiB-resident")
			b.ReportMetric(0, "ns/op")
		})
	}
}
