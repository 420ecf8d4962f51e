package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// opening is how many tabs are opened at once.
const opening = 32

// work is a soak under way.
type work struct {
	Plan
	ctx       context.Context // of tabs that come back
	returning returning
	people    []*person
	turn      atomic.Int64
	opened    atomic.Int64
	refused   atomic.Int64

	mu   sync.Mutex
	ends map[string]int
	fail error
}

// Run opens the idle tabs, calls idle, has the busy talk, closes everything, and
// reports. It returns an error if the soak itself could not be done.
func (p Plan) Run(ctx context.Context, idle func() error) (Report, error) {
	w := &work{Plan: p, ctx: ctx, ends: map[string]int{}}
	for _, token := range p.Tokens {
		w.people = append(w.people, &person{token: token, work: w})
	}
	tabs := w.openIdle(ctx)
	if w.fail != nil {
		return Report{}, w.fail
	}
	if err := idle(); err != nil {
		return Report{}, err
	}
	begun := time.Now()
	talk, stop := context.WithTimeout(ctx, p.For)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { w.churn(ctx, talk, tabs) })
	for _, who := range w.people[:p.Busy] {
		wg.Go(func() { w.note(who.talk(ctx, talk)) })
	}
	wg.Wait()
	elapsed := time.Since(begun)
	w.returning.end()
	w.closeAll()
	r := Report{Elapsed: elapsed, Opened: int(w.opened.Load()), Refused: int(w.refused.Load()), Closed: w.ends}
	var took []time.Duration
	for _, who := range w.people {
		took = who.account(&r, took)
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		r.P50, r.P99 = took[n/2], took[n*99/100]
	}
	return r, errors.Join(w.fail, ctx.Err())
}

// address takes the Catflaps in turn.
func (w *work) address() string {
	return w.Addresses[int(w.turn.Add(1))%len(w.Addresses)]
}

func (w *work) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.fail == nil {
		w.fail = err
	}
}

func (w *work) closed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[err.Error()]++
}

// openIdle opens the idle tabs, in turn for everybody who is not solitary.
func (w *work) openIdle(ctx context.Context) []*tab {
	tabs := make([]*tab, w.Idle)
	next := make(chan int)
	var wg sync.WaitGroup
	for range opening {
		wg.Go(func() {
			for i := range next {
				who := w.people[w.Solitary+i%(len(w.people)-w.Solitary)]
				t, err := who.open(ctx, true)
				w.note(err)
				tabs[i] = t
			}
		})
	}
	for i := range tabs {
		next <- i
	}
	close(next)
	wg.Wait()
	return tabs
}

// churn has idle tabs leave and come back until the talk ends.
func (w *work) churn(ctx, talk context.Context, tabs []*tab) {
	if w.Churn == 0 || len(tabs) == 0 {
		return
	}
	tick := time.NewTicker(time.Second / time.Duration(w.Churn))
	defer tick.Stop()
	for {
		select {
		case <-talk.Done():
			return
		case <-tick.C:
		}
		i := rand.IntN(len(tabs))
		tabs[i].leave()
		t, err := tabs[i].person.open(ctx, true)
		if err != nil {
			w.note(err)
			return
		}
		tabs[i] = t
	}
}

// closeAll waits until nothing is on its way any more, and closes every tab.
func (w *work) closeAll() {
	time.Sleep(time.Second) // the last answers reach those who only listen
	slots := make(chan struct{}, 4*opening)
	var wg sync.WaitGroup
	for _, who := range w.people {
		who.mu.Lock()
		tabs := slices.Clone(who.tabs)
		for _, t := range tabs {
			t.stayed = !t.leaving && !t.isOver()
		}
		who.mu.Unlock()
		for _, t := range tabs {
			if t.isOver() {
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				t.leave()
			})
		}
	}
	wg.Wait()
}

// returning counts the tabs that are about to come back, until none may any more.
type returning struct {
	mu    sync.Mutex
	over  bool
	under sync.WaitGroup
}

func (r *returning) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.under.Add(1)
	}
	return !r.over
}

func (r *returning) done() { r.under.Done() }

// end waits for those that have begun.
func (r *returning) end() {
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	r.under.Wait()
}
