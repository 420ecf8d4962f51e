package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestSizesOfBodies: an upload may be larger than what is none, by a length or in
// chunks.
func TestSizesOfBodies(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxBody, o.MaxUpload = 100<<10, 300<<10 })
	for i, row := range []struct {
		method, path string
		size         int
		want         int
		rule         string
	}{
		{"POST", "/message", 90 << 10, 200, ""},
		{"POST", "/message", 110 << 10, 413, "limits.body_bytes"},
		{"PUT", "/settings/x", 110 << 10, 413, "limits.body_bytes"},
		{"POST", "/custom/x", 110 << 10, 413, "limits.body_bytes"},
		{"GET", "/custom/x", 110 << 10, 413, "limits.body_bytes"},
		{"POST", "/custom/public/x", 110 << 10, 413, "limits.body_bytes"},
		{"POST", "/rabbithole", 200 << 10, 200, ""},
		{"POST", "/rabbithole/", 200 << 10, 200, ""},
		{"POST", "/rabbithole/batch", 200 << 10, 200, ""},
		{"POST", "/rabbithole/memory", 200 << 10, 200, ""},
		{"POST", "/plugins/upload", 200 << 10, 200, ""},
		{"POST", "/plugins/upload", 310 << 10, 413, "limits.upload_bytes"},
		{"POST", "/plugins/upload/registry", 200 << 10, 413, "limits.body_bytes"},
		{"POST", "/rabbithole/web", 200 << 10, 413, "limits.body_bytes"},
	} {
		for _, chunks := range []bool{false, true} {
			target := fmt.Sprintf("%s?row=%d", row.path, i) // a request before may still be on its way to the Cat
			req := l.request(t, row.method, target, "admin", "")
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, row.size))), int64(row.size)
			if chunks {
				req.ContentLength = -1
			}
			resp, err := l.front.Client().Transport.RoundTrip(req)
			if err != nil {
				if row.want != 413 { // the server may cut the connection under the rest of the body
					t.Errorf("%s %s: %v", row.method, row.path, err)
				}
				continue
			}
			_ = resp.Body.Close()
			if resp.StatusCode != row.want {
				t.Errorf("%s %s of %d, in chunks %v: %d, want %d", row.method, row.path, row.size, chunks, resp.StatusCode, row.want)
			}
			if row.want == 413 && !chunks && l.cat.sawTarget(target) {
				t.Errorf("%s %s reached the Cat", row.method, row.path)
			}
		}
	}
}

// TestAnAnswerWaitsForNoBody: neither a refusal nor an early answer of the Cat's, and
// the connection ends behind it; behind a body that has come whole it goes on.
func TestAnAnswerWaitsForNoBody(t *testing.T) {
	l := newLab(t, func(o *Options) { o.BodyIdle, o.BodyUnread = 20*time.Second, time.Second })
	l.cat.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/custom/early" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	for _, row := range []struct {
		name, what, body string
		want             int
		goesOn           bool
	}{
		{"refused", "POST / HTTP/1.1\r\nContent-Length: 900", "1", 401, false},
		{"a page of ours", "GET /_catflap/session HTTP/1.1\r\nContent-Length: 900", "1", 200, false},
		{"a preflight", "OPTIONS / HTTP/1.1\r\nOrigin: https://app.example.com\r\nAccess-Control-Request-Method: GET\r\nContent-Length: 9", "1", 204, false},
		{"early", "POST /custom/early HTTP/1.1\r\nAuthorization: Bearer admin\r\nContent-Length: 900000", "1", 418, false},
		{"early, in chunks", "POST /custom/early HTTP/1.1\r\nAuthorization: Bearer admin\r\nTransfer-Encoding: chunked", "1\r\n1\r\n", 418, false},
		{"whole", "POST /custom/x HTTP/1.1\r\nAuthorization: Bearer admin\r\nContent-Length: 3", "123", 200, true},
		{"whole, large", "POST /custom/x HTTP/1.1\r\nAuthorization: Bearer admin\r\nContent-Length: 100000", strings.Repeat("x", 100000), 200, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := net.Dial("tcp", l.front.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // well below BodyIdle
			fmt.Fprintf(c, "%s\r\nHost: x\r\n\r\n%s", row.what, row.body)
			in := bufio.NewReader(c)
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != row.want || resp.Close == row.goesOn {
				t.Errorf("%d, closes %v", resp.StatusCode, resp.Close)
			}
			if row.goesOn {
				return
			}
			if _, err := in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection is held: %v", err)
			}
		})
	}
}

// TestPatience: how long the next bytes may take.
func TestPatience(t *testing.T) {
	for _, row := range []struct{ waited, received, rate, want time.Duration }{
		{0, 0, 0, time.Minute},
		{50 * time.Second, 0, 0, 10 * time.Second},
		{50 * time.Second, 5120, 0, 10 * time.Second},
		{50 * time.Second, 5120, 512, 20 * time.Second},
		{time.Hour, 1 << 40, 512, time.Minute},
	} {
		b := requestBody{idle: time.Minute, waited: row.waited, received: row.received, rate: row.rate}
		if got := b.patience(); got != row.want {
			t.Errorf("%v after %v and %d bytes, want %v", got, row.waited, row.received, row.want)
		}
	}
}
