package app

import (
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// door is a limited listener whose accepted connections come by a channel.
type door struct {
	*connections
	accepted chan net.Conn
	refused  atomic.Int32
	over     chan error
}

func newDoor(t *testing.T, o connectionLimits) *door {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{accepted: make(chan net.Conn), over: make(chan error, 1)}
	o.refused = func() { d.refused.Add(1) }
	if o.writeIdle == 0 {
		o.writeIdle = time.Minute
	}
	d.connections = limitConnections(inner, o)
	go func() {
		for {
			c, err := d.Accept()
			if err != nil {
				d.over <- err
				return
			}
			d.accepted <- c
		}
	}()
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func (d *door) knock(t *testing.T, source string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}).Dial("tcp", d.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (d *door) enter(t *testing.T) net.Conn {
	t.Helper()
	select {
	case c := <-d.accepted:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("nobody comes in")
		return nil
	}
}

func (d *door) nobody(t *testing.T) {
	t.Helper()
	select {
	case <-d.accepted:
		t.Error("one too many came in")
	case <-time.After(50 * time.Millisecond):
	}
}

// closed waits until our end of a client's connection has been closed.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("the connection is open: %v", err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // as it comes
	return ok && timeout.Timeout()
}

// TestConnectionsAreLimited: one more than allowed is taken when another has ended,
// and not before.
func TestConnectionsAreLimited(t *testing.T) {
	d := newDoor(t, connectionLimits{all: 2, http: 2, each: 2})
	for _, source := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
		d.knock(t, source)
	}
	first, second := d.enter(t), d.enter(t)
	if s, ok := first.(syscall.Conn); !ok {
		t.Error("no descriptor")
	} else if _, err := s.SyscallConn(); err != nil {
		t.Error(err)
	}
	d.nobody(t)
	for range 2 { // twice is once
		_ = first.Close()
	}
	third := d.enter(t)
	d.knock(t, "127.0.0.4")
	d.nobody(t)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := <-d.over; err == nil {
		t.Error("it goes on")
	}
	_ = second.Close()
	_ = third.Close()
}

// TestAnAddressHasItsShare, and a front proxy none: it is many people's.
func TestAnAddressHasItsShare(t *testing.T) {
	proxy := netip.MustParseAddr("127.0.0.9")
	d := newDoor(t, connectionLimits{all: 100, http: 100, each: 2, exempt: func(ip netip.Addr) bool { return ip == proxy }})
	for range 2 {
		d.knock(t, "127.0.0.2")
		d.enter(t)
	}
	closed(t, d.knock(t, "127.0.0.2"))
	if n := d.refused.Load(); n != 1 {
		t.Errorf("%d refused", n)
	}
	for range 5 {
		d.knock(t, "127.0.0.9")
		d.enter(t)
	}
	d.knock(t, "127.0.0.3")
	d.state(d.enter(t), http.StateHijacked)
	for range 2 { // a WebSocket no longer counts
		d.knock(t, "127.0.0.3")
		d.enter(t)
	}
	closed(t, d.knock(t, "127.0.0.3"))
}

// TestHeavierOnesAreFewer: with TLS each counts for several.
func TestHeavierOnesAreFewer(t *testing.T) {
	for _, c := range []struct{ all, http, each, most, ofOne int }{{100, 12, 6, 4, 2}, {3, 100, 100, 3, 1}, {100, 1, 1, 1, 1}} {
		d := newDoor(t, connectionLimits{all: c.all, http: c.http, each: c.each, weight: 3})
		if d.o.http != c.most || d.o.each != c.ofOne {
			t.Errorf("%+v: %d, and %d of one address", c, d.o.http, d.o.each)
		}
	}
}

