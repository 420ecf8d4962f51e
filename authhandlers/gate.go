package authhandlers

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// Gate bounds how many signatures are computed at once, so that a flood of bad
// tokens can't keep the processors from the requests whose tokens are known.
type Gate struct {
	slots   chan struct{}
	waiting atomic.Int64
	queue   int64
	patient time.Duration
}

// NewGate makes a gate that lets slots verifications run at once, lets queue more
// wait, each for at most patient. A slots below 1 means one less than the
// processors, and at least one.
func NewGate(slots, queue int, patient time.Duration) *Gate {
	if slots < 1 {
		slots = max(1, runtime.GOMAXPROCS(0)-1)
	}
	return &Gate{slots: make(chan struct{}, slots), queue: int64(queue), patient: patient}
}

// Do runs verify when its turn has come. It returns ErrBusy when too many wait or
// the wait was too long, and ctx's error when the client left first; verify has
// then not run.
func (g *Gate) Do(ctx context.Context, verify func()) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	defer func() {
		<-g.slots
		// A goroutine whose client answers at once never parks; without this, a
		// flood keeps the processors until the scheduler's 10 ms pre-emption.
		runtime.Gosched()
	}()
	verify()
	return nil
}

func (g *Gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return ErrBusy
	}
	defer g.waiting.Add(-1)
	t := time.NewTimer(g.patient)
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return ErrBusy
	}
}
