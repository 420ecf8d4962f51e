package inquiry

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/backoff"
	"github.com/catflap/catflap/internal/wait"
)

const (
	// often is how long nobody looks whether the service works, if nothing has failed.
	often = time.Minute
	// The pause after a look that failed grows from the first to the second.
	firstPause, longestPause = time.Second, 30 * time.Second
)

var errNotTried = errors.New("the service has not been asked yet")

// watch looks whether the service works: at the start, after each question that failed,
// and now and then.
type watch struct {
	log     *slog.Logger
	timeout time.Duration
	try     func(context.Context) error
	kick    chan struct{}
	state   atomic.Pointer[error] // the error may be nil
}

func newWatch(log *slog.Logger, timeout time.Duration, try func(context.Context) error) *watch {
	w := &watch{log: log, timeout: timeout, try: try, kick: make(chan struct{}, 1)}
	w.state.Store(&errNotTried)
	return w
}

func (w *watch) ready() error { return *w.state.Load() }

// look asks for a look soon.
func (w *watch) look() {
	select {
	case w.kick <- struct{}{}:
	default: // it is asked for already
	}
}

func (w *watch) run(ctx context.Context) {
	failures := 0
	for {
		err := w.once(ctx)
		if ctx.Err() != nil {
			return
		}
		w.tell(err)
		kick, pause := w.kick, often
		if err != nil {
			kick, pause = nil, backoff.Doubled(firstPause, longestPause, failures)
			failures++
		} else {
			failures = 0
		}
		if wait.For(ctx, firstPause) != nil || wait.Or(ctx, pause-firstPause, kick) != nil {
			return
		}
	}
}

func (w *watch) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	return w.try(ctx)
}

// tell writes a line when the state has changed.
func (w *watch) tell(err error) {
	before := *w.state.Swap(&err)
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		w.log.Warn("the service that knows the credentials can't be used", "error", err)
	case err == nil && before != nil:
		w.log.Info("the service that knows the credentials can be asked")
	}
}
