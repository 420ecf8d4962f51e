package chat

import (
	"context"
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

	mu      sync.Mutex
	current *socket   // the newest socket at the Cat
	ended   time.Time // when the last socket at the Cat was closed completely
}

func newPerson(id string) *person { return &person{id: id, turn: make(chan struct{}, 1)} }

// takeTurn waits until the person has no socket at the Cat, ending the one there
// is. Without an error, giveTurn must follow.
func (p *person) takeTurn(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	before := p.current
	p.mu.Unlock()
	if before != nil {
		before.end(closeTakenOver)
		// It ends by itself within closeWait, whatever the two ends do; giving up
		// before would leave two sockets at the Cat.
		<-before.over
	}
	p.mu.Lock()
	rest := settle - time.Since(p.ended)
	p.mu.Unlock()
	if rest <= 0 {
		return nil
	}
	t := time.NewTimer(rest)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		p.giveTurn()
		return ctx.Err()
	}
}

func (p *person) giveTurn() { <-p.turn }

func (p *person) joined(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = s
}

// left notes that the socket at the Cat is closed completely, and lets whoever
// waits for that go on.
func (p *person) left(s *socket) {
	p.mu.Lock()
	p.ended = time.Now()
	if p.current == s {
		p.current = nil
	}
	p.mu.Unlock()
	close(s.over)
}
