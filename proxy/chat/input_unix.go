//go:build unix

package chat

import (
	"io"
	"syscall"
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
