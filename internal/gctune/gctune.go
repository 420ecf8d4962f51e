// Package gctune paces the garbage collector by what is live.
//
// The rule it guards: memory that is free goes back to the system, and a burst does not
// take more than the system gives; without either, the collector runs as rarely as it can.
// What an operator has set with GOGC or GOMEMLIMIT stands.
//
// [Start] runs one goroutine, which looks twice a second and ends with its context. It
// holds no lock. The settings are those of the whole process, so it is started once.
package gctune

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/catflap/catflap/internal/memlimit"
)

// tidyEach is how often it is looked whether there is something to tidy up.
const tidyEach = 500 * time.Millisecond

// Start paces the collector until ctx ends, and returns how many bytes the process may
// use. 0 means any number.
func Start(ctx context.Context) (limit uint64) {
	if !tuned() {
		debug.SetGCPercent(relaxed)
	}
	limit = given()
	go keep(ctx, limit)
	return limit
}

// tuned reports whether the operator has tuned the collector, which stands then.
func tuned() bool { return os.Getenv("GOGC") != "" }

// limitTuned reports whether the operator has set a limit, which stands then.
func limitTuned() bool { return os.Getenv("GOMEMLIMIT") != "" }

// given returns how much the process may use: nine tenths of what the system gives, since
// that counts more than the collector does. 0 means any number.
func given() uint64 {
	if limitTuned() {
		if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
			return uint64(n) //nolint:gosec // not negative
		}
		return 0
	}
	n, _ := memlimit.Of(os.DirFS("/"))
	return n / 10 * 9
}

// keep keeps the collector's percentage and limit, and gives memory back to the system
// when the process has become quiet: what thousands of handshakes have used once would
// otherwise stay for as long as their sockets are open and silent. It ends with ctx.
func keep(ctx context.Context, most uint64) {
	list := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/sched/goroutines:goroutines"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	tick := time.NewTicker(tidyEach)
	defer tick.Stop()
	var t tidier
	p, l := pacer{set: relaxed}, limiter{most: most}
	l.apply(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(list)
		if percent, changed := p.next(list[2].Value.Uint64(), list[3].Value.Uint64()); changed && !tuned() {
			debug.SetGCPercent(percent)
		}
		l.apply(list[2].Value.Uint64())
		if t.due(list[0].Value.Uint64(), list[1].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}
