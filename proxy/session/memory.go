package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/catflap/catflap/internal/deadline"
)

// Memory is a Store within this process. What it holds ends with the process.
type Memory struct {
	now func() time.Time
	max int

	mu      sync.Mutex
	closed  bool
	entries map[string]*entry
	kinds   map[string]int         // how many entries of each kind
	ends    deadline.Heap[*ending] // of entries
	indexes map[string]map[string]struct{}
	marks   map[string]*marks // by their kind
	locks   map[string]lease

	subscribers map[*subscriber]struct{}
}

type entry struct {
	ending
	value   []byte
	indexes []string
}

type lease struct {
	owner string
	until time.Time
}

// leastRoom is how much there is of what lives for minutes in the smallest store.
const leastRoom = 1 << 14

// NewMemory makes an empty store of at most max sessions. What lives for minutes, the
// tickets and the marks of each kind, takes no place from them or from each other: it
// has as many places of its own, and at least some thousands. The mark of Once that
// would end first makes room for another of its kind. The clock may be nil.
func NewMemory(now func() time.Time, max int) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{
		now: now, max: max, entries: map[string]*entry{}, indexes: map[string]map[string]struct{}{},
		kinds: map[string]int{}, marks: map[string]*marks{}, locks: map[string]lease{}, subscribers: map[*subscriber]struct{}{},
	}
}

// enter locks the store and removes what has expired, which costs only what has
// expired since the last call.
func (m *Memory) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	now := m.now()
	for one, ok := m.ends.Expired(now); ok; one, ok = m.ends.Expired(now) {
		m.remove(one.key)
	}
	for _, marks := range m.marks {
		marks.expire(now)
	}
	return nil
}

// kind is what stands before the colon of a key: a few words of this package.
func kind(key string) string {
	before, _, found := strings.Cut(key, ":")
	if !found {
		return ""
	}
	return before
}

// room is how many entries of a kind there may be.
func (m *Memory) room(kind string) int {
	if kind == "ticket" || kind == "mark" {
		return max(m.max, leastRoom)
	}
	return m.max
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	switch {
	case m.entries[key] != nil:
		return ErrExists
	case m.kinds[kind(key)] >= m.room(kind(key)):
		return ErrFull
	case ttl <= 0:
		return nil
	}
	e := &entry{ending: ending{key: key, at: m.now().Add(ttl)}, value: bytes.Clone(value), indexes: indexes}
	m.entries[key] = e
	m.kinds[kind(key)]++
	m.ends.Add(&e.ending)
	for _, index := range indexes {
		if m.indexes[index] == nil {
			m.indexes[index] = map[string]struct{}{}
		}
		m.indexes[index][key] = struct{}{}
	}
	return nil
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return nil, ErrNotFound
	}
	return bytes.Clone(e.value), nil
}

// Replace implements Store.
func (m *Memory) Replace(ctx context.Context, key string, value []byte) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return ErrNotFound
	}
	e.value = bytes.Clone(value)
	return nil
}

// Touch implements Store.
func (m *Memory) Touch(ctx context.Context, key string, ttl time.Duration) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return ErrNotFound
	}
	e.at = m.now().Add(ttl)
	m.ends.Fix(&e.ending)
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string) (bool, error) {
	if err := m.enter(ctx); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	return m.remove(key) != nil, nil
}

// Take implements Store.
func (m *Memory) Take(ctx context.Context, key string) ([]byte, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	e := m.remove(key)
	if e == nil {
		return nil, ErrNotFound
	}
	return e.value, nil
}

// Find implements Store.
func (m *Memory) Find(ctx context.Context, index string) ([]string, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var keys []string
	for key := range m.indexes[index] {
		keys = append(keys, key)
	}
	return keys, nil
}

func (m *Memory) remove(key string) *entry {
	e := m.entries[key]
	if e == nil {
		return nil
	}
	delete(m.entries, key)
	m.kinds[kind(key)]--
	m.ends.Remove(&e.ending)
	for _, index := range e.indexes {
		delete(m.indexes[index], key)
		if len(m.indexes[index]) == 0 {
			delete(m.indexes, index)
		}
	}
	return e
}

// Once implements Store.
func (m *Memory) Once(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	if err := m.enter(ctx); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	marks := m.marks[kind(key)]
	if marks == nil {
		marks = newMarks(max(m.max, leastRoom))
		m.marks[kind(key)] = marks
	}
	return marks.set(key, m.now().Add(ttl)), nil
}

// Forget implements Store.
func (m *Memory) Forget(ctx context.Context, key string) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if marks := m.marks[kind(key)]; marks != nil {
		marks.forget(key)
	}
	return nil
}

// Lock implements Store.
func (m *Memory) Lock(ctx context.Context, key string, ttl time.Duration) (func(), bool, error) {
	if err := m.enter(ctx); err != nil {
		return nil, false, err
	}
	defer m.mu.Unlock()
	if l, held := m.locks[key]; held && m.now().Before(l.until) {
		return nil, false, nil
	}
	owner := rand.Text()
	m.locks[key] = lease{owner, m.now().Add(ttl)}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.locks[key].owner == owner {
			delete(m.locks, key)
		}
	}, true, nil
}

// sweep removes the entries that are not to be kept.
func (m *Memory) sweep(keep func(key string, value []byte) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, e := range m.entries {
		if !keep(key, e.value) {
			m.remove(key)
		}
	}
}

// Ready implements Store.
func (m *Memory) Ready(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	return nil
}

// Len returns how many entries there are.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}
