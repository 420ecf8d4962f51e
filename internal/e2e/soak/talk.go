package soak

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// talk says one thing after another until the talk ends. Now and then the tab is
// loaded again, and sometimes right after a message, before its answer.
func (p *person) talk(ctx, talk context.Context) error {
	select { // not all at once
	case <-talk.Done():
		return nil
	case <-time.After(rand.N(p.work.Pace)):
	}
	t, err := p.open(ctx, false)
	if err != nil {
		return err
	}
	var leaving sync.WaitGroup
	defer leaving.Wait()
	reload := func() error {
		old := t
		leaving.Go(old.leave)
		t, err = p.open(ctx, false)
		return err
	}
	for talk.Err() == nil {
		text, ended := p.begin(t)
		broken := t.say(text) != nil
		reloads := !broken && rand.IntN(8) == 0
		if reloads {
			p.leftEarly()
			if err := reload(); err != nil {
				return err
			}
		}
		if !p.await(t, ended, !reloads) {
			return nil // the message is counted as lost
		}
		select {
		case <-talk.Done():
			return nil
		case <-time.After(p.work.Pace/2 + rand.N(p.work.Pace)):
		}
		if t.isOver() || rand.IntN(16) == 0 {
			if err := reload(); err != nil {
				return err
			}
		}
	}
	return nil
}

// await waits until a message has ended. If it was said by this tab, the end of the
// tab is an end that its person sees.
func (p *person) await(t *tab, ended <-chan struct{}, own bool) bool {
	limit := time.NewTimer(p.work.Patience)
	defer limit.Stop()
	over := t.over
	if !own {
		over = nil
	}
	select {
	case <-ended:
		return true
	case <-over:
		p.cutOff(t)
		return true
	case <-limit.C:
		return false
	}
}
