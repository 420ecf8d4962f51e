package keyset

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/catflap/catflap/internal/reread"
)

// file reads keys from a file, and again when it changes. A file that has become
// bad or has vanished changes nothing but the log: it may be half written.
type file struct {
	set     *Set
	path    string
	text    *reread.File
	parse   func(text []byte) (*Document, error)
	log     *slog.Logger
	observe func(string)
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
	again, text, err := reread.Open(path, MaxDocumentBytes, o.Now())
	if err != nil {
		return nil, err
	}
	d, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.text, s.source = again, f
	s.adopt(d, forever)
	return s, nil
}

func (f *file) poll(now time.Time) { f.text.Poll(now, f.take) }

// take adopts what the file holds now.
func (f *file) take(text []byte, err error) {
	if err != nil {
		f.log.Warn("the key file can't be read; the last good keys stay", "file", f.path, "error", err)
		return
	}
	d, err := f.parse(text)
	if err != nil {
		f.log.Warn("the key file is not usable; the last good keys stay", "file", f.path, "error", err)
		return
	}
	if f.set.adopt(d, forever) {
		f.observe("keys_changed")
		f.log.Info("the keys have changed", "file", f.path, "keys", len(d.Keys))
	}
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
