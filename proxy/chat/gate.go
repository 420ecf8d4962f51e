package chat

import (
	"slices"
	"sync"
	"time"

	"github.com/catflap/catflap/internal/lock"
)

// gate bounds the turns under way at one Cat. Who waits comes in by turns of persons: the
// one with the fewest under way first, and of those the one who has waited for longest.
// One person has half of the places at most.
type gate struct {
	limit func() int // 0 means any number
	most  time.Duration

	mu    lock.Of[gate]
	under int
	of    map[string]int // by person
	queue []*waiting
}

// waiting is a turn that waits for its place.
type waiting struct {
	person string
	come   func(leave func()) // called once, by a goroutine of its own
}

func newGate(limit func() int, most time.Duration) *gate {
	return &gate{limit: limit, most: most, of: map[string]int{}}
}

// enter asks for a place. Either it returns how to leave it, or come is told of it later,
// unless giveUp is called before: it reports whether it was in time. A place that nobody
// leaves ends when nobody waits for the answer any more.
func (g *gate) enter(person string, come func(leave func())) (leave func(), giveUp func() bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mayEnter(person) && len(g.queue) == 0 {
		return g.take(person), nil
	}
	w := &waiting{person, come}
	g.queue = append(g.queue, w)
	g.admit() // somebody who waits behind a person's own turns keeps nobody else out
	return nil, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		i := slices.Index(g.queue, w)
		if i >= 0 {
			g.queue = slices.Delete(g.queue, i, i+1)
		}
		return i >= 0
	}
}

func (g *gate) mayEnter(person string) bool {
	limit := g.limit()
	return limit == 0 || g.under < limit && g.of[person] < max(1, limit/2)
}

// take gives a place. The gate is locked.
func (g *gate) take(person string) (leave func()) {
	g.under++
	g.of[person]++
	once := sync.OnceFunc(func() { g.left(person) })
	forgotten := time.AfterFunc(g.most, once)
	return func() {
		forgotten.Stop()
		once()
	}
}

func (g *gate) left(person string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.under--
	if g.of[person]--; g.of[person] == 0 {
		delete(g.of, person)
	}
	g.admit()
}

// admit lets in who may come. The gate is locked.
func (g *gate) admit() {
	for {
		next := -1
		for i, w := range g.queue {
			if g.mayEnter(w.person) && (next < 0 || g.of[w.person] < g.of[g.queue[next].person]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := g.queue[next]
		g.queue = slices.Delete(g.queue, next, next+1)
		go w.come(g.take(w.person))
	}
}

// changed follows another limit.
func (g *gate) changed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admit()
}

func (g *gate) counts() (under, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.under, len(g.queue)
}
