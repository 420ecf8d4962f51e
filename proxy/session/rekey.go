package session

import (
	"slices"

	"github.com/catflap/catflap/internal/seal"
)

// Rekey sets other keys, those of Options.Keys. A session that none of them opens has
// ended: sockets are looked up again, and a store of this process forgets what nobody
// can read. With an error, or the same keys, everything stays.
func (m *Manager) Rekey(keys [][]byte) error {
	before := m.keys.all()
	if len(keys) == 0 {
		if m.own.Load() {
			return nil
		}
		keys = [][]byte{seal.Own()}
		defer m.own.Store(true)
	} else {
		defer m.own.Store(false)
	}
	now, err := derive(keys)
	if err != nil {
		return err
	}
	if slices.EqualFunc(before, now.each, eachKey.same) {
		return nil
	}
	m.keys.keys.Store(now)
	withdrawn := slices.ContainsFunc(before, func(old eachKey) bool { return !slices.ContainsFunc(now.each, old.same) })
	if !withdrawn {
		return nil
	}
	if own, ok := m.store.(*Memory); ok {
		own.sweep(func(_ string, sealed []byte) bool { return m.keys.knows(sealed) })
	}
	m.resync()
	return nil
}
