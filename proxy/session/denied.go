package session

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/proxy/refusals"
)

const (
	// DefaultTokenLife is the longest life of the tokens that a logout may mean, until
	// KeepLogouts says another.
	DefaultTokenLife = 7*24*time.Hour + 5*time.Minute
	// maxDenied bounds the logouts that are remembered, each of which a provider has
	// signed or a person asked for.
	maxDenied = 1 << 16
	// loadTime bounds one reading of what is in the store.
	loadTime = 10 * time.Second
)

// denial is a logout, for the bearer tokens that it means: those of the sid, or those of
// the subject that were made before. It is kept until the last of them is dead.
type denial struct {
	Of              authhandlers.Revocation
	IssuedAt, Until time.Time
}

// denialKey names logouts that mean the same. One of a subject's session means the
// tokens of that subject that name no session, too: they may be of any.
type denialKey struct {
	issuer, subject, sid string
	noSID                bool
}

func (d *denial) keys() []denialKey {
	keys := []denialKey{{d.Of.Issuer, d.Of.Subject, d.Of.SessionID, false}}
	if d.Of.Subject != "" && d.Of.SessionID != "" {
		keys = append(keys, denialKey{d.Of.Issuer, d.Of.Subject, "", true})
	}
	return keys
}

func (k denialKey) index(r *keyring) []string {
	return r.indexes(indexDenied, k.issuer, k.subject, k.sid, strconv.FormatBool(k.noSID))
}

// means reports whether the logout is of a person's token. One that does not say when
// it was made may have been made before.
func (d *denial) means(u *authhandlers.AuthUserInfo, now time.Time) bool {
	return now.Before(d.Until) && (d.Of.SessionID != "" && d.Of.SessionID == u.SessionID || u.IssuedAt <= d.IssuedAt.Unix())
}

// denials are those that this process knows.
type denials struct {
	n      atomic.Int64
	unsure atomic.Bool // what is in the store has not been read
	mu     sync.RWMutex
	by     map[denialKey]*denial
}

func (l *denials) add(d *denial, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[denialKey]*denial{}
	}
	for _, k := range d.keys() {
		if old := l.by[k]; old != nil && old.IssuedAt.After(d.IssuedAt) {
			continue
		}
		if l.by[k] == nil && len(l.by) >= maxDenied {
			l.makeRoom(now)
		}
		l.by[k] = d
	}
	l.n.Store(int64(len(l.by)))
}

// makeRoom drops what is over, or else the one that would be over first, which protects
// for the shortest time.
func (l *denials) makeRoom(now time.Time) {
	var first denialKey
	for k, d := range l.by {
		if !now.Before(d.Until) {
			delete(l.by, k)
		} else if l.by[first] == nil || d.Until.Before(l.by[first].Until) {
			first = k
		}
	}
	if len(l.by) >= maxDenied {
		delete(l.by, first)
	}
}

func (l *denials) means(u *authhandlers.AuthUserInfo, now time.Time) bool {
	if l.n.Load() == 0 {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, k := range keysOf(u) {
		if d := l.by[k]; d != nil && d.means(u, now) {
			return true
		}
	}
	return false
}

// keysOf are the names of the logouts that may mean somebody's token.
func keysOf(u *authhandlers.AuthUserInfo) []denialKey {
	keys := make([]denialKey, 0, 5)
	of := func(subject string) {
		keys = append(keys, denialKey{u.Issuer, subject, "", false})
		if u.SessionID != "" {
			keys = append(keys, denialKey{u.Issuer, subject, u.SessionID, false})
		} else {
			keys = append(keys, denialKey{u.Issuer, subject, "", true})
		}
	}
	of(u.Subject)
	if u.Sub != nil {
		of(*u.Sub)
	}
	if u.SessionID != "" {
		keys = append(keys, denialKey{u.Issuer, "", u.SessionID, false})
	}
	return keys
}

// KeepLogouts sets how long the tokens live that a logout may mean.
func (m *Manager) KeepLogouts(longest time.Duration) { m.tokenLife.Store(int64(longest)) }

// Denied reports whether a logout means the token by which somebody has come. The error
// is a *authhandlers.Rejection then, and a fault where the store could not be read yet.
// What has become of a session, the session itself says.
func (m *Manager) Denied(u *authhandlers.AuthUserInfo) error {
	switch {
	case u.Session != "":
		return nil
	case m.denied.means(u, m.now()):
		return signedOut()
	case m.denied.unsure.Load():
		return errUnread
	}
	return nil
}

// errUnread is told while nobody can say which tokens a logout has refused.
var errUnread = &StoreError{errors.New("the logouts in the store have not been read yet: Redis does not answer")}

func signedOut() error {
	return authhandlers.Reject(refusals.SignedOut, "the session of this token has been signed out; sign in again", "a logout means the token")
}

// DeniedInStore is Denied, also of what the others have not told yet.
func (m *Manager) DeniedInStore(ctx context.Context, u *authhandlers.AuthUserInfo) error {
	if err := m.Denied(u); err != nil || u.Session != "" || !m.isShared() {
		return err
	}
	for _, k := range keysOf(u) {
		if err := m.readDenied(ctx, k.index(m.keys)); err != nil {
			return err
		}
	}
	return m.Denied(u)
}

// isShared reports whether other processes, and those after this one, have the store.
func (m *Manager) isShared() bool {
	_, alone := m.store.(*Memory)
	return !alone
}

// deny refuses from now on the tokens that a logout means, here and in the store.
func (m *Manager) deny(ctx context.Context, r authhandlers.Revocation, issued time.Time) (*denial, error) {
	life := time.Duration(m.tokenLife.Load())
	now := m.now()
	d := &denial{Of: r, IssuedAt: issued, Until: now.Add(life)}
	m.denied.add(d, now)
	if !m.isShared() {
		return d, nil
	}
	plain, err := json.Marshal(d)
	if err != nil {
		return d, errors.New("session: a logout can't be written")
	}
	indexes := []string{m.keys.index(indexDeniedAll)}
	for _, k := range d.keys() {
		indexes = append(indexes, k.index(m.keys)[0])
	}
	key := "denied:" + newSecret()
	return d, m.store.Create(ctx, key, m.keys.seal(sealDenied, key, plain), life, indexes...)
}

// readDenied takes what is in the store under some indexes.
func (m *Manager) readDenied(ctx context.Context, indexes []string) error {
	for _, index := range indexes {
		keys, err := m.store.Find(ctx, index)
		if err != nil {
			return err
		}
		for _, key := range keys {
			sealed, err := m.store.Get(ctx, key)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			plain, err := m.keys.open(sealDenied, key, sealed)
			var d denial
			if err != nil || json.Unmarshal(plain, &d) != nil {
				m.observe(EventUnreadable)
				continue
			}
			m.denied.add(&d, m.now())
		}
	}
	return nil
}

// loadDenied reads all that is in the store. Until it has, nobody can tell whether a
// token is still good; it goes on trying until ctx ends.
func (m *Manager) loadDenied(ctx context.Context) {
	if !m.isShared() {
		return
	}
	m.denied.unsure.Store(true)
	try := func() bool {
		ctx, cancel := context.WithTimeout(ctx, loadTime)
		defer cancel()
		ok := m.readDenied(ctx, m.keys.indexes(indexDeniedAll)) == nil
		if ok {
			m.denied.unsure.Store(false)
		}
		return ok
	}
	if try() {
		return
	}
	m.running.Go(func() {
		for ctx.Err() == nil && !try() {
			_ = wait.For(ctx, busRetry) // the loop asks ctx
		}
		m.resync() // nobody could tell before
	})
}
