//go:build !linux

package wsconn

// watcher is nothing where there is no epoll.
type watcher struct{}

func (*watcher) open(func(uint64)) bool     { return false }
func (*watcher) watch(*reader, uint64) bool { return false }
func (*watcher) close()                     {}
