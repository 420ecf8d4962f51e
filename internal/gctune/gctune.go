// Package gctune paces the garbage collector by what is live.
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

// relaxed is the collector's percentage while next to nothing is live: the heap may
// grow to four times that before it is collected. Go's default would collect many
// times a second under load: a tenth of the processor time, measured, for memory that
// nobody misses.
const relaxed = 300

const (
	// room is by how many bytes the heap may grow between two collections, once more
	// is live than that takes.
	room = 24 << 20
	// tight is the percentage while what is live grows, and is more than much
	// bytes: thousands of sockets are being opened, say. What their handshakes
	// leave would be spread among what stays, and keep memory from the system for as
	// long as that stays.
	tight = 50
	much  = 4 << 20
)

// pacer is the collector's percentage by what is live.
type pacer struct {
	live   uint64 // bytes, after the last cycle that it knows of
	cycles uint64
	set    int
}

// next returns the percentage for so many live bytes, as the last of so many cycles
// found them. A change stops everything for a moment, and small ones are not worth it.
func (p *pacer) next(live, cycles uint64) (percent int, changed bool) {
	if cycles == p.cycles {
		return p.set, false
	}
	p.cycles = cycles
	percent = int(min(max(100*room/max(live, 1), 100), relaxed))
	if live > much && live > p.live+p.live/8 {
		percent = tight
	}
	p.live = live
	if percent > p.set*3/4 && percent < p.set*4/3 {
		return p.set, false
	}
	p.set = percent
	return percent, true
}

// tuned reports whether the operator has tuned the collector, which stands then.
func tuned() bool { return os.Getenv("GOGC") != "" }

// Relax sets the percentage for the start.
func Relax() {
	if !tuned() {
		debug.SetGCPercent(relaxed)
	}
}

const (
	// enough is how many bytes the process may use before the collector works harder,
	// whatever its percentage says. That follows what is live, but too late for a burst:
	// large messages of somebody who means harm, say.
	enough = 160 << 20
)

// limiter is the collector's limit by what is live: half as much again, if that is more
// than enough.
type limiter struct {
	most uint64 // what the system gives; 0 means any number
	set  uint64
}

// next returns the limit for so many live bytes. Small changes are not worth it.
func (l *limiter) next(live uint64) (limit int64, changed bool) {
	want := max(enough, live+live/2)
	if l.most > 0 {
		want = min(want, l.most)
	}
	if want > l.set*3/4 && want < l.set*4/3 {
		return 0, false
	}
	l.set = want
	return int64(want), true //nolint:gosec // memory is less
}

func (l *limiter) apply(live uint64) {
	if limitTuned() {
		return
	}
	if limit, changed := l.next(live); changed {
		debug.SetMemoryLimit(limit)
	}
}

// limitTuned reports whether the operator has set a limit, which stands then.
func limitTuned() bool { return os.Getenv("GOMEMLIMIT") != "" }

// Limit returns how much the process may use: nine tenths of what the system
// gives, since that counts more than the collector does. 0 means any number.
func Limit() uint64 {
	if limitTuned() {
		if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
			return uint64(n) //nolint:gosec // not negative
		}
		return 0
	}
	n, _ := memlimit.Of(os.DirFS("/"))
	return n / 10 * 9
}

const (
	// tidyEach is how often it is looked whether there is something to tidy up.
	tidyEach = 500 * time.Millisecond
	// quiet is how many bytes a process that does next to nothing allocates meanwhile.
	quiet = 256 << 10
	// worthwhile is how many bytes must have been allocated since the last time.
	worthwhile = 4 << 20
	// worthStacks is how many goroutines must have ended otherwise.
	worthStacks = 1000
)

// Keep keeps the collector's percentage, and gives memory back to the system when
// the process has become quiet: what thousands of handshakes have used once would
// otherwise stay for as long as their sockets are open and silent. It ends with ctx.
func Keep(ctx context.Context, most uint64) {
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

// tidier decides by the bytes that were ever allocated, and by the goroutines.
type tidier struct {
	last       uint64 // allocated when it was asked last
	tidied     uint64 // allocated when it was due last
	goroutines uint64 // the most since then; each that has ended leaves a stack
}

func (t *tidier) due(allocated, goroutines uint64) bool {
	calm := allocated-t.last < quiet
	t.last, t.goroutines = allocated, max(t.goroutines, goroutines)
	if !calm || allocated-t.tidied < worthwhile && t.goroutines-goroutines < worthStacks {
		return false
	}
	t.tidied, t.goroutines = allocated, goroutines
	return true
}
