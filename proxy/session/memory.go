package session

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxOnce bounds the marks of what has been used: they come from strangers, and
// the oldest make way. Whatever they guard is refused elsewhere, too.
const maxOnce = 100_000

// sweepEvery is how many creations pass between two looks for what has expired.
const sweepEvery = 256

// Memory is a Store for one Catflap. It needs no goroutine: what has expired is not
// there, and is dropped along the way.
type Memory struct {
	now func() time.Time
	max int

	mu      sync.Mutex
	entries map[string]*entry
	indexes map[string][]string
	locks   map[string]*lock
	once    *lru.Cache[string, time.Time]
	creates int
	told    map[int]func([]byte)
	next    int
}

type entry struct {
	value   []byte
	until   time.Time
	indexes []string
}

type lock struct{ until time.Time }

// NewMemory makes an empty store for at most max values.
func NewMemory(now func() time.Time, most int) *Memory {
	once, err := lru.New[string, time.Time](maxOnce)
	if err != nil {
		panic(err) // of a constant
	}
	return &Memory{
		now: now, max: most, entries: map[string]*entry{}, indexes: map[string][]string{}, locks: map[string]*lock{}, once: once,
		told: map[int]func([]byte){},
	}
}

// live returns what is under a key. The store is locked.
func (m *Memory) live(key string) *entry {
	e := m.entries[key]
	if e == nil {
		return nil
	}
	if !m.now().Before(e.until) {
		m.drop(key, e)
		return nil
	}
	return e
}

func (m *Memory) drop(key string, e *entry) {
	delete(m.entries, key)
	for _, index := range e.indexes {
		keys := m.indexes[index]
		if i := slices.Index(keys, key); i >= 0 {
			keys = slices.Delete(keys, i, i+1)
		}
		if len(keys) == 0 {
			delete(m.indexes, index)
		} else {
			m.indexes[index] = keys
		}
	}
}

func (m *Memory) sweep() {
	for key, e := range m.entries {
		if !m.now().Before(e.until) {
			m.drop(key, e)
		}
	}
	for key, l := range m.locks {
		if !m.now().Before(l.until) {
			delete(m.locks, key)
		}
	}
}

// Create implements [Store].
func (m *Memory) Create(_ context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.creates++
	if m.creates%sweepEvery == 0 || len(m.entries) >= m.max && m.creates%16 == 0 {
		m.sweep()
	}
	if old := m.live(key); old != nil {
		m.drop(key, old)
	}
	if len(m.entries) >= m.max {
		return ErrFull
	}
	m.entries[key] = &entry{value: bytes.Clone(value), until: m.now().Add(ttl), indexes: slices.Clone(indexes)}
	for _, index := range indexes {
		m.indexes[index] = append(m.indexes[index], key)
	}
	return nil
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.live(key); e != nil {
		return e.value, nil // never changed in place
	}
	return nil, ErrNotFound
}

// Replace implements [Store].
func (m *Memory) Replace(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.live(key)
	if e == nil {
		return ErrNotFound
	}
	e.value = bytes.Clone(value)
	return nil
}

// Touch implements [Store].
func (m *Memory) Touch(_ context.Context, key string, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.live(key)
	if e == nil {
		return ErrNotFound
	}
	e.until = m.now().Add(ttl)
	return nil
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, key string) (bool, error) {
	_, err := m.Take(ctx, key)
	return err == nil, nil
}

// Take implements [Store].
func (m *Memory) Take(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.live(key)
	if e == nil {
		return nil, ErrNotFound
	}
	m.drop(key, e)
	return e.value, nil
}

// Find implements [Store].
func (m *Memory) Find(_ context.Context, index string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for _, key := range slices.Clone(m.indexes[index]) {
		if m.live(key) != nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// Once implements [Store].
func (m *Memory) Once(_ context.Context, key string, ttl time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if until, ok := m.once.Get(key); ok && m.now().Before(until) {
		return false, nil
	}
	m.once.Add(key, m.now().Add(ttl))
	return true, nil
}

// Lock implements [Store].
func (m *Memory) Lock(_ context.Context, key string, ttl time.Duration) (func(), bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.locks[key]; l != nil && m.now().Before(l.until) {
		return nil, false, nil
	}
	own := &lock{m.now().Add(ttl)}
	m.locks[key] = own
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.locks[key] == own {
			delete(m.locks, key)
		}
	}, true, nil
}

// Publish implements [Store]. Subscribers are told before it returns.
func (m *Memory) Publish(_ context.Context, message []byte) error {
	m.mu.Lock()
	told := make([]func([]byte), 0, len(m.told))
	for _, f := range m.told {
		told = append(told, f)
	}
	m.mu.Unlock()
	for _, f := range told {
		f(message)
	}
	return nil
}

// Subscribe implements [Store]. Nothing is ever missed.
func (m *Memory) Subscribe(ctx context.Context, told func([]byte)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.next
	m.next++
	m.told[n] = told
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.told, n)
	})
}

// Ready implements [Store].
func (m *Memory) Ready(context.Context) error { return nil }

// Close implements [Store].
func (m *Memory) Close() error { return nil }

var _ Store = (*Memory)(nil)
