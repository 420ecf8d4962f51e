package upstream

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/catflap/catflap/internal/wait"
)

// When one of several Cats counts as down, and when as back.
const (
	// DownAfter is how many failures in a row make a Cat count as down.
	DownAfter = 3
	// UpAfter is how many looks in a row must find it there.
	UpAfter   = 2
	lookSoon  = 2 * time.Second  // between looks while it is down or in doubt
	lookRare  = 10 * time.Second // between looks otherwise
	lookLimit = 5 * time.Second  // for one look
	// HomeSettle is how long it must be up before people who were elsewhere come back.
	HomeSettle = 30 * time.Second
)

// health is whether one of several Cats can be reached. Only what no client can
// bring about counts against it: a connection that is not made, or a look that
// ends without a byte. A 500 does not, nor a slow answer, nor a client who leaves.
type health struct {
	log  *slog.Logger
	now  func() time.Time
	look func(context.Context) error // nil: an answer came; errUndecided: neither

	down     atomic.Bool
	back     atomic.Int64  // when it came back last, in Unix nanoseconds; 0: it was never down
	failures atomic.Int64  // in a row
	found    int           // looks in a row that found it, while down; guarded by mu
	doubt    chan struct{} // asks for a look now

	mu sync.Mutex
}

var (
	errUndecided = errors.New("it takes connections, but did not answer in time")
	errNoByte    = errors.New("it closed the connection without an answer")
)

func newHealth(log *slog.Logger, now func() time.Time, look func(context.Context) error) *health {
	return &health{log: log, now: now, look: look, doubt: make(chan struct{}, 1)}
}

// settled reports a Cat that has been up for a while, so that going back to it is
// no going to and fro.
func (h *health) settled() bool {
	back := h.back.Load()
	return !h.down.Load() && (back == 0 || h.now().UnixNano()-back >= int64(HomeSettle))
}

// failed counts a connection that was not made.
func (h *health) failed(err error) {
	if !ours(err) {
		h.lost(err)
		h.suspect()
	}
}

// lost counts a failure.
func (h *health) lost(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.found = 0
	if h.failures.Add(1) >= DownAfter && !h.down.Swap(true) {
		h.log.Error("the Cat is down", "reason", err.Error())
	}
}

// suspect has the Cat looked at soon. It decides nothing, so it may be called for
// what a client could have caused.
func (h *health) suspect() {
	select {
	case h.doubt <- struct{}{}:
	default:
	}
}

// answered ends a row of failures. A Cat that counts as down comes back by looks
// alone.
func (h *health) answered() {
	if h.failures.Load() == 0 || h.down.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.down.Load() {
		h.failures.Store(0)
	}
}

// run looks at the Cat until ctx ends, never more often than each lookSoon.
func (h *health) run(ctx context.Context) {
	for {
		if wait.For(ctx, lookSoon) != nil {
			return
		}
		if h.failures.Load() == 0 && wait.Or(ctx, lookRare-lookSoon, h.doubt) != nil {
			return
		}
		limited, cancel := context.WithTimeout(ctx, lookLimit)
		err := h.look(limited)
		cancel()
		if ctx.Err() != nil {
			return
		}
		h.looked(err)
	}
}

func (h *health) looked(err error) {
	switch {
	case err == nil:
		h.seen()
	case !errors.Is(err, errUndecided) && !ours(err):
		h.lost(err)
	}
}

// seen counts a look that found the Cat there.
func (h *health) seen() {
	h.answered()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.down.Load() {
		return
	}
	if h.found++; h.found < UpAfter {
		return
	}
	h.found = 0
	h.failures.Store(0)
	h.back.Store(h.now().UnixNano())
	h.down.Store(false)
	h.log.Info("the Cat is back")
}

// ours reports a failure for which this machine is to blame and not the Cat: out of
// descriptors, ports or memory.
func ours(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
