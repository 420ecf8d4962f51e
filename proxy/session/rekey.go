package session

import "slices"

// Rekey sets other keys, those of Options.Keys. A session that none of them opens has
// ended: sockets are looked up again, and a store of this process forgets what nobody
// can read. With an error, or the same keys, everything stays.
func (m *Manager) Rekey(keys [][]byte) error {
	before := m.keys.all()
	if len(keys) == 0 {
		if m.own.Load() {
			return nil
		}
		keys = [][]byte{ownKey()}
		defer m.own.Store(true)
	} else {
		defer m.own.Store(false)
	}
	now, err := deriveAll(keys)
	if err != nil {
		return err
	}
	same := func(a, b derived) bool { return a.name == b.name }
	if slices.EqualFunc(before, now, same) {
		return nil
	}
	m.keys.keys.Store(&now)
	withdrawn := slices.ContainsFunc(before, func(old derived) bool {
		return !slices.ContainsFunc(now, func(d derived) bool { return same(old, d) })
	})
	if !withdrawn {
		return nil
	}
	if own, ok := m.store.(*Memory); ok {
		own.sweep(func(_ string, sealed []byte) bool { return m.keys.knows(sealed) })
	}
	m.resync()
	return nil
}

// knows reports whether a text names a key that is in force.
func (k *keyring) knows(sealed []byte) bool {
	return len(sealed) >= sealHead && slices.ContainsFunc(k.all(), func(d derived) bool {
		return d.name == [keyNameSize]byte(sealed[1:sealHead])
	})
}
