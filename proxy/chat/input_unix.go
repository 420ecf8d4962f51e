//go:build unix

package chat

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// pollable says that a connection can be asked for what it has without waiting.
const pollable = true

// try reads what there is. False means that there is nothing, and that it is to be
// called again when there is.
func (in *input) try(fd uintptr) bool {
	in.borrow()
	for {
		n, err := syscall.Read(int(fd), *in.buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			in.giveBack()
			return false
		case err != nil:
			in.err = err
		case n == 0:
			in.err = io.EOF
		default:
			in.n = n
		}
		return true
	}
}

// takes reports whether the connection has room for something small, so that writing
// it does not wait.
func (in *input) takes() bool {
	if in.raw == nil {
		return false
	}
	ready := false
	err := in.raw.Control(func(fd uintptr) {
		list := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}} //nolint:gosec // a descriptor is small
		n, err := unix.Poll(list, 0)
		ready = err == nil && n == 1 && list[0].Revents == unix.POLLOUT
	})
	return err == nil && ready
}
