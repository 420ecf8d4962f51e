//go:build unix

package wsconn

import (
	"io"
	"os"
	"syscall"
)

// pollable says that a connection can be asked for what it has without waiting.
const pollable = true

// try reads what there is. False means that there is nothing, and that it is to be
// called again when there is.
func (r *reader) try(fd uintptr) bool {
	r.borrow()
	for {
		n, err := syscall.Read(int(fd), *r.buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.giveBack()
			return false
		case err != nil:
			r.err = err
		case n == 0:
			r.err = io.EOF
		default:
			return r.arrived(n)
		}
		return true
	}
}

// shut lets nothing more be written, and tells the other end. Unlike a close it need not
// wait for the reader. What comes in the meantime stays wanted: a kernel that is told otherwise
// has no more room announced for it, and the other end, if it waits for room, waits for a
// minute after the close.
func (r *reader) shut() {
	if r.raw != nil {
		_ = r.raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_WR) })
	}
}

// try writes what is taken now, and never waits.
func (w *writer) try(fd uintptr) bool {
	for w.taken < len(w.offered) {
		n, err := syscall.Write(int(fd), w.offered[w.taken:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			w.refused = os.NewSyscallError("write", err)
			return true
		default:
			w.taken += n
		}
	}
	return true
}