// TestIdleOnesGoFirst: of the same address for that address's share, and of the one
// that has most for a place at all.
func TestIdleOnesGoFirst(t *testing.T) {
	d := newDoor(t, connectionLimits{all: 6, http: 6, each: 3})
	idle := func(source string) net.Conn {
		c := d.knock(t, source)
		d.state(d.enter(t), http.StateIdle)
		return c
	}
	first, second := idle("127.0.0.2"), idle("127.0.0.2")
	third := d.knock(t, "127.0.0.2")
	thirds := d.enter(t)
	d.knock(t, "127.0.0.2")
	fourths := d.enter(t)
	closed(t, first)
	idle("127.0.0.3")
	idle("127.0.0.4")
	idle("127.0.0.5")
	d.knock(t, "127.0.0.6") // six are there
	d.enter(t)
	closed(t, second)

	// Now the address with most has none idle, and the others have one each.
	d.knock(t, "127.0.0.6")
	d.enter(t)
	d.knock(t, "127.0.0.7")
	d.enter(t)
	d.knock(t, "127.0.0.7")
	d.enter(t)
	d.knock(t, "127.0.0.8")
	d.nobody(t)
	d.state(thirds, http.StateIdle) // which is seen at once
	d.enter(t)
	closed(t, third)
	_ = fourths.Close()
}

// TestWebSocketsLeavePlaces: a connection that has become one takes no place of those
// that have not.
func TestWebSocketsLeavePlaces(t *testing.T) {
	d := newDoor(t, connectionLimits{all: 3, http: 2, each: 2})
	d.knock(t, "127.0.0.2")
	first := d.enter(t)
	d.knock(t, "127.0.0.3")
	d.enter(t)
	d.knock(t, "127.0.0.4")
	d.nobody(t)
	d.state(first, http.StateHijacked)
	d.enter(t)
	d.state(first, http.StateHijacked) // twice is once
	d.knock(t, "127.0.0.5")
	d.nobody(t)
	_ = first.Close()
	d.nobody(t) // there is a place in all, but two are no WebSockets
}

// TestAWriteThatStandsIsCut, but not one whose client reads, however slowly, nor one
// that has another's deadline.
func TestAWriteThatStandsIsCut(t *testing.T) {
	d := newDoor(t, connectionLimits{all: 4, http: 4, each: 4, writeIdle: time.Second})
	large := make([]byte, 64<<20)
	t.Run("nobody reads", func(t *testing.T) {
		d.knock(t, "127.0.0.1")
		c := d.enter(t)
		defer c.Close()
		begun := time.Now()
		if _, err := c.Write(large); !isTimeout(err) {
			t.Errorf("%v", err)
		}
		if took := time.Since(begun); took < 400*time.Millisecond {
			t.Errorf("cut after %v", took)
		}
	})
	t.Run("slowly", func(t *testing.T) {
		client := d.knock(t, "127.0.0.1")
		_ = client.(*net.TCPConn).SetReadBuffer(32 << 10)
		c := d.enter(t)
		defer c.Close()
		wrote := make(chan error, 1)
		go func() {
			_, err := c.Write(large[:12<<20])
			wrote <- err
		}()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		b := make([]byte, 48<<10) // 2.4 MB a second, for five seconds
		for {
			select {
			case err := <-wrote:
				if err != nil {
					t.Errorf("a client that reads was cut: %v", err)
				}
				return
			case <-tick.C:
				_, _ = client.Read(b)
			}
		}
	})
	t.Run("silence", func(t *testing.T) {
		client := d.knock(t, "127.0.0.1")
		c := d.enter(t)
		defer c.Close()
		for range 3 {
			if _, err := c.Write([]byte("event")); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Read(make([]byte, 16)); err != nil {
				t.Fatal(err)
			}
			<-time.After(1200 * time.Millisecond) // longer than writeIdle
		}
	})
	t.Run("another's deadline", func(t *testing.T) {
		d.knock(t, "127.0.0.1")
		c := d.enter(t)
		defer c.Close()
		if err := c.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); !isTimeout(err) {
			t.Errorf("%v", err)
		}
		if err := c.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	})
}
