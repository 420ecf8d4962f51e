package gctune

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
