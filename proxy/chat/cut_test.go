package chat

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestCutWhileTaking: whoever cuts a connection does not wait for its reader, which may
// be taking a message and wait for what the other holds.
func TestCutWhileTaking(t *testing.T) {
	o, judge := ends(t, true)
	in := newInput(o.conn, false, o.pool, &parker{after: time.Second})
	var held sync.Mutex
	taking, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- in.serve(func(int) error {
			_, err := io.Copy(io.Discard, in)
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
	in.cut()
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
	in := newInput(o.conn, false, o.pool, &parker{after: time.Second})
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
	in.shut()
	_ = o.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, _ = io.Copy(io.Discard, o.conn)
	in.close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("it goes on waiting")
	}
}
