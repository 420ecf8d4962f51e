//go:build unix

package upstream

import "syscall"

// readDescriptor reads what the descriptor has, without waiting: Go's are made so.
func readDescriptor(fd uintptr, p []byte) (int, error) {
	for {
		if n, err := syscall.Read(int(fd), p); err != syscall.EINTR {
			return n, err
		}
	}
}
