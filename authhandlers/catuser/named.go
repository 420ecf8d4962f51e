package catuser

import (
	"context"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wait"
)

// again is how often it is looked whether a newer list is there.
const again = 50 * time.Millisecond

// UserNamed implements authhandlers.UserRoll.
func (h *handler) UserNamed(ctx context.Context, name string, after time.Time) (*authhandlers.CatUser, error) {
	for {
		l, err := h.roll.present(ctx, fresh)
		if err != nil {
			return nil, err
		}
		if !l.asOf.Before(after) {
			h.roll.watch(time.Time{})
			return l.person(name)
		}
		h.roll.mu.Lock()
		h.roll.begin(h.now())
		h.roll.mu.Unlock()
		if err := wait.For(ctx, again); err != nil {
			return nil, err
		}
	}
}

// KnownUser implements authhandlers.UserRoll.
func (h *handler) KnownUser(name string) (*authhandlers.CatUser, time.Time, error) {
	h.roll.mu.Lock()
	defer h.roll.mu.Unlock()
	if err := h.roll.overdue(h.now()); err != nil {
		return nil, time.Time{}, err
	}
	u, err := h.roll.list.person(name)
	return u, h.roll.list.asOf, err
}

// person returns who has the name, or nil.
func (l *list) person(name string) (*authhandlers.CatUser, error) {
	if l.named[name] > 1 {
		return nil, reject(authhandlers.CodeInvalidUserID, "two of the Cat's users have this name; an administrator has to rename one", "two users have one name")
	}
	return l.first[name], nil
}

var _ authhandlers.UserRoll = (*handler)(nil)
