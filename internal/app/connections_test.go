package app

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestConnectionsAreLimited: one more than allowed is taken when another has ended,
// and not before.
func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, 2)
	accepted, over := make(chan net.Conn), make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				over <- err
				return
			}
			accepted <- c
		}
	}()
	for range 3 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first, second := <-accepted, <-accepted
	if s, ok := first.(syscall.Conn); !ok {
		t.Error("no descriptor")
	} else if _, err := s.SyscallConn(); err != nil {
		t.Error(err)
	}
	select {
	case <-accepted:
		t.Error("a third was taken")
	case <-time.After(50 * time.Millisecond):
	}
	for range 2 { // twice is once
		_ = first.Close()
	}
	third := <-accepted
	select {
	case <-accepted:
		t.Error("a fourth place was there")
	case <-time.After(20 * time.Millisecond):
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-over; err == nil {
		t.Error("it goes on")
	}
	_ = second.Close()
	_ = third.Close()
}
