//go:build !linux

package chat

// watcher is nothing where there is no epoll.
type watcher struct{}

func (*watcher) open(func(uint64)) bool    { return false }
func (*watcher) watch(*input, uint64) bool { return false }
func (*watcher) close()                    {}
