package telemetry

import (
	"bytes"
	"io"
	"sync"
	"time"
)

const (
	flushEvery = 100 * time.Millisecond
	flushAt    = 32 << 10
	// maxWaiting is how many bytes wait for a slow reader of the log before requests
	// wait for it, too. Requests take more memory than their lines.
	maxWaiting = 4 << 20
)

// Writer gathers lines for a moment, since under a flood of refusals one system
// call for each line would cost more than the refusals. Warnings and errors go
// out at once. It loses nothing but what a kill takes with it.
//
// Quiet lines are written by a goroutine of the timer's, so that a slow reader of the
// log holds up requests only once maxWaiting bytes wait for it. Lock order: out, mu.
type Writer struct {
	out   sync.Mutex // of the one who writes; it keeps the lines in their order
	to    io.Writer
	spare bytes.Buffer // of out: what is being written

	mu    sync.Mutex
	lines bytes.Buffer // wait to be written
	timer *time.Timer  // writes them; nil while there are none
}

// NewWriter makes a Writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write takes one whole line.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	w.lines.Write(line)
	waiting := w.lines.Len()
	switch {
	case w.timer == nil:
		w.timer = time.AfterFunc(flushEvery, func() { _ = w.Flush() }) // a log that can't be written has nowhere to say so
	case waiting >= flushAt && waiting-len(line) < flushAt:
		w.timer.Reset(0)
	}
	w.mu.Unlock()
	if waiting >= maxWaiting || urgent(line) {
		return len(line), w.Flush()
	}
	return len(line), nil
}

// urgent looks for the level where both forms of a line have it: at its head.
func urgent(line []byte) bool {
	head := line[:min(len(line), 100)]
	return bytes.Contains(head, []byte("ERROR")) || bytes.Contains(head, []byte("WARN"))
}

// Flush writes what has been gathered.
func (w *Writer) Flush() error {
	w.out.Lock()
	defer w.out.Unlock()
	return w.flushLocked()
}

// flushLocked needs out.
func (w *Writer) flushLocked() error {
	w.mu.Lock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	w.lines, w.spare = w.spare, w.lines
	w.mu.Unlock()
	if w.spare.Len() == 0 {
		return nil
	}
	_, err := w.to.Write(w.spare.Bytes())
	w.spare.Reset()
	if w.spare.Cap() > 2*flushAt {
		w.spare = bytes.Buffer{} // of a burst
	}
	return err
}
