package app

import (
	"syscall"
	"unsafe"
)

// unsent is how many bytes of the connection the client has not taken yet, or 0
// where that can't be found out.
func unsent(c syscall.Conn) int {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var n int32
	err = raw.Control(func(fd uintptr) {
		// SIOCOUTQ is TIOCOUTQ.
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n))); errno != 0 { //nolint:gosec // an ioctl that writes one int
			n = 0
		}
	})
	if err != nil {
		return 0
	}
	return int(n)
}
