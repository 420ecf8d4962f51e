package chat

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// TestDue: a message has more time when more of it has come, also on a connection that
// can't be asked whether there is something to read, as one with TLS.
func TestDue(t *testing.T) {
	for name, hide := range map[string]bool{"plain": false, "as with TLS": true} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := connected(t)
			if hide {
				ours = struct{ net.Conn }{ours}
			}
			h := NewHub(Options{})
			in := newInput(ours, true, &h.inputs, nil)
			in.within = 200 * time.Millisecond
			head := append(binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, 1<<20), 0, 0, 0, 0)
			if _, err := theirs.Write(append(head, make([]byte, slowest)...)); err != nil {
				t.Fatal(err)
			}
			if _, err := in.next(); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			n, err := io.Copy(io.Discard, in)
			if took := time.Since(start); !errors.Is(err, errLate) || n != slowest || took < time.Second {
				t.Errorf("%d bytes, %v after %s", n, err, took)
			}
		})
	}
}

// TestDueIsOver: after a message that was waited for, the next may come whenever it does.
func TestDueIsOver(t *testing.T) {
	for name, hide := range map[string]bool{"plain": false, "as with TLS": true} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := connected(t)
			if hide {
				ours = struct{ net.Conn }{ours}
			}
			h := NewHub(Options{})
			in := newInput(ours, true, &h.inputs, nil)
			in.within = 300 * time.Millisecond
			var writer sync.WaitGroup
			defer writer.Wait()
			writer.Go(func() {
				for range 2 {
					_, _ = theirs.Write([]byte{0x82, 0x81, 0, 0, 0, 0})
					time.Sleep(50 * time.Millisecond)
					_, _ = theirs.Write([]byte{'x'})
					time.Sleep(500 * time.Millisecond) // longer than a message may take
				}
			})
			for range 2 {
				if _, err := in.next(); err != nil {
					t.Fatal(err)
				}
				if p, err := io.ReadAll(in); err != nil || string(p) != "x" {
					t.Fatalf("%q %v", p, err)
				}
			}
		})
	}
}

// connected returns the two ends of a connection.
func connected(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return ours, theirs
}
