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
)

// Writer gathers lines for a moment, since under a flood of refusals one system
// call for each line would cost more than the refusals. Warnings and errors go
// out at once. It loses nothing but what a kill takes with it.
type Writer struct {
	mu    sync.Mutex
	to    io.Writer
	lines bytes.Buffer
	timer *time.Timer
}

// NewWriter makes a Writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write takes one whole line.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines.Write(line)
	if w.lines.Len() >= flushAt || urgent(line) {
		return len(line), w.flush()
	}
	if w.timer == nil {
		w.timer = time.AfterFunc(flushEvery, func() { _ = w.Flush() }) // a log that can't be written has nowhere to say so
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
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *Writer) flush() error {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if w.lines.Len() == 0 {
		return nil
	}
	_, err := w.to.Write(w.lines.Bytes())
	w.lines.Reset()
	return err
}
