package apikey

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyfile"
	"github.com/catflap/catflap/internal/reread"
)

func open(path string, env authhandlers.Env) (*handler, error) {
	h := &handler{issuer: "urn:catflap:keys:" + env.Name, path: path, now: env.Now, log: env.Log.With("file", path), observe: env.Observe}
	if h.observe == nil {
		h.observe = func(string) {}
	}
	h.adopt(&keyfile.File{})
	file, content, err := reread.Open(path, keyfile.MaxBytes, env.Now())
	h.file = file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("keys_file: %w", err)
	}
	f, err := keyfile.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("keys_file: %s: %w", path, err)
	}
	h.adopt(f)
	return h, nil
}

// poll reads the file again if it is due and has changed. While one does, the others go
// on with what there is.
func (h *handler) poll(now time.Time) {
	if !h.polling.TryLock() {
		return
	}
	defer h.polling.Unlock()
	h.file.Poll(now, func(content []byte, err error) { h.take(content, err, now) })
	// An editor may empty a file for a moment, or take it away. That nobody has a key
	// any more is believed at the second look.
	if !h.emptied.IsZero() && now.Sub(h.emptied) >= reread.Every {
		h.put(&keyfile.File{})
	}
}

// take judges what the file holds now. polling is held.
func (h *handler) take(content []byte, err error, now time.Time) {
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // no keys
	}
	var f *keyfile.File
	if err == nil {
		f, err = keyfile.Parse(content)
	}
	switch {
	case err != nil:
		why := err.Error()
		h.broken.Store(&why)
		h.emptied = time.Time{}
		h.observe(eventUnusable)
		h.log.Error("the file of keys can't be used; the last good keys stay, and nobody has been revoked since", "err", why)
	case len(f.Keys) == 0 && len(*h.keys.Load()) > 0:
		if h.emptied.IsZero() {
			h.emptied = now
		}
	default:
		h.put(f)
	}
}

// put has other keys in force, and says so. polling is held.
func (h *handler) put(f *keyfile.File) {
	before := len(*h.keys.Load())
	h.emptied = time.Time{}
	h.broken.Store(nil)
	h.adopt(f)
	h.observe(eventChanged)
	if len(f.Keys) == 0 {
		h.log.Warn("the file of keys is empty or has gone: no key is accepted any more", "before", before)
		return
	}
	h.log.Info("the API keys have changed", "keys", len(f.Keys), "before", before)
}

func (h *handler) adopt(f *keyfile.File) {
	keys := make(map[string]*key, len(f.Keys))
	for _, e := range f.Keys {
		k := &key{Entry: e}
		k.owner = authhandlers.AuthUserInfo{Issuer: h.issuer, Subject: e.Owner, Name: e.Owner, Permissions: e.Permissions, Expiry: e.Expires}
		keys[e.ID] = k
	}
	h.keys.Store(&keys)
	h.generation.Add(1)
}

// Note implements authhandlers.Noter: it tells of a file that has become unusable. The
// handler still serves, and so must all the others: a typo must not shut out everybody.
func (h *handler) Note() string {
	h.poll(h.now())
	if why := h.broken.Load(); why != nil {
		return "the file of keys can't be used, and what was revoked since is still accepted: " + *why
	}
	return ""
}
