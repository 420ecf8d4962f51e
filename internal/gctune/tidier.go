package gctune

const (
	// quiet is how many bytes a process that does next to nothing allocates between two looks.
	quiet = 256 << 10
	// worthwhile is how many bytes must have been allocated since the last time.
	worthwhile = 4 << 20
	// worthStacks is how many goroutines must have ended otherwise.
	worthStacks = 1000
)

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
