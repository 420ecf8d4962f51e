package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// looked is a health whose looks end with what the test says.
type looked struct {
	*health
	result atomic.Pointer[error]
	looks  atomic.Int64
}

// watched runs a health until the end of the bubble.
func watched(t *testing.T) *looked {
	t.Helper()
	l := &looked{}
	l.say(nil)
	l.health = newHealth(slog.New(slog.DiscardHandler), time.Now, func(context.Context) error {
		l.looks.Add(1)
		return *l.result.Load()
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { l.run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return l
}

func (l *looked) say(err error) { l.result.Store(&err) }

// pass lets time pass and what is due be done.
func pass(d time.Duration) {
	time.Sleep(d) // of the bubble's clock
	synctest.Wait()
}

func refusedDial() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("connect: %w", syscall.ECONNREFUSED)}
}

// TestThreeFailuresInARow: fewer are none, and an answer between them begins anew.
func TestThreeFailuresInARow(t *testing.T) {
	h := newHealth(slog.New(slog.DiscardHandler), time.Now, nil)
	for range 5 {
		h.failed(refusedDial())
		h.failed(refusedDial())
		h.answered()
	}
	if h.down.Load() {
		t.Fatal("down after no more than two failures in a row")
	}
	h.failed(refusedDial())
	h.failed(refusedDial())
	h.failed(refusedDial())
	if !h.down.Load() || h.settled() {
		t.Fatal("up after three failures in a row")
	}
	h.answered() // of a request that was under way
	if !h.down.Load() {
		t.Error("up again without having been looked at")
	}
}

// TestOurOwnFaultsDoNotCount: a Catflap without descriptors says nothing about a Cat.
func TestOurOwnFaultsDoNotCount(t *testing.T) {
	h := newHealth(slog.New(slog.DiscardHandler), time.Now, nil)
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		for range DownAfter {
			h.failed(&net.OpError{Op: "dial", Err: e})
			h.looked(&net.OpError{Op: "dial", Err: e})
		}
	}
	if h.down.Load() || h.failures.Load() != 0 {
		t.Error("the Cat is blamed")
	}
}

// TestDownAndBack: how long it takes by looks alone, and that one good look is not
// enough to come back.
func TestDownAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watched(t)
		pass(5 * lookRare)
		if n := l.looks.Load(); n != 5 {
			t.Errorf("%d looks in %s", n, 5*lookRare)
		}
		l.say(refusedDial())
		pass(lookRare + 2*lookSoon)
		if !l.down.Load() {
			t.Fatal("not down")
		}
		for range 10 { // going up and down
			l.say(nil)
			pass(lookSoon)
			l.say(refusedDial())
			pass(lookSoon)
			if !l.down.Load() {
				t.Fatal("one good look brought it back")
			}
		}
		l.say(nil)
		pass(2 * lookSoon)
		if l.down.Load() {
			t.Fatal("two good looks did not bring it back")
		}
		if l.settled() {
			t.Error("settled at once")
		}
		pass(HomeSettle)
		if !l.settled() {
			t.Errorf("not settled after %s", HomeSettle)
		}
	})
}

// TestASlowCatIsNotDown: it takes connections but does not answer; nor does such a
// look bring back one that is down.
func TestASlowCatIsNotDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watched(t)
		l.say(errUndecided)
		pass(10 * lookRare)
		if l.down.Load() {
			t.Fatal("down")
		}
		for range DownAfter {
			l.failed(refusedDial())
		}
		pass(10 * lookRare)
		if !l.down.Load() {
			t.Error("up again")
		}
	})
}

// TestDoubtIsLookedAtSoon: at once, but never more often than each lookSoon however
// often somebody doubts.
func TestDoubtIsLookedAtSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watched(t)
		pass(lookSoon + time.Second)
		l.suspect()
		synctest.Wait()
		if n := l.looks.Load(); n != 1 {
			t.Fatalf("%d looks", n)
		}
		for range 100 {
			l.suspect()
			pass(lookSoon / 10)
		}
		if n := l.looks.Load(); n > 11 {
			t.Errorf("%d looks in %s", n, 10*lookSoon)
		}
		if l.down.Load() {
			t.Error("doubt alone made it down")
		}
	})
}

// TestLook tries real connections: any answer will do, silence decides nothing, and
// a closed port or connection is a failure.
func TestLook(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, c := range []struct {
		name   string
		answer func(net.Conn) // nil: nobody listens
		want   error
	}{
		{"200", func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")) }, nil},
		{"500", func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 500 Internal Server Error\r\n\r\n")) }, nil},
		{"closed", func(net.Conn) {}, errNoByte},
		{"slow", func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<10)); _, _ = c.Read(make([]byte, 1)) }, errUndecided},
		{"refused", nil, syscall.ECONNREFUSED},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			defer wg.Wait()
			defer l.Close()
			if c.answer == nil {
				_ = l.Close()
			} else {
				wg.Go(func() {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					defer conn.Close()
					if c.want == nil {
						_, _ = conn.Read(make([]byte, 1<<10))
					}
					c.answer(conn)
				})
			}
			u := NewClient(ClientOptions{Base: &url.URL{Scheme: "http", Host: l.Addr().String()}, Watched: true, Log: slog.New(slog.DiscardHandler)})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := u.lookAt(ctx); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
