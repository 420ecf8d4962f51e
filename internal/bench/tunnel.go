package main

import (
	"io"
	"net"
)

// serveTunnel is the plainest relay in Go: two goroutines for each connection, a
// buffer in each, and no look at what passes.
func serveTunnel(address, upstream string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go relay(c, upstream)
	}
}

func relay(c net.Conn, upstream string) {
	defer c.Close()
	up, err := net.Dial("tcp", upstream)
	if err != nil {
		return // the client sees the end
	}
	defer up.Close()
	go copyHalf(up, c)
	copyHalf(c, up)
}

// copyHalf copies through a buffer: without the wrapping, each idle connection would
// hold two pipes for splice(2), and the descriptors would be what limits.
func copyHalf(to, from net.Conn) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 32<<10)) // an end of either side is the end
	_ = to.(*net.TCPConn).CloseWrite()
}
