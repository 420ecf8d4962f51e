// Package reread reads a file again when it changes.
//
// The rule it guards: one caller looks, at most once a second, and the others go on
// with what there is. A change is seen however the file is written: in place, by
// another file under its name, or by a symbolic link that is turned, as Kubernetes
// does. What a bad file means is the reader's to decide. Who reads several files as one,
// or has rules of its own for a bad one, asks [Look] alone whether they have changed.
//
// It starts no goroutine. A File has one lock, which a caller takes only if it is free;
// the reader's function runs under it, and must not call Poll.
package reread

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Every is how often, at most, a file is looked at.
const Every = time.Second

// File is a file that is read again when it changes. It is used by many goroutines.
type File struct {
	path  string
	limit int64

	due     atomic.Int64 // Unix nanoseconds
	reading sync.Mutex
	seen    os.FileInfo // of the last content, good or bad; nil if there was none
	failed  string      // why it could not be read the last time
}

// Open reads a file of at most limit bytes for the first time. The File is good for
// Poll even if that fails.
func Open(path string, limit int64, now time.Time) (*File, []byte, error) {
	f := &File{path: path, limit: limit}
	f.due.Store(now.Add(Every).UnixNano())
	text, info, err := f.read()
	f.seen = info
	if err != nil {
		f.failed = err.Error()
	}
	return f, text, err
}

// Poll calls take with the content if the file has changed since it was read, or with
// the error if it can't be read; the same error is told once. It returns at once when
// nothing is due.
func (f *File) Poll(now time.Time, take func(text []byte, err error)) {
	if now.UnixNano() < f.due.Load() || !f.reading.TryLock() {
		return
	}
	defer f.reading.Unlock()
	f.due.Store(now.Add(Every).UnixNano())
	if info, err := os.Stat(f.path); err == nil && f.seen != nil && unchanged(f.seen, info) {
		return
	}
	text, info, err := f.read()
	f.seen = info
	if err == nil {
		f.failed = ""
		take(text, nil)
		return
	}
	if err.Error() != f.failed {
		f.failed = err.Error()
		take(nil, err)
	}
}

// read reads the file; the info is of the very file that was read, and nil without it.
func (f *File) read() ([]byte, os.FileInfo, error) {
	// A named pipe would block the opening itself.
	if info, err := os.Stat(f.path); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is no regular file", f.path)
	}
	r, err := os.Open(f.path)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close() //nolint:errcheck // read only
	info, err := r.Stat()
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, f.limit+1))
	switch {
	case err != nil:
		return nil, nil, err
	case int64(len(text)) > f.limit:
		return nil, nil, fmt.Errorf("%s is larger than %d bytes", f.path, f.limit)
	}
	return text, info, nil
}
