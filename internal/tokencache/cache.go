package tokencache

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/internal/flight"
)

// ErrMiss says that the token is not remembered.
var ErrMiss = errors.New("the token is not remembered")

// Entry is what a cache keeps for an accepted token. It should be a pointer: the
// cache then costs about 160 bytes beside what it points to.
type Entry interface {
	// Until is the moment from which the entry must not be used.
	Until() time.Time
	// Current reports whether what vouched for the token still stands.
	Current() bool
}

// Options are the bounds of a cache.
type Options struct {
	// Accepted and Refused are how many tokens of each kind are remembered at most;
	// 0 means none.
	Accepted, Refused int
	// RefusedFor says how long a refusal is remembered; 0 is not at all. It must be
	// 0 for a fault, and for a refusal that time or a new key may turn.
	RefusedFor func(error) time.Duration
	// Generation, if not nil, is a number that changes with the keys. A refusal is
	// remembered no longer than it stays the same.
	Generation func() uint64
}

// Cache is used by many goroutines at once. One lock for each kind of entry is enough: it
// is held for some 50 ns, against the 25 us and more that a request costs.
type Cache[E Entry] struct {
	o        Options
	salt     [32]byte
	accepted *lru.Cache[Key, E]
	refused  *lru.Cache[Key, refusal]
	buffers  sync.Pool
	flights  flight.Group[Key, E]
}

type refusal struct {
	err        error
	until      int64 // Unix nanoseconds
	generation uint64
}

// New makes an empty cache.
func New[E Entry](o Options) (*Cache[E], error) {
	c := &Cache[E]{o: o}
	c.buffers.New = func() any { return new([]byte) }
	if _, err := rand.Read(c.salt[:]); err != nil {
		return nil, err
	}
	var err error
	if o.Accepted > 0 {
		if c.accepted, err = lru.New[Key, E](o.Accepted); err != nil {
			return nil, err
		}
	}
	if o.Refused > 0 && o.RefusedFor != nil {
		if c.refused, err = lru.New[Key, refusal](o.Refused); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Key stands for one token in one cache.
type Key [sha256.Size]byte

// Key returns the key of a token: SHA-256 over a secret of this cache and the
// token. The secret keeps others from computing keys, so none can be aimed at a
// place of the map; it is never shown, so HMAC's second pass would buy nothing.
func (c *Cache[E]) Key(token string) Key {
	b := c.buffers.Get().(*[]byte)
	text := append(append((*b)[:0], c.salt[:]...), token...)
	k := Key(sha256.Sum256(text))
	clear(text[len(c.salt):])
	*b = text
	c.buffers.Put(b)
	return k
}

// Get returns what is remembered: an entry, or the error of a refusal, or ErrMiss.
func (c *Cache[E]) Get(k Key, now time.Time) (E, error) {
	var none E
	if c.accepted != nil {
		if e, ok := c.accepted.Get(k); ok {
			if now.Before(e.Until()) && e.Current() {
				return e, nil
			}
			c.accepted.Remove(k)
			return none, ErrMiss
		}
	}
	if c.refused != nil {
		if r, ok := c.refused.Get(k); ok {
			if now.UnixNano() < r.until && r.generation == c.generation() {
				return none, r.err
			}
			c.refused.Remove(k)
		}
	}
	return none, ErrMiss
}

// Len returns how many accepted and refused tokens are remembered.
func (c *Cache[E]) Len() (accepted, refused int) {
	if c.accepted != nil {
		accepted = c.accepted.Len()
	}
	if c.refused != nil {
		refused = c.refused.Len()
	}
	return accepted, refused
}

func (c *Cache[E]) generation() uint64 {
	if c.o.Generation == nil {
		return 0
	}
	return c.o.Generation()
}

// remember keeps the outcome of a verification that began at now, when the keys
// were of this generation.
func (c *Cache[E]) remember(k Key, now time.Time, generation uint64, e E, err error) {
	switch {
	case err == nil && c.accepted != nil:
		if now.Before(e.Until()) && e.Current() {
			c.accepted.Add(k, e)
		}
	case err != nil && c.refused != nil:
		if d := c.o.RefusedFor(err); d > 0 {
			c.refused.Add(k, refusal{err: err, until: now.Add(d).UnixNano(), generation: generation})
		}
	}
}
