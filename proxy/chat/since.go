package chat

import (
	"context"
	"sync/atomic"

	"github.com/catflap/catflap/authhandlers"
)

// Judge returns somebody as they would be let in now, or how their socket ends.
type Judge func(*authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing)

// Mark is a moment in what ends people's access: revocations, and changes of the rules
// and keys. The zero value is now.
type Mark struct{ revoked, judged uint64 }

// maxLately bounds the revocations that are remembered for those who are coming in.
const maxLately = 1024

// revocations are the last ones. One who began to come in before them, and takes a
// place only now, was not there to be ended. The hub guards it.
type revocations struct {
	list []authhandlers.Revocation
	n    atomic.Uint64 // ever; that of the last in list
}

func (l *revocations) add(r authhandlers.Revocation) {
	if len(l.list) == maxLately {
		l.list = append(l.list[:0:0], l.list[maxLately/2:]...)
	}
	l.list = append(l.list, r)
	l.n.Add(1)
}

// since returns those after the first n, or false where some are forgotten.
func (l *revocations) since(n uint64) ([]authhandlers.Revocation, bool) {
	missing := l.n.Load() - n
	if missing > uint64(len(l.list)) {
		return nil, false
	}
	return l.list[uint64(len(l.list))-missing:], true
}

// Mark returns this moment. It is taken before somebody's credential is looked at.
func (h *Hub) Mark() Mark { return Mark{h.lately.n.Load() + 1, h.judged.Load() + 1} }

// Revoked returns how the access of somebody has ended by a revocation since a moment,
// or nil. One who is noted where Revoke's caller finds them, and asks after that, misses
// none.
func (h *Hub) Revoked(m Mark, u *authhandlers.AuthUserInfo) *Closing {
	if m.revoked == 0 || m.revoked == h.lately.n.Load()+1 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.revoked(m, u)
}

// revoked is Revoked in a locked hub.
func (h *Hub) revoked(m Mark, u *authhandlers.AuthUserInfo) *Closing {
	if m.revoked == 0 {
		return nil
	}
	list, ok := h.lately.since(m.revoked - 1)
	if !ok {
		return &closeForgotten
	}
	for _, r := range list {
		if r.Matches(u) {
			return &closeSignedOut
		}
	}
	return nil
}

// since returns somebody whose credential was looked at after a moment as they would
// be let in now, or how their access has ended since. The hub is locked.
func (h *Hub) since(m Mark, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) {
	if c := h.revoked(m, u); c != nil {
		return nil, c
	}
	if h.judge != nil && m.judged != h.judged.Load()+1 {
		return h.judge(u)
	}
	return u, nil
}

// confirm asks once more for somebody who has a place by now.
func (h *Hub) confirm(ctx context.Context, s *client) error {
	if h.o.Confirm == nil {
		return nil
	}
	err := h.o.Confirm(ctx, s.user.Load())
	if c := ending(err, closeSignedOut); c != nil {
		return &EndedError{*c}
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &UnsureError{err}
	}
	return nil
}

// UnsureError means that nobody can say whether the person is still let in.
type UnsureError struct{ Err error }

func (e *UnsureError) Error() string {
	return "nobody can say whether the access has ended: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnsureError) Unwrap() error { return e.Err }
