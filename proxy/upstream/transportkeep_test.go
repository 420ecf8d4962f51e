package upstream

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/upstream/rawserver"
)

const evilAnswer = rawserver.EvilAnswer

// surplus is a way in which more than the answer can lie on a connection: what is
// written at once, and what comes behind it when nobody asks.
type surplus struct {
	name        string
	at, later   string
	end         bool // the connection is closed behind it
	onlyMethods string
}

func surpluses() []surplus {
	long := "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000)
	return []surplus{
		{name: "a second answer in the same write", at: okAnswer + evilAnswer},
		{name: "a second answer behind a long one", at: long + evilAnswer},
		{name: "a second answer later", at: okAnswer, later: evilAnswer},
		{name: "a second answer later, behind a long one", at: long, later: evilAnswer},
		{name: "half of a second answer", at: okAnswer, later: evilAnswer[:20]},
		{name: "one byte", at: okAnswer, later: "H"},
		{name: "an empty line", at: okAnswer, later: "\r\n"},
		{name: "an informational answer", at: okAnswer, later: "HTTP/1.1 103 Early Hints\r\n\r\n"},
		{name: "a balancer's 408", at: okAnswer, later: "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", end: true},
		{name: "an end", at: okAnswer, end: true},
		{name: "behind the last chunk", at: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", later: evilAnswer},
		{name: "a 204 with a body", at: "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil" + evilAnswer},
		{name: "a 204 with a body later", at: "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", later: "evil" + evilAnswer},
		{name: "a 304 with a body", at: "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil" + evilAnswer},
		{name: "a 304 with a body later", at: "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", later: "evil" + evilAnswer},
		{name: "a 304 with chunks later", at: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", later: "4\r\nevil\r\n0\r\n\r\n" + evilAnswer},
		{name: "an empty answer with more", at: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", later: evilAnswer},
		{name: "an answer to HEAD with a body", at: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", later: "evil" + evilAnswer, onlyMethods: "HEAD"},
	}
}

// hostileCat answers /poison with the surplus, and everything else with its target.
// later is told when the rest may come, and tells when it has.
func hostileCat(t *testing.T, s surplus) (w *wire, later chan chan struct{}) {
	later = make(chan chan struct{})
	return newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for {
			r, ok := next()
			if !ok {
				return
			}
			if r.URL.Path != "/poison" {
				echo(c, r)
				continue
			}
			_, _ = io.WriteString(c, s.at)
			done := <-later
			_, _ = io.WriteString(c, s.later)
			if s.end {
				_ = c.(*net.TCPConn).CloseWrite()
			}
			close(done)
		}
	}), later
}

// echo answers with the target, in the head and, where there may be one, in the body.
func echo(c io.Writer, r *http.Request) { rawserver.Echo(c, r) }

// askAs sends one request of the owner's and returns what the answer says that it is of.
func askAs(t *testing.T, u *Client, owner, method, path string, body []byte) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, u.base.String()+path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if len(body) == 0 {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	}
	resp, err := u.RoundTrip(req, owner, false)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return resp.Header.Get("X-Of"), err
}

// TestRoundTripNeverGivesWhatWasLeft asks once over each surplus, and then as the same
// person, in each method: the answer is the request's own.
func TestRoundTripNeverGivesWhatWasLeft(t *testing.T) {
	for _, s := range surpluses() {
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"} {
			t.Run(s.name+", then "+method, func(t *testing.T) {
				w, later := hostileCat(t, s)
				u := w.upstream(t, 5*time.Second)
				first := "GET"
				if s.onlyMethods != "" {
					first = s.onlyMethods
				}
				if _, err := askAs(t, u, "alice", first, "/poison", nil); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				later <- done
				<-done // on loopback it has arrived by now
				for i := range 3 {
					path := fmt.Sprintf("/of/%d", i)
					if of, err := askAs(t, u, "alice", method, path, nil); of != path || err != nil {
						t.Fatalf("%s got the answer of %q, %v", path, of, err)
					}
				}
			})
		}
	}
}

