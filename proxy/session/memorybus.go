package session

import (
	"bytes"
	"context"
)

// backlog is how many messages wait for a subscriber; then they are dropped, and it
// is told that it has missed some.
const backlog = 256

type subscriber struct{ messages chan []byte }

// Publish implements Store.
func (m *Memory) Publish(ctx context.Context, message []byte) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for s := range m.subscribers {
		select {
		case s.messages <- bytes.Clone(message):
		default:
			// Nobody else sends, so taking one out makes room for the notice.
			select {
			case <-s.messages:
			default:
			}
			s.messages <- nil
		}
	}
	return nil
}

// Subscribe implements Store.
func (m *Memory) Subscribe(ctx context.Context) (<-chan []byte, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	s := &subscriber{make(chan []byte, backlog)}
	m.subscribers[s] = struct{}{}
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.unsubscribe(s)
	})
	return s.messages, nil
}

func (m *Memory) unsubscribe(s *subscriber) {
	if _, ok := m.subscribers[s]; ok {
		delete(m.subscribers, s)
		close(s.messages)
	}
}

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for s := range m.subscribers {
		m.unsubscribe(s)
	}
	clear(m.entries)
	clear(m.indexes)
	return nil
}
