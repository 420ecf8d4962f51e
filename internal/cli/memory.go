package cli

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// relaxed is the collector's percentage while next to nothing is live: the heap may
// grow to four times that before it is collected. Go's default would collect many
// times a second under load: a tenth of the processor time, measured, for memory that
// nobody misses.
const relaxed = 300

// room is by how many bytes the heap may grow between two collections, once more is
// live than that takes: thousands of open sockets, say. Beside them, what handshakes
// leave behind is spread over many times more memory, and what stays among it keeps
// that from the system for as long as it stays.
const room = 24 << 20

// percentage is the collector's for so many live bytes.
func percentage(live uint64) int {
	return int(min(max(100*room/max(live, 1), 100), relaxed)) //nolint:gosec // within these bounds
}

// tuned reports whether the operator has tuned the collector, which stands then.
func tuned() bool { return os.Getenv("GOGC") != "" }

// relaxCollector sets the percentage for the start.
func relaxCollector() {
	if !tuned() {
		debug.SetGCPercent(relaxed)
	}
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

// tidyMemory keeps the collector's percentage, and gives memory back to the system when
// the process has become quiet: what thousands of handshakes have used once would
// otherwise stay for as long as their sockets are open and silent. It ends with ctx.
func tidyMemory(ctx context.Context) {
	list := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/sched/goroutines:goroutines"}, {Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(tidyEach)
	defer tick.Stop()
	var t tidier
	set := relaxed
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(list)
		if p := percentage(list[2].Value.Uint64()); !tuned() && (p < set*3/4 || p > set*4/3) { // it stops everything for a moment
			debug.SetGCPercent(p)
			set = p
		}
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
