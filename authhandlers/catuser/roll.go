package catuser

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// The ages of the list. Somebody who is deleted is out when the next one has come:
// after fresh, and the time that the Cat takes, and a second or two.
const (
	fresh   = 3 * time.Second  // then it is asked for again
	oldest  = 10 * time.Second // then nobody is let in by it
	pause   = time.Second      // between two askings at least
	askTime = 3 * time.Second  // bounds one asking
)

// watched is how long the list is kept fresh for people whose credential has no end.
const watched = 24 * time.Hour

// The events that are counted.
const (
	eventListed       = "users_listed"
	eventNotListed    = "users_list_failed"
	eventChanged      = "users_changed"
	eventLogin        = "login"
	eventLoginRefused = "login_refused"
)

// roll is the Cat's list of users, kept fresh while somebody has been let in by it.
type roll struct {
	ctx     context.Context // ends with the handler
	ask     func(context.Context) ([]authhandlers.CatUser, error)
	now     func() time.Time
	log     *slog.Logger
	observe func(string)
	opened  time.Time

	mu         sync.Mutex
	list       *list
	asking     chan struct{} // closed when the asking under way is over; nil: there is none
	asked      time.Time     // when the last asking began
	err        error         // of the last asking
	until      time.Time     // how long it is kept fresh
	generation uint64
	lapsed     bool // everybody has been told that nobody knows
}

// list is who there was at a moment.
type list struct {
	asOf  time.Time // when it was asked for
	users map[string]*authhandlers.CatUser
	named map[string]int // how many have a name
	first map[string]*authhandlers.CatUser
}

func newRoll(ctx context.Context, env authhandlers.Env) *roll {
	return &roll{ctx: ctx, ask: env.CatUsers.List, now: env.Now, log: env.Log, observe: env.Observe, opened: env.Now()}
}

// watch has the list kept fresh until a moment.
func (r *roll) watch(until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until.IsZero() {
		until = r.now().Add(watched)
	}
	if until.After(r.until) {
		r.until = until
	}
}

// find returns a user by a list that is no older than oldest. For one who is not on it
// a newer one is asked for, since they may have come a moment ago.
func (r *roll) find(ctx context.Context, id string) (*authhandlers.CatUser, error) {
	l, err := r.present(ctx, fresh)
	if err != nil {
		return nil, err
	}
	if l.users[id] == nil {
		if l, err = r.present(ctx, pause); err != nil {
			return nil, err
		}
	}
	return l.user(id)
}

// known is find without waiting.
func (r *roll) known(id string) (*authhandlers.CatUser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.overdue(r.now()); err != nil {
		return nil, err
	}
	return r.list.user(id)
}

// user returns who has the id. Two of one name would be one person at the Cat.
func (l *list) user(id string) (*authhandlers.CatUser, error) {
	u := l.users[id]
	switch {
	case u == nil:
		return nil, reject(authhandlers.CodeUserGone, "the Cat has no such user any more", "no user of the Cat's has the token's sub")
	case l.named[u.Name] > 1:
		return nil, reject(authhandlers.CodeInvalidUserID, "two of the Cat's users have this name; an administrator has to rename one", "two users have one name")
	}
	return u, nil
}

// has reports whether somebody has the name, and a name that somebody else has.
func (l *list) has(name string) (has bool, other string) {
	for _, u := range l.users {
		if u.Name != name && (other == "" || u.Name < other) {
			other = u.Name
		}
	}
	return l.named[name] > 0, other
}

// overdue says why nobody can be let in by the list that there is. The roll is locked.
func (r *roll) overdue(now time.Time) error {
	since := r.opened
	if r.list != nil {
		since = r.list.asOf
	}
	if r.list != nil && now.Sub(since) < oldest {
		return nil
	}
	err := r.err
	if err == nil {
		err = context.DeadlineExceeded
	}
	if now.Sub(since) < oldest {
		return fmt.Errorf("the Cat's users are not known yet: %w", err)
	}
	return fmt.Errorf("%w: the Cat's users can't be asked for: %w", authhandlers.ErrLapsed, err)
}

// present returns a list. One that is older than age is asked for again; until that is
// there the old one counts if it may, and age is fresh.
func (r *roll) present(ctx context.Context, age time.Duration) (*list, error) {
	for first := true; ; first = false {
		r.mu.Lock()
		now := r.now()
		err := r.overdue(now)
		if err == nil && (now.Sub(r.list.asOf) < age || !first) {
			defer r.mu.Unlock()
			return r.list, nil
		}
		over := r.begin(now)
		l := r.list
		r.mu.Unlock()
		switch {
		case err == nil && (age >= fresh || over == nil):
			return l, nil
		case over == nil:
			return nil, err
		case !first:
			return nil, err
		}
		select {
		case <-over:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// begin asks for the list, unless that was done a moment ago, and returns what is closed
// when it is there; nil: nobody is asked. The roll is locked.
func (r *roll) begin(now time.Time) <-chan struct{} {
	if r.asking != nil {
		return r.asking
	}
	if !r.asked.IsZero() && now.Sub(r.asked).Abs() < pause {
		return nil
	}
	r.asking, r.asked = make(chan struct{}), now
	go r.fetch(now, r.asking)
	return r.asking
}

func (r *roll) fetch(began time.Time, over chan struct{}) {
	ctx, cancel := context.WithTimeout(r.ctx, askTime)
	defer cancel()
	users, err := r.ask(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(over)
	r.asking = nil
	if err != nil {
		if r.err == nil && r.ctx.Err() == nil {
			r.log.Warn("the Cat's users can't be asked for", "err", err.Error())
		}
		r.err = err
		r.observe(eventNotListed)
		return
	}
	if r.err != nil {
		r.log.Info("the Cat's users can be asked for again")
	}
	r.err = nil
	r.observe(eventListed)
	next := newList(began, users)
	if r.list == nil || r.lapsed || !reflect.DeepEqual(r.list.users, next.users) {
		r.generation++
		r.observe(eventChanged)
	}
	r.list, r.lapsed = next, false
}

func newList(asOf time.Time, users []authhandlers.CatUser) *list {
	l := &list{asOf: asOf, users: make(map[string]*authhandlers.CatUser, len(users)), named: map[string]int{}, first: map[string]*authhandlers.CatUser{}}
	for i := range users {
		u := &users[i]
		l.users[u.ID] = u
		if l.named[u.Name]++; l.named[u.Name] == 1 {
			l.first[u.Name] = u
		}
	}
	return l
}

// poll keeps the list fresh, and returns a number that changes with it.
func (r *roll) poll() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if now.Before(r.until) {
		if r.list == nil || now.Sub(r.list.asOf) >= fresh {
			r.begin(now)
		}
		if err := r.overdue(now); err != nil && !r.lapsed && now.Sub(r.opened) >= oldest {
			r.lapsed = true
			r.generation++
		}
	}
	return r.generation
}

// ready reports an asking that has failed.
func (r *roll) ready() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil && r.overdue(r.now()) != nil {
		return fmt.Errorf("the Cat's users can't be asked for: %w", r.err)
	}
	return nil
}
