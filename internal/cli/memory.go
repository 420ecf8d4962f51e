package cli

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// relaxCollector lets the heap grow to four times what is live before it is
// collected. What is live is a few MiB, so that Go's default would collect many
// times a second under load: a tenth of the processor time, measured, for memory
// that nobody misses. An operator's own GOGC stands.
func relaxCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}

const (
	// tidyEach is how often it is looked whether there is something to tidy up.
	tidyEach = 500 * time.Millisecond
	// quiet is how many bytes a process that does next to nothing allocates meanwhile.
	quiet = 256 << 10
	// worthwhile is how many bytes must have been allocated since the last time.
	worthwhile = 4 << 20
)

// tidyMemory gives memory back to the system when the process has become quiet: what
// thousands of handshakes have used once would otherwise stay for as long as their
// sockets are open and silent. It ends with ctx.
func tidyMemory(ctx context.Context) {
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	tick := time.NewTicker(tidyEach)
	defer tick.Stop()
	var t tidier
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(allocated)
		if t.due(allocated[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}

// tidier decides by the bytes that were ever allocated.
type tidier struct {
	last   uint64 // when it was asked last
	tidied uint64 // when it was due last
}

func (t *tidier) due(allocated uint64) bool {
	calm := allocated-t.last < quiet
	t.last = allocated
	if !calm || allocated-t.tidied < worthwhile {
		return false
	}
	t.tidied = allocated
	return true
}
