package e2e

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func asClose(err error, into **websocket.CloseError) bool { return errors.As(err, into) }

// TestGracefulStop: requests under way are answered, sockets are told that the
// server goes away, nobody new comes in, and the process ends by itself.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, limits: "stop_grace: 10s"})
	sockets := []*websocket.Conn{mustChat(t, f, alice()), mustChat(t, f, bob()), mustChat(t, f, root())}
	expectTurn(t, sockets[0], "hello", idOf("alice"))

	slow := dial(t, f.addr)
	slow.send(request("POST /message", f.addr, staff.token("carol"), `{"text":"sleep 2"}`))
	await(t, "the slow turn at the Cat", func() bool {
		for _, a := range cat.tap.take() {
			if a.method == "POST" {
				return true
			}
		}
		return false
	}, f.log.String)

	began := time.Now()
	f.signal(syscall.SIGTERM)
	for i, c := range sockets {
		_, err := hear(c)
		var closed *websocket.CloseError
		if !asClose(err, &closed) || closed.Code != websocket.CloseGoingAway {
			t.Errorf("socket %d ended with %v, want close code 1001", i, err)
		}
	}
	if a, err := slow.receive("POST"); err != nil || a.status != 200 {
		t.Errorf("the request under way was answered %d, %v", a.status, err)
	}
	if c, err := net.DialTimeout("tcp", f.addr, time.Second); err == nil {
		// The listener may be closed a moment before the process ends, never after it.
		_ = c.Close()
		t.Error("a stopping Catflap still accepts connections")
	}
	if code, err := f.wait(12 * time.Second); err != nil || code != 0 {
		t.Errorf("exit code %d, %v", code, err)
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("stopping took %s although all was over after two", took)
	}
}

// TestStopIsBounded: what does not end is cut off when the grace is over.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, limits: "stop_grace: 1s"})
	slow := dial(t, f.addr)
	slow.send(request("POST /message", f.addr, alice(), `{"text":"sleep 30"}`))
	await(t, "the slow turn at the Cat", func() bool { return len(cat.tap.take()) > 0 }, f.log.String)
	f.signal(syscall.SIGTERM)
	if _, err := f.wait(8 * time.Second); err != nil {
		t.Error(err)
	}
}

// TestSocketsEndWithTheirToken: a socket ends with a code that a browser can read
// when the token that opened it ends.
func TestSocketsEndWithTheirToken(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlerMore: "leeway: 0s"})
	short, long := mustChat(t, f, staff.tokenFor("alice", 3*time.Second)), mustChat(t, f, bob())
	expectTurn(t, short, "hello", idOf("alice"))
	began := time.Now()
	_, err := hear(short)
	var closed *websocket.CloseError
	if !asClose(err, &closed) || closed.Code != 4401 || closed.Text == "" {
		t.Errorf("the socket ended with %v, want 4401 and a reason", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the socket outlived its token by %s", took)
	}
	expectTurn(t, long, "another's", idOf("bob"))
}
