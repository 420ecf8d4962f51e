package gctune

import "runtime/debug"

// enough is how many bytes the process may use before the collector works harder,
// whatever its percentage says. That follows what is live, but too late for a burst:
// large messages of somebody who means harm, say.
const enough = 160 << 20

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
