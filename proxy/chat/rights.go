package chat

import (
	"context"
	"errors"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// level is with which rights a room's upstream to the Cat may be open: never with more
// than each of the clients has. It only falls while there is an upstream; who would rise
// gets a new one later. The room guards it.
type level struct {
	most   cat.Permissions // what each client has, of those that have been there
	opened cat.Permissions // what the socket was opened within
}

type withinKey struct{}

// Within returns the rights that all have who will share the socket that is being
// opened with ctx: it must have no others at the Cat.
func Within(ctx context.Context) cat.Permissions {
	if most, ok := ctx.Value(withinKey{}).(cat.Permissions); ok {
		return most
	}
	return cat.All
}

// rightsOf are a client's own.
func (h *Hub) rightsOf(u *authhandlers.AuthUserInfo) cat.Permissions {
	if h.o.Rights == nil {
		return cat.All
	}
	return h.o.Rights(u)
}

var errFewerRights = errors.New("chat: somebody with fewer rights came while the socket was opening")

// The rights that a process's clients have travel in the n of a messageOpen, as those
// which they lack: a process that says nothing of them has clients that lack none.
const lackShift = 8

func lacking(most cat.Permissions) uint64 { return uint64(cat.All&^most) << lackShift }

func rightsIn(n uint64) cat.Permissions { return cat.All &^ cat.Permissions(n>>lackShift) }
