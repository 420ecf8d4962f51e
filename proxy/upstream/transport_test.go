package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/upstream/rawserver"
	"go.uber.org/goleak"
)

// wire is a server of raw answers.
type wire struct{ *rawserver.Server }

func newWire(t *testing.T, f func(n int, c net.Conn, next func() (*http.Request, bool))) *wire {
	t.Helper()
	return &wire{rawserver.New(t, f)}
}

func (w *wire) upstream(t *testing.T, timeout time.Duration) *Client {
	t.Helper()
	u := NewClient(ClientOptions{Base: w.Base(), ConnectTimeout: time.Second, ResponseTimeout: timeout, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(u.Close)
	return u
}

// get asks once and returns status and body.
func (w *wire) get(t *testing.T, u *Client, method string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.Addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := u.RoundTrip(req, "alice", false)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestRoundTripReusesConnections(t *testing.T) {
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for {
			if _, ok := next(); !ok {
				return
			}
			_, _ = io.WriteString(c, okAnswer)
		}
	})
	u := w.upstream(t, time.Second)
	for range 20 {
		if status, body, err := w.get(t, u, "GET"); status != 200 || body != "ok" || err != nil {
			t.Fatal(status, body, err)
		}
	}
	if n := w.Conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestRoundTripFraming asks twice over answers that must not be used again, or
// whose end must be found: the second answer is never the first one's leftover.
func TestRoundTripFraming(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		body   string
		fails  bool
		conns  int64
	}{
		"chunked":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok", false, 1},
		"empty":              {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", false, 1},
		"no content":         {"HTTP/1.1 204 No Content\r\n\r\n", "", false, 1},
		"until the end":      {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", "ok", false, 2},
		"HTTP/1.0":           {"HTTP/1.0 200 OK\r\n\r\nok", "ok", false, 2},
		"more than its body": {okAnswer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "ok", false, 2},
		"a 500":              {"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nok", "ok", false, 2},
		"informative":        {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + okAnswer, "ok", false, 1},
		"cut short":          {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", "", true, 2},
		"a bad chunk":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", true, 2},
		"two lengths":        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "", true, 2},
		"no HTTP":            {"hello\r\n\r\n", "", true, 2},
		"a long head":        {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", upstreamHeaders) + "\r\n\r\n", "", true, 2},
		"only informative":   {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20), "", true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, func(_ int, conn net.Conn, next func() (*http.Request, bool)) {
				for {
					if _, ok := next(); !ok {
						return
					}
					_, _ = io.WriteString(conn, c.answer)
					if c.fails || strings.Contains(c.answer, "close") || strings.Contains(c.answer, "1.0") {
						return
					}
				}
			})
			u := w.upstream(t, time.Second)
			for i := range 2 {
				_, body, err := w.get(t, u, "GET")
				if (err != nil) != c.fails || err == nil && body != c.body {
					t.Fatalf("answer %d: %q %v", i, body, err)
				}
			}
			if n := w.Conns.Load(); n != c.conns {
				t.Errorf("%d connections, want %d", n, c.conns)
			}
		})
	}
}

// TestRoundTripRepeats lets the Cat close each connection under the second
// request: what is idempotent is asked again, a POST is only sent where it can
// arrive.
func TestRoundTripRepeats(t *testing.T) {
	for _, method := range []string{"GET", "PUT", "DELETE", "POST"} {
		var served atomic.Int64
		w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
			if _, ok := next(); ok {
				served.Add(1)
				_, _ = io.WriteString(c, okAnswer)
			}
		})
		u := w.upstream(t, time.Second)
		for i := range 10 {
			if status, _, err := w.get(t, u, method); status != 200 {
				t.Fatalf("%s %d: %v", method, i, err)
			}
			for !closedByPeer(u) { // the close is on its way
				time.Sleep(time.Millisecond)
			}
		}
		if n := served.Load(); n != 10 {
			t.Errorf("%s was served %d times", method, n)
		}
	}
}

// closedByPeer reports whether the close of the idle connection has arrived.
func closedByPeer(u *Client) bool {
	u.repeated.mu.Lock()
	defer u.repeated.mu.Unlock()
	for _, c := range u.repeated.idle {
		if c.tcp.quiet(c.Conn) {
			return false
		}
	}
	return true
}

// TestRoundTripNeverRepeatsWhatMayHaveArrived lets the Cat take a POST and close
// without an answer: it must not be sent twice.
func TestRoundTripNeverRepeatsWhatMayHaveArrived(t *testing.T) {
	var taken atomic.Int64
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for {
			r, ok := next()
			if !ok {
				return
			}
			if r.Method == http.MethodPost {
				taken.Add(1)
				return
			}
			_, _ = io.WriteString(c, okAnswer)
		}
	})
	u := w.upstream(t, time.Second)
	if _, _, err := w.get(t, u, "GET"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.get(t, u, "POST"); err == nil {
		t.Error("no error")
	}
	if n := taken.Load(); n != 1 {
		t.Errorf("taken %d times", n)
	}
}

func TestRoundTripEndsWithItsClient(t *testing.T) {
	gone := make(chan struct{})
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		next()
		_, _ = c.Read(make([]byte, 1))
		close(gone)
	})
	u := w.upstream(t, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+w.Addr+"/", nil)
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := u.RoundTrip(req, "alice", false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-gone
}

func TestRoundTripTimesOut(t *testing.T) {
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		next()
		_, _ = c.Read(make([]byte, 1))
	})
	if _, _, err := w.get(t, w.upstream(t, 50*time.Millisecond), "GET"); !isTimeout(err) {
		t.Errorf("%v", err)
	}
}

func TestRoundTripLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	w := &wire{&rawserver.Server{Addr: ln.Addr().String()}}
	u := w.upstream(t, time.Second)
	for range 100 {
		if _, _, err := w.get(t, u, "GET"); err != nil {
			t.Fatal(err)
		}
	}
	u.Close()
	_ = server.Close()
	<-served
}

func TestIdleConnectionsAreGivenUp(t *testing.T) {
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for {
			if _, ok := next(); !ok {
				return
			}
			_, _ = io.WriteString(c, okAnswer)
		}
	})
	u := w.upstream(t, time.Second)
	if _, _, err := w.get(t, u, "GET"); err != nil {
		t.Fatal(err)
	}
	u.repeated.mu.Lock()
	u.repeated.idle[0].since = time.Now().Add(-upstreamIdle)
	u.repeated.mu.Unlock()
	u.repeated.sweep()
	if u.repeated.mu.Lock(); len(u.repeated.idle) != 0 || u.repeated.sweeping != nil {
		t.Error("an old connection is kept")
	}
	u.repeated.mu.Unlock()
	u.Close()
	if _, _, err := w.get(t, u, "GET"); err != nil {
		t.Errorf("a request under way at the end: %v", err)
	}
	if u.repeated.mu.Lock(); len(u.repeated.idle) != 0 {
		t.Error("a connection came back after the end")
	}
	u.repeated.mu.Unlock()
}
