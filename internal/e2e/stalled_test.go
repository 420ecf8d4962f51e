package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// nowhere is a provider that can't be reached.
type nowhere struct{}

func (nowhere) issuer() string { return "http://127.0.0.1:1" }

// places is how many connections the Catflap of these tests has.
const places = 100

// from is a client at an address of its own.
func from(t testing.TB, source, addr, raw string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: patience}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte(raw)); err != nil && !isHangUp(err) {
		t.Fatal(err)
	}
	return c
}

// served reports whether somebody at that address is answered within a few seconds.
func served(source, addr string) bool {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: 3 * time.Second}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := fmt.Fprintf(c, "GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", addr); err != nil {
		return false
	}
	n, _ := c.Read(make([]byte, 1))
	return n == 1
}

// TestStalledRequestsHoldNoPlace: one packet each, and then silence. Neither another
// address nor, after seconds, the same one is kept out.
func TestStalledRequestsHoldNoPlace(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := launch(t, config{
		cat: cat.tap.addr, limits: "connections: 100\nheader_timeout: 1s\nbody_idle: 1s\nidle: 20s",
		permissions: "everyone: [base]\npublic: [\"POST /custom/echo\", \"GET /custom/ping\"]",
		desks:       []desk{{name: "company", provider: nowhere{}, clientID: "catflap", secret: "catflap-secret"}},
	})
	f.await("serving", func() bool {
		return exchange(t, f.addr, "GET", request("GET /custom/ping", f.addr, "", "")).status == 200
	})
	head := func(what string, lines ...string) string {
		return strings.Join(append([]string{what + " HTTP/1.1", "Host: " + f.addr}, lines...), "\r\n") + "\r\n\r\n"
	}
	form := []string{"Content-Type: application/x-www-form-urlencoded", "Content-Length: 99", "Origin: " + publicURL(f.addr), "Sec-Fetch-Site: same-origin"}
	page := func(name string) string { return head("POST /_catflap/"+name, form...) + "a=" }
	for _, row := range []struct{ name, addr, raw string }{
		{"refused", f.addr, head("POST /", "Content-Length: 9")},
		{"refused, in its body", f.addr, head("POST /", "Content-Length: 9") + "12"},
		{"refused, without a word", f.addr, ""},
		{"refused, in its head", f.addr, "POST / HTTP/1.1\r\nHost"},
		{"GET with a body", f.addr, head("GET /", "Content-Length: 9")},
		{"chunks", f.addr, head("POST /", "Transfer-Encoding: chunked")},
		{"in a chunk", f.addr, head("POST /", "Transfer-Encoding: chunked") + "9\r\n12"},
		{"before the last chunk's end", f.addr, head("POST /", "Transfer-Encoding: chunked") + "1\r\n1\r\n0\r\n"},
		{"HTTP/1.0", f.addr, "POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 9\r\n\r\n"},
		{"expects 100", f.addr, head("POST /", "Expect: 100-continue", "Content-Length: 9")},
		{"pipelined behind", f.addr, head("POST /", "Content-Length: 9") + "123456789" + head("POST /", "Content-Length: 9")},
		{"forged token", f.addr, head("POST /message", "Authorization: Bearer x.y.z", "Content-Length: 9")},
		{"forwarded", f.addr, head("POST /custom/echo", "Content-Length: 9") + "1"},
		{"forwarded, in chunks", f.addr, head("POST /custom/echo", "Transfer-Encoding: chunked") + "9\r\n1"},
		{"forwarded, large", f.addr, head("POST /custom/echo", "Content-Length: 999999") + "1"},
		{"forwarded, expects 100", f.addr, head("POST /custom/echo", "Content-Length: 9", "Expect: 100-continue")},
		{"preflight", f.addr, head("OPTIONS /message", "Origin: http://x.example", "Access-Control-Request-Method: POST", "Content-Length: 9")},
		{"options of all", f.addr, head("OPTIONS *", "Content-Length: 9")},
		{"upgrade", f.addr, head("GET /ws", "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 9")},
		{"back-channel logout", f.addr, page("backchannel-logout")},
		{"logout", f.addr, page("logout")},
		{"login", f.addr, page("login")},
		{"callback", f.addr, page("callback/company")},
		{"ticket", f.addr, page("ticket")},
		{"session", f.addr, page("session")},
		{"no page", f.addr, page("nothing")},
		{"reload", f.admin, head("POST /-/reload", "Content-Length: 9")},
		{"health with a body", f.admin, head("GET /healthz", "Content-Length: 9")},
		{"options at the admin listener", f.admin, head("OPTIONS *", "Content-Length: 9")},
	} {
		t.Run(row.name, func(t *testing.T) {
			held := make([]net.Conn, 0, places)
			for range places {
				held = append(held, from(t, "127.0.0.4", row.addr, row.raw))
			}
			if !served("127.0.0.3", row.addr) {
				t.Error("another address is kept out")
			}
			begun := time.Now()
			for _, c := range held {
				untilClosed(t, c, begun.Add(20*time.Second))
			}
			f.await("open to the same address", func() bool { return served("127.0.0.4", row.addr) })
		})
	}
}

// untilClosed reads until the server has closed the connection.
func untilClosed(t testing.TB, c net.Conn, by time.Time) {
	t.Helper()
	defer c.Close()
	_ = c.SetReadDeadline(by)
	b := make([]byte, 4096)
	for {
		if _, err := c.Read(b); err != nil {
			if !isHangUp(err) {
				t.Fatal("a connection is held for longer than seconds")
			}
			return
		}
	}
}

// TestATrickleIsNoBody: a byte now and then keeps nobody's place.
func TestATrickleIsNoBody(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{
		cat: cat.tap.addr, limits: "header_timeout: 2s\nbody_idle: 2s",
		permissions: "everyone: [base]\npublic: [\"POST /custom/echo\"]",
	})
	for _, path := range []string{"/", "/custom/echo"} {
		c := from(t, "127.0.0.4", f.addr, "POST "+path+" HTTP/1.1\r\nHost: "+f.addr+"\r\nContent-Length: 900\r\n\r\n")
		tick := time.NewTicker(500 * time.Millisecond)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			untilClosed(t, c, time.Now().Add(20*time.Second))
		}()
		for over := false; !over; {
			select {
			case <-tick.C:
				_, _ = c.Write([]byte("x"))
			case <-closed:
				over = true
			}
		}
		tick.Stop()
	}
}

// TestIdleConnectionsGiveWay: kept connections that do nothing take nobody's place.
func TestIdleConnectionsGiveWay(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, limits: "connections: 20\nidle: 60s"})
	for i := range 60 {
		source := fmt.Sprintf("127.0.0.%d", 4+i%3)
		c := from(t, source, f.addr, "GET / HTTP/1.1\r\nHost: "+f.addr+"\r\n\r\n")
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	if !served("127.0.0.9", f.addr) {
		t.Error("a newcomer is kept out by idle connections")
	}
}
