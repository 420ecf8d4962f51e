package inquiry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/tokencache"
)

const (
	// knownTurns and strangerTurns are how many questions may be under way at once.
	knownTurns, strangerTurns = 8, 16
	// knownQueue and strangerQueue are how many may wait for a turn.
	knownQueue, strangerQueue = 1024, 128
)

// Answer is what the service says of a credential that it accepts.
type Answer struct {
	Person authhandlers.AuthUserInfo
	// Fresh is how long the service lets the answer be used, if it says so at all.
	Fresh   time.Duration
	Limited bool // by Fresh
}

// Options say what is asked, and how long its answers count.
type Options struct {
	// Ask asks the service. A *authhandlers.Rejection means that the credential is not
	// accepted; any other error is a fault. It must not keep the credential.
	Ask func(ctx context.Context, credential string) (*Answer, error)
	// Try asks whether the service works, without anybody's credential.
	Try func(ctx context.Context) error
	// Notice is how long an end of access may go unnoticed.
	Notice time.Duration
	// Timeout bounds one question.
	Timeout time.Duration
	// Stale is how long somebody stays connected while the service can't be asked.
	Stale time.Duration
	// Label is the service that credentials are encrypted: one service, one use.
	Label string
}

// Desk asks one service for one handler. It is used by many goroutines at once.
type Desk struct {
	o        Options
	env      authhandlers.Env
	cache    *tokencache.Cache[*entry]
	known    *lru.Cache[tokencache.Key, struct{}] // accepted once: they wait for no stranger
	refused  *strangers
	turns    *authhandlers.Gate // of those who are known
	sealer   *sealer
	watch    *watch
	life     time.Duration // of a remembered answer
	interval time.Duration // between two looks at who is connected
	kept     context.Context

	mu         sync.Mutex
	live       map[tokencache.Key]*connected
	generation uint64
	tick       int64
	used       time.Time // when somebody was let in last
}

// Events are the names of what a Desk counts.
func Events() []string {
	return []string{"cache_hit", "cache_hit_refused", "cache_miss", "asked", "ask_failed", "ask_refused", "share_full"}
}

// Open makes a Desk, whose background work ends with ctx.
func Open(ctx context.Context, env authhandlers.Env, o Options) (*Desk, error) {
	if env.Observe == nil {
		env.Observe = func(string) {}
	}
	// A quarter of the time is for the look at who is connected, the rest for the memory.
	interval := max(o.Notice/4, time.Second)
	d := &Desk{
		o: o, env: env,
		turns: authhandlers.NewGate(knownTurns, knownQueue, o.Timeout),
		life:  max(o.Notice-interval, 0), interval: interval, kept: context.WithoutCancel(ctx),
		live: map[tokencache.Key]*connected{},
	}
	var err error
	if d.refused, err = newStrangers(o.Timeout); err != nil {
		return nil, err
	}
	if d.cache, err = tokencache.New[*entry](tokencache.Options{Accepted: env.CachedTokens}); err != nil {
		return nil, err
	}
	if d.known, err = lru.New[tokencache.Key, struct{}](max(env.CachedTokens, 1)); err != nil {
		return nil, err
	}
	if d.sealer, err = newSealer(env.Keys, o.Label); err != nil {
		return nil, err
	}
	d.watch = newWatch(env.Log, o.Timeout, o.Try)
	go d.watch.run(ctx)
	return d, nil
}

// entry is a remembered answer.
type entry struct {
	info  authhandlers.AuthUserInfo
	until time.Time
}

func (e *entry) Until() time.Time { return e.until }
func (e *entry) Current() bool    { return true }

// Authenticate returns whose credential it is. The request has it in whatever form the
// handler reads; credential is its one text.
func (d *Desk) Authenticate(ctx context.Context, r *authhandlers.Request, credential string) (*authhandlers.AuthUserInfo, error) {
	now := d.env.Now()
	k := d.cache.Key(credential)
	e, err := d.cache.Get(k, now)
	if err == nil {
		d.env.Observe("cache_hit")
	} else if e, err = d.admit(ctx, k, credential, shareOf(r), now); err != nil {
		return nil, err
	}
	d.met(k, e, now)
	if !r.Lasting {
		return &e.info, nil
	}
	info := e.info
	info.Evidence = d.sealer.seal(credential, info.Permissions)
	return &info, nil
}

// admit asks about a credential that is not remembered. The question goes on when the
// client leaves: its answer is worth remembering, above all where it is a refusal. Those
// who ask the same at that time wait for its answer, and leave nothing behind.
func (d *Desk) admit(ctx context.Context, k tokencache.Key, credential, whose string, now time.Time) (*entry, error) {
	own, known := d.refused.of(whose, d.o.Timeout), d.known.Contains(k)
	in := d.refused.in(own)
	if known {
		in = d.turns.Do
	}
	leave, first, err := d.refused.enter(own, k, known, now)
	switch {
	case errors.Is(err, authhandlers.ErrBusy):
		d.env.Observe("share_full")
		return nil, err
	case err != nil:
		d.env.Observe("cache_hit_refused")
		return nil, err
	}
	d.env.Observe("cache_miss")
	if !first {
		e, err := d.ask(ctx, in, k, credential, now)
		leave(err)
		return e, err
	}
	type outcome struct {
		e   *entry
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		e, err := d.ask(d.kept, in, k, credential, now)
		leave(err)
		done <- outcome{e, err}
	}()
	select {
	case o := <-done:
		return o.e, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// turn has something done when its turn has come, as a Gate does.
type turn func(ctx context.Context, do func()) error

// ask asks the service when it is this credential's turn, once for all who want to know.
func (d *Desk) ask(ctx context.Context, in turn, k tokencache.Key, credential string, now time.Time) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*d.o.Timeout) // one for the turn, one for the answer
	defer cancel()
	e, err := d.cache.Do(ctx, k, now, func(ctx context.Context) (*entry, error) {
		var a *Answer
		var err error
		if busy := in(ctx, func() { a, err = d.question(ctx, credential) }); busy != nil {
			return nil, busy
		}
		if err != nil {
			return nil, err
		}
		return d.remember(a), nil
	})
	_, refused := errors.AsType[*authhandlers.Rejection](err)
	switch {
	case err == nil:
		d.known.Add(k, struct{}{})
	case refused:
		d.known.Remove(k)
	}
	return e, err
}

// question puts one question, whose panic is a fault of this one.
func (d *Desk) question(ctx context.Context, credential string) (a *Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // its value may hold the credential
			a, err = nil, fmt.Errorf("the question has failed by a panic with a value of type %T", p)
		}
		_, refused := errors.AsType[*authhandlers.Rejection](err)
		switch {
		case refused:
			d.env.Observe("ask_refused")
		case err != nil && errors.Is(ctx.Err(), context.Canceled): // the client left
		case err != nil:
			d.env.Observe("ask_failed")
			d.watch.look()
		default:
			d.env.Observe("asked")
		}
	}()
	return d.o.Ask(ctx, credential)
}

// remember says how long an answer is used: never beyond the end of the credential.
func (d *Desk) remember(a *Answer) *entry {
	now := d.env.Now()
	life := d.life
	if a.Limited {
		life = max(min(life, a.Fresh), 0)
	}
	e := &entry{info: a.Person, until: now.Add(life)}
	own(&e.info)
	if end := a.Person.Expiry; !end.IsZero() && end.Before(e.until) {
		e.until = end
	}
	return e
}

// Ready reports that the service can't be asked.
func (d *Desk) Ready() error { return d.watch.ready() }
