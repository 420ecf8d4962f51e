package session

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Share sets how many sessions one person may have, from their next sign-in on. 0
// means any number.
func (m *Manager) Share(perPerson int) { m.share.Store(int64(perPerson)) }

// createWithin stores a new session within the person's share: their oldest ones make
// room, and where the store is full, too. Nobody else's ever do.
func (m *Manager) createWithin(ctx context.Context, s *Session) error {
	share := int(m.share.Load())
	if share > 0 {
		if err := m.makeRoom(ctx, s, share-1); err != nil {
			return err
		}
	}
	err := m.create(ctx, s)
	if errors.Is(err, ErrFull) {
		others, e := m.others(ctx, s)
		if e != nil || len(others) == 0 {
			return errors.Join(err, e)
		}
		if e := m.makeRoom(ctx, s, len(others)-1); e != nil {
			return e
		}
		err = m.create(ctx, s)
	}
	if err != nil || share == 0 {
		return err
	}
	// Of several sign-ins at once, the last one to get here sees them all.
	return m.makeRoom(ctx, s, share-1)
}

// makeRoom ends the oldest of a person's other sessions, until just so many are left.
func (m *Manager) makeRoom(ctx context.Context, s *Session, left int) error {
	others, err := m.others(ctx, s)
	if err != nil || len(others) <= left {
		return err
	}
	slices.SortFunc(others, func(a, b *Session) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.key, b.key))
	})
	return m.endAll(ctx, others[:len(others)-left], ReasonOutnumbered)
}

// others are a person's sessions but s, and but the one whose place s takes.
func (m *Manager) others(ctx context.Context, s *Session) ([]*Session, error) {
	var others []*Session
	err := m.each(ctx, func(other *Session) {
		if other.key != s.key && other.Handle != s.Handle {
			others = append(others, other)
		}
	}, indexPerson, s.Login.Person.Issuer, s.Login.Person.Subject)
	return others, err
}
