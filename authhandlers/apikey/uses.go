package apikey

import (
	"sync"
	"time"

	"github.com/catflap/catflap/internal/keyfile"
)

// saveEvery is how often, at most, the times of last use are written.
const saveEvery = time.Minute

// uses is when keys were used last. The times are kept in memory and written beside the
// file of keys now and then: a request never waits for a disk. Where nothing can be
// written, as in a read-only container, they are in memory alone.
type uses struct {
	mu    sync.Mutex
	at    keyfile.Uses // since the last writing
	saved time.Time
	said  bool // that nothing can be written
}

func (u *uses) note(id string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keep(id, now.UTC().Truncate(time.Second))
}

// keep is note in locked uses.
func (u *uses) keep(id string, at time.Time) {
	if u.at == nil {
		u.at = keyfile.Uses{}
	}
	u.at[id] = at
}

// due returns what is to be written, and takes it for written from then on.
func (u *uses) due(now time.Time) keyfile.Uses {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.at) == 0 || now.Sub(u.saved) < saveEvery {
		return nil
	}
	due := u.at
	u.at, u.saved = nil, now
	return due
}

func (h *handler) saveUses(now time.Time) {
	due := h.uses.due(now)
	if due == nil {
		return
	}
	keys := *h.keys.Load()
	err := due.Save(h.path, func(id string) bool { return keys[id] != nil })
	h.uses.mu.Lock()
	defer h.uses.mu.Unlock()
	for id, at := range due {
		if err != nil && at.After(h.uses.at[id]) {
			h.uses.keep(id, at) // for the next time
		}
	}
	if err != nil && !h.uses.said {
		h.log.Info("when keys were used last can't be noted beside the file of keys; catflap key list will not show it", "err", err.Error())
	}
	h.uses.said = err != nil
}
