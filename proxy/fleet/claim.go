package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/proxy/chat"
)

var (
	errNotAlive = errors.New("fleet: Redis has not heard of this process in time")
	errTooEarly = errors.New("fleet: Redis has just come up, or back: sockets open when those who had one have surely given it up")
)

// stayAlive says again and again that this process is alive. Its claims stand from one
// time to the next, and no longer.
func (f *Fleet) stayAlive() {
	for first := true; ; first = false {
		f.sayAlive()
		if first {
			close(f.started)
		}
		if !f.sleep(f.o.times.renew) {
			return
		}
	}
}

func (f *Fleet) sayAlive() {
	ctx, cancel := context.WithTimeout(f.stop, f.o.times.call)
	defer cancel()
	asked := time.Now()
	got, err := aliveScript.Run(ctx, f.o.Client, []string{f.aliveKey(f.self), f.bornKey()}, f.o.times.lease.Milliseconds(), bornLife.Milliseconds()).Int64Slice()
	f.mu.Lock()
	f.fault = err
	f.mu.Unlock()
	if err != nil || len(got) != 2 {
		return
	}
	f.mu.Lock()
	first := f.alive.IsZero()
	if !first && got[0] == 0 {
		f.mu.Unlock()
		f.lose() // somebody may have taken for dead who is not
		f.mu.Lock()
	}
	f.alive = asked.Add(f.o.times.lease)
	f.young = time.Now().Add(time.Duration(got[1]) * time.Millisecond)
	left := time.Until(f.alive) - f.o.times.margin
	if f.lapse == nil {
		f.lapse = time.AfterFunc(left, f.lose)
	} else {
		f.lapse.Reset(left)
	}
	keep := map[string]string{}
	if time.Since(f.kept) > claimKeep {
		f.kept = time.Now()
		keep = maps.Clone(f.claims)
	}
	f.mu.Unlock()
	for token, person := range keep {
		_ = keepScript.Run(ctx, f.o.Client, f.people(person), token, claimLife.Milliseconds()).Err() // once more in an hour
	}
}

// lose gives up all claims.
func (f *Fleet) lose() {
	f.mu.Lock()
	now := time.Now()
	late := now.After(f.alive)
	had := len(f.claims)
	clear(f.claims)
	f.alive = now
	f.blank = now.Add(f.o.times.lease)
	f.mu.Unlock()
	if f.stop.Err() == nil {
		f.o.Log.Warn("this Catflap can't be sure to be the only one any more; it gives up its sockets at the Cat", "people", had, "reason", f.notAlive().Error())
		f.listener.Lost(late)
	}
}

// notAlive says why nobody can be claimed, with what Redis, or the way to it, has said.
func (f *Fleet) notAlive() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.silence()
}

// silence is notAlive in a locked fleet.
func (f *Fleet) silence() error {
	if f.fault == nil {
		return errNotAlive
	}
	return fmt.Errorf("%w: %w", errNotAlive, f.fault)
}

// Claim implements chat.Fleet.
func (f *Fleet) Claim(ctx context.Context, person string) (chat.Claim, error) {
	select {
	case <-f.started:
	case <-ctx.Done():
		return chat.Claim{}, ctx.Err()
	}
	token := f.self + ":" + rand.Text()
	f.mu.Lock()
	now := time.Now()
	if wait := f.blank.Sub(now); wait > 0 {
		f.mu.Unlock()
		return chat.Claim{Wait: min(wait, f.o.times.beat)}, nil
	}
	if !now.Before(f.alive.Add(-f.o.times.margin)) {
		err := f.silence()
		f.mu.Unlock()
		return chat.Claim{}, err
	}
	f.claims[token] = person
	f.mu.Unlock()
	c, err := f.claim(ctx, person, token)
	if err == nil && c.Token == token && !f.Holds(token) {
		err = errNotAlive // lost in the meantime
	}
	if err != nil || c.Token != token {
		f.mu.Lock()
		delete(f.claims, token)
		f.mu.Unlock()
	}
	return c, err
}

func (f *Fleet) claim(ctx context.Context, person, token string) (chat.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, f.o.times.call)
	defer cancel()
	keys := append([]string{f.aliveKey(f.self), f.bornKey()}, f.people(person)...)
	got, err := claimScript.Run(ctx, f.o.Client, keys, token, f.self, f.aliveKey(""), f.o.times.lease.Milliseconds(), claimLife.Milliseconds()).StringSlice()
	if err != nil {
		return chat.Claim{}, fmt.Errorf("fleet: redis: %w", err)
	}
	if len(got) != 2 {
		return chat.Claim{}, errNotAlive
	}
	switch got[0] {
	case "own":
		return chat.Claim{Token: token}, nil
	case "other":
		owner, _, _ := strings.Cut(got[1], ":")
		return chat.Claim{Token: got[1], Owner: owner}, nil
	case "wait":
		ms, err := strconv.ParseFloat(got[1], 64)
		if err != nil {
			return chat.Claim{}, errNotAlive
		}
		return chat.Claim{Wait: min(time.Duration(ms)*time.Millisecond, f.o.times.beat)}, nil
	}
	return chat.Claim{}, errNotAlive
}

// Ready says why nobody can be claimed at the moment.
func (f *Fleet) Ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	switch {
	case !now.Before(f.alive.Add(-f.o.times.margin)):
		return f.silence()
	case now.Before(f.blank), now.Before(f.young):
		return errTooEarly
	}
	return nil
}

// Holds implements chat.Fleet.
func (f *Fleet) Holds(token string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.claims[token]
	return ok && time.Now().Before(f.alive)
}

// Release implements chat.Fleet. A claim that it can't take back ends when somebody
// asks for what this process does not have.
func (f *Fleet) Release(person, token string) {
	if !strings.HasPrefix(token, f.self+":") {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.o.times.call)
	defer cancel()
	_ = releaseScript.Run(ctx, f.o.Client, f.people(person), token, f.o.times.rest.Milliseconds()).Err()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.claims, token)
}
