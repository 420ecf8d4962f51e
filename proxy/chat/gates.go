package chat

import (
	"context"
	"errors"
	"time"

	"github.com/catflap/catflap/internal/lock"
)

// ErrBusy means that a turn has waited in vain for its place at the Cat.
var ErrBusy = errors.New("too many turns are under way at the Cat")

// gates are those of each Cat, by its name.
type gates struct {
	mu lock.Of[gates]
	by map[string]*gate
}

// gateOf is the gate at a person's Cat, or nil where turns have no bound.
func (h *Hub) gateOf(id string) *gate {
	if h.settings.Load().MaxTurns == 0 {
		return nil
	}
	name := ""
	if h.o.CatOf != nil {
		name = h.o.CatOf(id)
	}
	h.gates.mu.Lock()
	defer h.gates.mu.Unlock()
	if h.gates.by == nil {
		h.gates.by = map[string]*gate{}
	}
	g := h.gates.by[name]
	if g == nil {
		g = newGate(func() int { return h.settings.Load().MaxTurns }, h.times.turn)
		h.gates.by[name] = g
	}
	return g
}

func (h *Hub) eachGate(do func(*gate)) {
	h.gates.mu.Lock()
	defer h.gates.mu.Unlock()
	for _, g := range h.gates.by {
		do(g)
	}
}

// Turn waits for a place among the turns under way at a person's Cat, for a turn that
// goes there past their socket. Without an error, leave must be called at its end; the
// error is ErrBusy or ctx's.
func (h *Hub) Turn(ctx context.Context, id string) (leave func(), err error) {
	g := h.gateOf(id)
	if g == nil {
		return func() {}, nil
	}
	came := make(chan func(), 1)
	leave, giveUp := g.enter(id, func(leave func()) { came <- leave })
	if leave != nil {
		return leave, nil
	}
	t := time.NewTimer(h.settings.Load().deliverWithin())
	defer t.Stop()
	select {
	case leave = <-came:
		return leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-t.C:
		err = ErrBusy
	}
	if !giveUp() { // it comes at this moment
		(<-came)()
	}
	return nil, err
}
