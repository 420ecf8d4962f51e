//go:build unix

package chat

import (
	"io"
	"os"
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
			return in.arrived(n)
		}
		return true
	}
}

// shut lets nothing more be written, and tells the other end. Unlike a close it need not
// wait for the reader. What comes meanwhile stays wanted: a kernel that is told otherwise
// has no more room announced for it, and the other end, if it waits for room, waits for a
// minute after the close.
func (in *input) shut() {
	if in.raw != nil {
		_ = in.raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_WR) })
	}
}

// try writes what is taken now, and never waits.
func (o *output) try(fd uintptr) bool {
	for o.taken < len(o.offered) {
		n, err := syscall.Write(int(fd), o.offered[o.taken:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			o.refused = os.NewSyscallError("write", err)
			return true
		default:
			o.taken += n
		}
	}
	return true
}
