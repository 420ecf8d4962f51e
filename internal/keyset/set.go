package keyset

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnknownKey is what a *KeyError is: no key of the set is the token's.
var ErrUnknownKey = errors.New("no key of the issuer fits")

// ErrUnavailable is wrapped by the error for a set that has no keys at all: not
// yet, or no longer. It is a fault on our side, not the token's.
var ErrUnavailable = errors.New("the issuer's keys are not available")

// Options are what the sources of keys have in common.
type Options struct {
	// Algorithms are those that may be verified; required.
	Algorithms []string
	// Now is the clock; required.
	Now func() time.Time
	// Log, if not nil, is told of keys that changed and of sources that fail.
	Log *slog.Logger
	// Observe, if not nil, counts keys_fetched, keys_fetch_failed and keys_changed.
	Observe func(event string)

	// The rest is for OpenURL alone.

	// HTTP is the client; required.
	HTTP *http.Client
	// Lifetime is the age at which keys are fetched again. The default is 10 minutes.
	Lifetime time.Duration
	// Cooldown is the least time between two fetches because of an unknown key id;
	// up to a quarter is added at random. The default is a minute.
	Cooldown time.Duration
	// StaleIfError is the age at which keys that can't be fetched again are gone.
	// The default is a day.
	StaleIfError time.Duration
	// Timeout bounds one fetch. The default is 10 seconds.
	Timeout time.Duration
}

func (o *Options) complete() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(string) {}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Lifetime, 10 * time.Minute},
		{&o.Cooldown, time.Minute},
		{&o.StaleIfError, 24 * time.Hour},
		{&o.Timeout, 10 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

// source brings new keys to a Set.
type source interface {
	// poll is called often. It returns at once when nothing is due.
	poll(now time.Time)
	// find is asked for a key that the set does not have.
	find(ctx context.Context, kid, algorithm string) ([]*Key, error)
	// ready reports a source that has never brought keys, with the reason.
	ready() error
}

// Set is the keys of one issuer. It is used by many goroutines at once.
type Set struct {
	allowed []string
	now     func() time.Time
	source  source // nil for keys that never change
	lazy    bool   // a key comes when a token names it: none is no fault

	adopting   sync.Mutex
	retired    bool // guarded by adopting
	keys       atomic.Pointer[ring]
	generation atomic.Uint64
	goodUntil  atomic.Int64 // Unix nanoseconds
}

// forever is the age limit of keys whose source can't be out of reach.
const forever = math.MaxInt64

// OpenSecret returns the set of one shared secret, for the HMAC algorithms that
// it is long enough for.
func OpenSecret(shared []byte, o Options) (*Set, error) {
	k, err := newKey("", "", append(secret(nil), shared...), o.Algorithms)
	if err != nil {
		return nil, err
	}
	s := &Set{allowed: o.Algorithms, now: o.Now}
	s.adopt(&Document{Keys: []*Key{k}}, forever)
	return s, nil
}

// Poll looks whether the keys are due to be read or fetched again, and has it
// done. It must be called at each use of something that a key has verified, and is
// cheap enough for that. Find does it by itself.
func (s *Set) Poll(now time.Time) {
	if s.source != nil {
		s.source.poll(now)
	}
}

// Find returns the keys of which one is the token's: those of its kid, which is one
// but for issuers that give a kid twice. A token without kid, and a key without one,
// is enough only where no second key fits the algorithm.
//
// An unknown kid may wait for a fetch, as long as ctx lasts. The error is a *KeyError,
// ctx's, or wraps ErrUnavailable.
func (s *Set) Find(ctx context.Context, kid, algorithm string) ([]*Key, error) {
	s.Poll(s.now())
	k, settled, err := s.look(kid, algorithm)
	if settled || s.source == nil {
		return k, err
	}
	return s.source.find(ctx, kid, algorithm)
}

// look searches the present keys. Its answer is settled unless a fetch could
// change it.
func (s *Set) look(kid, algorithm string) (k []*Key, settled bool, err error) {
	r := s.keys.Load()
	if r == nil || s.now().UnixNano() >= s.goodUntil.Load() {
		return nil, false, ErrUnavailable
	}
	if s.lazy && kid == "" {
		return nil, true, unpublished("the token has no kid")
	}
	k, settled, why := r.pick(kid, algorithm)
	if why != nil {
		return nil, settled, why
	}
	return k, true, nil
}

// adopt makes a document's keys the present ones. A key that was there before stays the same
// *Key; one that is no longer there is gone for everybody who holds it.
func (s *Set) adopt(d *Document, goodUntil int64) (changed bool) {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if s.retired {
		return false
	}
	return s.replace(d, goodUntil)
}

// Retire takes all keys away for good: of whatever they verified, nothing is current
// any more. It is for an issuer whose keys are somewhere else now.
func (s *Set) Retire() {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	s.retired = true
	s.replace(&Document{}, 0)
}

// replace needs s.adopting.
func (s *Set) replace(d *Document, goodUntil int64) (changed bool) {
	fresh := append([]*Key(nil), d.Keys...)
	old := s.keys.Load()
	for _, k := range fresh {
		k.goodUntil = &s.goodUntil
	}
	stay := map[*Key]bool{}
	if old != nil {
		for i, k := range fresh {
			for _, o := range old.all {
				if o.same(k) {
					fresh[i], stay[o] = o, true
				}
			}
		}
	}
	changed = old == nil || len(stay) != len(fresh) || len(stay) != len(old.all)
	s.goodUntil.Store(goodUntil)
	s.keys.Store(newRing(fresh, d))
	if old != nil {
		for _, o := range old.all {
			if !stay[o] {
				o.gone.Store(true)
			}
		}
	}
	if changed {
		s.generation.Add(1)
	}
	return changed
}

// Generation changes whenever the keys do.
func (s *Set) Generation() uint64 { return s.generation.Load() }

// Ready reports a set that can verify nothing, with a reason that holds no secret.
func (s *Set) Ready() error {
	r := s.keys.Load()
	switch {
	case s.lazy:
		return nil
	case r == nil && s.source != nil:
		return s.source.ready()
	case s.now().UnixNano() >= s.goodUntil.Load():
		return errors.New("the keys are too old, and can't be fetched again")
	case len(r.all) == 0:
		return r.noKey()
	}
	return nil
}

// Events are the names that a set's Observe is told.
func Events() []string { return []string{"keys_fetched", "keys_fetch_failed", "keys_changed"} }