// TestRoundTripNeverSharesConnections lets a second answer come while the next
// request is under way, where no look can help: it must be of nobody else's.
func TestRoundTripNeverSharesConnections(t *testing.T) {
	const people = 4
	poisoned, under := make(chan net.Conn, people), make(chan struct{}, people)
	written := make(chan struct{})
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for {
			r, ok := next()
			if !ok {
				return
			}
			if r.URL.Path == "/poison" {
				echo(c, r)
				poisoned <- c
				continue
			}
			under <- struct{}{}
			<-written
			echo(c, r)
		}
	})
	u := w.upstream(t, 10*time.Second)
	if of, err := askAs(t, u, "bob", "GET", "/poison", nil); of != "/poison" || err != nil {
		t.Fatal(of, err)
	}
	answers := make(chan error, people)
	for i := range people {
		go func() {
			path := fmt.Sprintf("/of/%d", i)
			of, err := askAs(t, u, fmt.Sprintf("person %d", i), "GET", path, nil)
			if err == nil && of != path {
				err = fmt.Errorf("%s got the answer of %q", path, of)
			}
			answers <- err
		}()
	}
	for range people {
		<-under
	}
	_, _ = io.WriteString(<-poisoned, evilAnswer)
	close(written)
	for range people {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

// TestRoundTripKeepsNothingInDoubt counts the connections of two requests of one
// person: one, unless the first left a doubt behind.
func TestRoundTripKeepsNothingInDoubt(t *testing.T) {
	ok := func(head string) string { return "HTTP/1.1 200 OK\r\n" + head + "\r\n\r\nok" }
	for name, c := range map[string]struct {
		method, answer string
		body           int
		conns          int64
	}{
		"plain":                      {"GET", okAnswer, 0, 1},
		"a small body":               {"PUT", okAnswer, 1 << 10, 1},
		"a HEAD without a length":    {"HEAD", "HTTP/1.1 200 OK\r\n\r\n", 0, 1},
		"a 304":                      {"GET", "HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n", 0, 1},
		"a 204 of no bytes":          {"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0, 1},
		"a HEAD with a length":       {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 0, 2},
		"a 304 with a length":        {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 0, 2},
		"a 204 with a length":        {"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 0, 2},
		"a 103 with a length":        {"GET", "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n" + okAnswer, 0, 2},
		"two words on the length":    {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0, 2},
		"the same, the other way":    {"GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0, 2},
		"one length twice":           {"GET", ok("Content-Length: 2\r\nContent-Length: 2"), 0, 2},
		"a bare line feed":           {"GET", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", 0, 2},
		"a bare line feed as an end": {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\n\nok", 0, 2},
		"a folded line":              {"GET", ok("X: a\r\n b\r\nContent-Length: 2"), 0, 2},
		"a body of several writes":   {"PUT", okAnswer, 60 << 10, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, func(_ int, conn net.Conn, next func() (*http.Request, bool)) {
				for _, ok := next(); ok; _, ok = next() {
					_, _ = io.WriteString(conn, c.answer)
				}
			})
			u := w.upstream(t, 5*time.Second)
			for range 2 {
				if _, err := askAs(t, u, "alice", c.method, "/", make([]byte, c.body)); err != nil {
					t.Fatal(err)
				}
			}
			if n := w.Conns.Load(); n != c.conns {
				t.Errorf("%d connections, want %d", n, c.conns)
			}
		})
	}
}

// TestRoundTripRepeatsWhatABalancerGaveUp lets a 408 cross the second request.
func TestRoundTripRepeatsWhatABalancerGaveUp(t *testing.T) {
	var served atomic.Int64
	w := newWire(t, func(n int, c net.Conn, next func() (*http.Request, bool)) {
		for {
			r, ok := next()
			if !ok {
				return
			}
			if n == 1 && served.Load() == 1 {
				_, _ = io.WriteString(c, "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				return
			}
			served.Add(1)
			echo(c, r)
		}
	})
	u := w.upstream(t, 5*time.Second)
	for _, path := range []string{"/a", "/b"} {
		if of, err := askAs(t, u, "alice", "GET", path, nil); of != path || err != nil {
			t.Errorf("%s got the answer of %q, %v", path, of, err)
		}
	}
}

// TestRoundTripKeepsTheNewest fills the pool: the connections of people who went
// away make room.
func TestRoundTripKeepsTheNewest(t *testing.T) {
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for r, ok := next(); ok; r, ok = next() {
			echo(c, r)
		}
	})
	u := w.upstream(t, 5*time.Second)
	for i := range upstreamPool + 5 {
		if _, err := askAs(t, u, fmt.Sprint(i), "GET", "/", nil); err != nil {
			t.Fatal(err)
		}
	}
	before := w.Conns.Load()
	if _, err := askAs(t, u, fmt.Sprint(upstreamPool+4), "GET", "/", nil); err != nil || w.Conns.Load() != before {
		t.Errorf("the newest was not kept: %d connections more, %v", w.Conns.Load()-before, err)
	}
	u.repeated.mu.Lock()
	defer u.repeated.mu.Unlock()
	if n := len(u.repeated.idle); n > upstreamPool {
		t.Errorf("%d are kept", n)
	}
}

// secureWire is a hostile Cat that speaks TLS. It serves each connection with f.
func secureWire(t *testing.T, f func(c *tls.Conn, below net.Conn, in *bufio.Reader)) (*Client, *atomic.Int64) {
	t.Helper()
	cert, pool := selfSigned(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	conns := new(atomic.Int64)
	go func() {
		for {
			below, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				c := tls.Server(below, &tls.Config{Certificates: []tls.Certificate{cert}})
				defer c.Close()
				f(c, below, bufio.NewReader(c))
			}()
		}
	}()
	base := &url.URL{Scheme: "https", Host: ln.Addr().String()}
	u := NewClient(ClientOptions{Base: base, ConnectTimeout: 5 * time.Second, ResponseTimeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler)})
	u.repeated.dial = catDialer(u.plain, &tls.Config{RootCAs: pool, ClientSessionCache: tls.NewLRUClientSessionCache(8)})
	t.Cleanup(u.Close)
	return u, conns
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestRoundTripOverTLS holds connections with TLS to the same: the Cat's session
// tickets are nothing, and an answer too many is seen where crypto/tls has it.
func TestRoundTripOverTLS(t *testing.T) {
	record := func(parts ...string) func(*tls.Conn, net.Conn) {
		return func(c *tls.Conn, _ net.Conn) {
			for _, p := range parts {
				_, _ = io.WriteString(c, p)
			}
		}
	}
	for name, c := range map[string]struct {
		poison func(c *tls.Conn, below net.Conn)
		conns  int64
	}{
		"nothing more":              {record(okAnswer), 1},
		"in the same record":        {record(okAnswer + evilAnswer), 2},
		"in the next record":        {record(okAnswer, evilAnswer), 2},
		"the beginning of a record": {func(c *tls.Conn, below net.Conn) { record(okAnswer)(c, below); _, _ = below.Write([]byte{23, 3, 3}) }, 2},
		"a record without its end": {func(c *tls.Conn, below net.Conn) {
			record(okAnswer)(c, below)
			_, _ = below.Write([]byte{23, 3, 3, 0, 9, 1})
		}, 2},
		"something that is no record": {func(c *tls.Conn, below net.Conn) {
			record(okAnswer)(c, below)
			_, _ = io.WriteString(below, evilAnswer)
		}, 2},
		"a close":                        {func(c *tls.Conn, below net.Conn) { record(okAnswer)(c, below); _ = c.CloseWrite() }, 2},
		"a long answer and a second one": {record("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n"+strings.Repeat("x", 20000), evilAnswer), 2},
	} {
		t.Run(name, func(t *testing.T) {
			poisoned := make(chan struct{})
			u, conns := secureWire(t, func(conn *tls.Conn, below net.Conn, in *bufio.Reader) {
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if r.URL.Path != "/poison" {
						echo(conn, r)
						continue
					}
					c.poison(conn, below)
					close(poisoned)
				}
			})
			if _, err := askAs(t, u, "alice", "GET", "/poison", nil); err != nil {
				t.Fatal(err)
			}
			<-poisoned
			for i := range 5 {
				path := fmt.Sprintf("/of/%d", i)
				if of, err := askAs(t, u, "alice", "POST", path, nil); of != path || err != nil {
					t.Fatalf("%s got the answer of %q, %v", path, of, err)
				}
			}
			if n := conns.Load(); n != c.conns {
				t.Errorf("%d connections, want %d", n, c.conns)
			}
		})
	}
}

// TestAConnectionWithoutALookIsNotKept fails closed.
func TestAConnectionWithoutALookIsNotKept(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	if _, err := newTCPConn(a); !errors.Is(err, errNoDescriptor) {
		t.Errorf("%v", err)
	}
	w := newWire(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for r, ok := next(); ok; r, ok = next() {
			echo(c, r)
		}
	})
	u := w.upstream(t, time.Second)
	u.repeated.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return u.plain.DialContext(ctx, network, address) // not the Cat's dialer
	}
	for range 2 {
		if _, err := askAs(t, u, "alice", "GET", "/", nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// BenchmarkLook is the cost of the look at a kept connection.
func BenchmarkLook(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	conn, err := catDialer(&net.Dialer{}, nil)(b.Context(), "tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	c := newCatConn(conn, "alice")
	b.ReportAllocs()
	for b.Loop() {
		if !c.tcp.quiet(c.Conn) {
			b.Fatal("not quiet")
		}
	}
}
