package chat

import (
	"context"
	"slices"
	"sync"
	"time"
)

// person is the sockets of one user id. With Shared they take turns at the Cat:
// whoever comes ends the one before, waits until its close is complete and the
// Cat has settled, and only then opens the next.
type person struct {
	id     string
	places int // guarded by the hub
	turn   chan struct{}

	mu    sync.Mutex
	atCat []*socket // whose socket at the Cat is not closed completely; with Shared, at most one
	ended time.Time // when the last socket at the Cat was closed completely
}

func newPerson(id string) *person { return &person{id: id, turn: make(chan struct{}, 1)} }

// takesOver reports whether one more place would replace the person's only one. The
// hub is locked.
func (p *person) takesOver(mode Mode) bool { return p != nil && mode == Shared && p.places == 1 }

// takeTurn waits until the person has no socket at the Cat, ending those there
// are. Without an error, giveTurn must follow.
func (p *person) takeTurn(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := p.clear(ctx)
	if err != nil {
		p.giveTurn()
	}
	return err
}

func (p *person) giveTurn() { <-p.turn }

// clear ends the person's sockets at the Cat. Whoever gives up here leaves
// the rest of the waiting to the next in turn.
func (p *person) clear(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // a client that has left takes nothing over
	}
	p.mu.Lock()
	before := slices.Clone(p.atCat)
	p.mu.Unlock()
	for _, s := range before {
		s.end(closeTakenOver)
	}
	return p.settled(ctx, before)
}

// settled waits until sockets of the person are over at the Cat, and it can hear
// a new one.
func (p *person) settled(ctx context.Context, before []*socket) error {
	for _, s := range before {
		select {
		case <-s.over: // within closeWait, whatever its two ends do
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	rest := p.unsettled()
	if rest <= 0 {
		return nil
	}
	t := time.NewTimer(rest)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unsettled is how much longer the Cat needs after the person's last socket.
func (p *person) unsettled() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return settle - time.Since(p.ended)
}

// ending returns the sockets that have begun to close. With Separate, the others stay.
func (p *person) ending() []*socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*socket
	for _, s := range p.atCat {
		if s.isEnding() {
			list = append(list, s)
		}
	}
	return list
}

// rest makes whoever comes next wait until the Cat has settled.
func (p *person) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
}

func (p *person) joined(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.atCat = append(p.atCat, s)
}

// left notes that the socket at the Cat is closed completely, and lets whoever
// waits for that go on.
func (p *person) left(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
	if i := slices.Index(p.atCat, s); i >= 0 {
		p.atCat = slices.Delete(p.atCat, i, i+1)
	}
	close(s.over)
}
