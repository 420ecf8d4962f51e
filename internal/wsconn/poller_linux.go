package wsconn

import (
	"errors"
	"os"
	"syscall"
)

// watcher is an epoll set that holds each descriptor for one event. The set itself
// is waited for by the runtime, as any descriptor is, so that no thread is held.
type watcher struct {
	file *os.File
	raw  syscall.RawConn
}

// open makes the set when it is needed first. The Poller is locked.
func (w *watcher) open(woken func(uint64)) bool {
	if w.file != nil {
		return true
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return false
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return false
	}
	w.file, w.raw = file, raw
	go serveEvents(raw, woken)
	return true
}

// serveEvents tells of events until the set is closed.
func serveEvents(raw syscall.RawConn, woken func(uint64)) {
	events := make([]syscall.EpollEvent, 64)
	for {
		n, failed := 0, error(nil)
		err := raw.Read(func(fd uintptr) bool {
			n, failed = syscall.EpollWait(int(fd), events, 0)
			return n > 0 || failed != nil
		})
		if err != nil || failed != nil && !errors.Is(failed, syscall.EINTR) {
			return
		}
		for _, e := range events[:max(n, 0)] {
			woken(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32) //nolint:gosec // the two halves of an id
		}
	}
}

// watch waits for one event of a connection.
func (w *watcher) watch(r *reader, id uint64) bool {
	e := syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT,
		Fd:     int32(uint32(id)), Pad: int32(uint32(id >> 32)), //nolint:gosec // the two halves of an id
	}
	ok := false
	err := w.raw.Control(func(set uintptr) {
		_ = r.raw.Control(func(fd uintptr) {
			err := syscall.EpollCtl(int(set), syscall.EPOLL_CTL_MOD, int(fd), &e)
			if errors.Is(err, syscall.ENOENT) {
				err = syscall.EpollCtl(int(set), syscall.EPOLL_CTL_ADD, int(fd), &e)
			}
			ok = err == nil
		})
	})
	return err == nil && ok
}

func (w *watcher) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
}
