// Package rawserver is a server of raw answers, for tests of what comes back from a Cat. Each
// connection is served by a script in a goroutine of its own. It has no lock.
package rawserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
)

// Server serves each connection with a script.
type Server struct {
	Addr  string
	Conns atomic.Int64 // how many have come
}

// New serves the nth connection with script, which is called with the way to read the next
// request, whose body is read and dropped. It ends with the test.
func New(t testing.TB, script func(n int, c net.Conn, next func() (*http.Request, bool))) *Server {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	s := &Server{Addr: ln.Addr().String()}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(int(s.Conns.Add(1)), c, script)
		}
	}()
	return s
}

func serve(n int, c net.Conn, script func(n int, c net.Conn, next func() (*http.Request, bool))) {
	defer c.Close() //nolint:errcheck // nothing is left to be written
	in := bufio.NewReader(c)
	script(n, c, func() (*http.Request, bool) {
		r, err := http.ReadRequest(in)
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		return r, err == nil
	})
}

// Base is its address.
func (s *Server) Base() *url.URL { return &url.URL{Scheme: "http", Host: s.Addr} }

// EvilAnswer is an answer that nobody has asked for.
const EvilAnswer = "HTTP/1.1 200 OK\r\nX-Of: another\r\nContent-Length: 4\r\n\r\nevil"

// Echo answers a request with its path, in the body and in X-Of.
func Echo(w io.Writer, r *http.Request) {
	body := r.URL.Path
	if r.Method == http.MethodHead {
		body = ""
	}
	_, _ = fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nX-Of: %s\r\nContent-Length: %d\r\n\r\n%s", r.URL.Path, len(r.URL.Path), body)
}
