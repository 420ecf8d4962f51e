package keyset

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// recheck is how often, at most, a file is looked at.
const recheck = time.Second

// file reads keys from a file, and again when it changes. A file that has become
// bad or has vanished changes nothing but the log: it may be half written.
type file struct {
	set     *Set
	path    string
	parse   func(text []byte) (*Document, error)
	log     *slog.Logger
	observe func(string)

	due     atomic.Int64 // Unix nanoseconds
	reading sync.Mutex
	seen    os.FileInfo // as of the last reading, good or bad; nil if it was not there
}

// OpenFile returns the set of a key set document in a file. The file is read
// again when it changes; a bad one changes nothing.
func OpenFile(path string, o Options) (*Set, error) {
	o.complete()
	return openFile(path, o, func(text []byte) (*Document, error) {
		d, err := ParseDocument(text, o.Algorithms)
		if err != nil {
			return nil, err
		}
		d.report(o.Log.With("file", path))
		return d, nil
	})
}

// OpenPEM returns the set of the public keys and certificates in a PEM file. The
// file is read again when it changes; a bad one changes nothing.
func OpenPEM(path string, o Options) (*Set, error) {
	o.complete()
	return openFile(path, o, func(text []byte) (*Document, error) {
		keys, err := ParsePEM(text, o.Algorithms)
		return &Document{Keys: keys}, err
	})
}

func openFile(path string, o Options, parse func([]byte) (*Document, error)) (*Set, error) {
	s := &Set{allowed: o.Algorithms, now: o.Now}
	f := &file{set: s, path: path, parse: parse, log: o.Log, observe: o.Observe}
	d, info, err := f.read()
	if err != nil {
		return nil, err
	}
	f.seen = info
	f.due.Store(o.Now().Add(recheck).UnixNano())
	s.source = f
	s.adopt(d, forever)
	return s, nil
}

func (f *file) poll(now time.Time) {
	// One caller looks; the others go on with the keys that are there.
	if now.UnixNano() < f.due.Load() || !f.reading.TryLock() {
		return
	}
	defer f.reading.Unlock()
	f.due.Store(now.Add(recheck).UnixNano())
	info, err := os.Stat(f.path)
	if err == nil && f.seen != nil && unchanged(f.seen, info) || err != nil && f.seen == nil {
		return
	}
	if err != nil {
		f.seen = nil
		f.log.Warn("the key file can't be read; the last good keys stay", "file", f.path, "error", err)
		return
	}
	d, info, err := f.read()
	f.seen = info
	if err != nil {
		f.log.Warn("the key file is not usable; the last good keys stay", "file", f.path, "error", err)
		return
	}
	if f.set.adopt(d, forever) {
		f.observe("keys_changed")
		f.log.Info("the keys have changed", "file", f.path, "keys", len(d.Keys))
	}
}

// unchanged compares what tells a rewritten file, a replaced one, and one behind
// a symbolic link that has been turned (as Kubernetes does).
func unchanged(a, b os.FileInfo) bool {
	return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && os.SameFile(a, b)
}

// read reads the file; the info is of the very file that was read.
func (f *file) read() (*Document, os.FileInfo, error) {
	// A named pipe would block the opening itself.
	if info, err := os.Stat(f.path); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, info, fmt.Errorf("%s is no regular file", f.path)
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
	text, err := io.ReadAll(io.LimitReader(r, MaxDocumentBytes+1))
	if err != nil {
		return nil, info, err
	}
	if len(text) > MaxDocumentBytes {
		return nil, info, fmt.Errorf("%s is larger than %d bytes", f.path, MaxDocumentBytes)
	}
	d, err := f.parse(text)
	if err != nil {
		return nil, info, fmt.Errorf("%s: %w", f.path, err)
	}
	return d, info, nil
}

// find has nothing to add: the file was looked at a second ago.
func (f *file) find(_ context.Context, kid, algorithm string) ([]*Key, error) {
	k, _, err := f.set.look(kid, algorithm)
	return k, err
}

func (f *file) ready() error { return ErrUnavailable }

// report tells of what is odd in a document, without any value of it.
func (d *Document) report(log *slog.Logger) {
	if d.Private > 0 {
		log.Warn("the key set holds private keys; only their public parts are used", "keys", d.Private)
	}
	for _, why := range d.Skipped {
		log.Debug("a key is not used", "reason", why)
	}
	switch {
	case len(d.Keys) == 0:
		log.Warn("the key set has no key that can be used here", "reasons", reasons(d.Skipped))
	case len(d.Odd) > 0:
		log.Warn("keys of the issuer are left out; what they sign is refused", "reasons", reasons(d.Odd))
	}
}

// oddities tell two documents apart by what is reported of them.
func (d *Document) oddities() string {
	return fmt.Sprintf("%d %d %q", d.Private, len(d.Keys), d.Skipped)
}
