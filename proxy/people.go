package proxy

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/internal/required"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/permission"
)

// People gives those of an identity provider a user of their own at the Cat, with what
// they may do. The panel shows them, and who is deleted there stays out: that a user was
// made, the Cat remembers.
//
// A user that can't be made, or not now, keeps nobody from the Cat: they go out as
// people without one do. That it can't be told whether one was deleted does.
type People struct {
	PeopleOptions
	mu   sync.Mutex
	turn map[string]chan struct{} // of the people that somebody looks at in this moment
}

// PeopleOptions are the parts of People.
type PeopleOptions struct {
	// Handlers are the names of the handlers whose people they are.
	Handlers []string
	Roll     authhandlers.UserRoll
	Users    *cat.Users
	Memory   *PeopleMemory
	Log      *slog.Logger
	Now      func() time.Time
}

// PeopleMemory is what is known of people's users. It outlives a reload.
type PeopleMemory struct {
	made *lru.Cache[string, madeUser]
	mu   sync.Mutex
	used pace.Bucket
}

// madeUser is a user that was made for a person.
type madeUser struct {
	known time.Time // since then, at the latest, there was one
	set   time.Time // when the permissions were changed last
	gone  time.Time // when the Cat was asked last whether one was made, since there was none
}

// The bounds of what is made: a hash of a password costs the Cat as much as a login.
const (
	peopleKept  = 16384
	peopleBurst = 30
	peopleRate  = 0.5 // a second
	peopleWait  = 8 * time.Second
	peopleSet   = time.Minute      // between two changes of one person's permissions
	peopleGone  = 10 * time.Second // between two questions about one who was deleted
)

// NewPeopleMemory makes one that knows nobody.
func NewPeopleMemory() *PeopleMemory {
	made, _ := lru.New[string, madeUser](peopleKept) // fails for no size alone
	return &PeopleMemory{made: made}
}

// NewPeople makes one.
func NewPeople(o PeopleOptions) (*People, error) {
	if err := required.Parts("proxy.PeopleOptions", map[string]bool{
		"Roll": o.Roll != nil, "Users": o.Users != nil, "Memory": o.Memory != nil, "Log": o.Log != nil, "Now": o.Now != nil,
	}); err != nil {
		return nil, err
	}
	return &People{PeopleOptions: o, turn: map[string]chan struct{}{}}, nil
}

// errGone is of somebody whose user at the Cat was deleted.
func errGone() error {
	return authhandlers.Reject(authhandlers.CodeUserGone, "your user was deleted at the Cat; ask an administrator", "the user that was made for this person is no more")
}

func (p *People) has(u *authhandlers.AuthUserInfo) bool {
	return p != nil && u != nil && slices.Contains(p.Handlers, u.Handler)
}

// account is the person's user at the Cat, with what is stored for it; "" for none.
func (p *People) account(u *authhandlers.AuthUserInfo, policy *permission.Policy) (string, cat.Permissions) {
	if !p.has(u) {
		return "", 0
	}
	found, _, err := p.Roll.KnownUser(u.ID)
	if err != nil || found == nil {
		return "", 0
	}
	return found.ID, policy.Stored(&authhandlers.AuthUserInfo{Permissions: found.Permissions})
}

// stays says whether the person's user is still there, without asking anybody.
func (p *People) stays(u *authhandlers.AuthUserInfo) error {
	if !p.has(u) {
		return nil
	}
	made, ok := p.Memory.made.Get(u.ID)
	if !ok {
		return nil
	}
	found, asOf, err := p.Roll.KnownUser(u.ID)
	switch {
	case errors.Is(err, authhandlers.ErrLapsed):
		return err
	case err == nil && found == nil && asOf.After(made.known):
		return errGone()
	}
	return nil
}

// ensure sees to it that the person has a user with what they hold. The error is a
// *authhandlers.Rejection for one that was deleted, or a fault.
func (p *People) ensure(ctx context.Context, u *authhandlers.AuthUserInfo, held cat.Permissions, policy *permission.Policy) error {
	if !p.has(u) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, peopleWait)
	defer cancel()
	made, known := p.Memory.made.Get(u.ID)
	if known {
		found, err := p.Roll.UserNamed(ctx, u.ID, time.Time{})
		if err != nil {
			return err
		}
		if found != nil && p.settled(made, found, held, policy) {
			return nil
		}
	}
	leave, err := p.enter(ctx, u.ID)
	if err != nil {
		return err
	}
	defer leave()
	return p.settle(ctx, u.ID, held, policy)
}

func (p *People) settled(made madeUser, found *authhandlers.CatUser, held cat.Permissions, policy *permission.Policy) bool {
	stored := policy.Stored(&authhandlers.AuthUserInfo{Permissions: found.Permissions})
	return stored == held || p.Now().Sub(made.set) < peopleSet
}

// settle asks whether a user was made, then who there is: one that was made before, and
// is not there, was deleted.
func (p *People) settle(ctx context.Context, id string, held cat.Permissions, policy *permission.Policy) error {
	made, marked := p.Memory.made.Get(id)
	began := made.known
	if !marked {
		began = p.Now()
		var err error
		if marked, err = p.Users.Marked(ctx, id); err != nil {
			return err
		}
	}
	found, err := p.Roll.UserNamed(ctx, id, began)
	switch {
	case err != nil:
		return err
	case found == nil && marked:
		return p.gone(ctx, id, made, held)
	case found == nil:
		return p.make(ctx, id, held)
	case !marked:
		if err := p.Users.Mark(ctx, id); err != nil {
			return err
		}
	}
	if made.known.IsZero() {
		made.known = began
	}
	if !p.settled(made, found, held, policy) {
		made.set = p.Now()
		if err := p.Users.SetPermissions(ctx, found.ID, held); err != nil {
			p.Log.WarnContext(ctx, "the permissions of a person's user at the Cat could not be changed", "user", id, "err", err.Error())
		}
	}
	p.Memory.made.Add(id, made)
	return nil
}

// gone refuses somebody whose user was deleted, for as long as the Cat remembers that
// there was one: an administrator can have it forget.
func (p *People) gone(ctx context.Context, id string, made madeUser, held cat.Permissions) error {
	now := p.Now()
	if now.Sub(made.gone) < peopleGone {
		return errGone()
	}
	marked, err := p.Users.Marked(ctx, id)
	switch {
	case err != nil:
		return err
	case !marked:
		p.Memory.made.Remove(id)
		return p.make(ctx, id, held)
	}
	if made.known.IsZero() {
		made.known = now
	}
	made.gone = now
	p.Memory.made.Add(id, made)
	return errGone()
}

// make makes a user with a password that nobody knows.
func (p *People) make(ctx context.Context, id string, held cat.Permissions) error {
	if held == 0 || !p.Memory.take(p.Now()) {
		return nil // they may do nothing, or come again
	}
	accounts := &cat.Accounts{Base: p.Users.Base, HTTP: p.Users.HTTP, Credentials: p.Users.Credentials}
	_, err := accounts.Create(ctx, id, held)
	if err == nil {
		err = p.Users.Mark(ctx, id)
	}
	if err != nil {
		p.Log.WarnContext(ctx, "a person's user at the Cat could not be made", "user", id, "err", err.Error())
		return nil
	}
	now := p.Now()
	p.Memory.made.Add(id, madeUser{known: now, set: now})
	_, err = p.Roll.UserNamed(ctx, id, now)
	return err
}

// take counts one that is made, or says that there were too many.
func (m *PeopleMemory) take(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used.Take(pace.Rate{Burst: peopleBurst, PerSecond: peopleRate}, now) == 0
}

// enter waits until nobody else looks at the person's user. leave must follow.
func (p *People) enter(ctx context.Context, id string) (leave func(), err error) {
	for {
		p.mu.Lock()
		over, taken := p.turn[id]
		if !taken {
			over = make(chan struct{})
			p.turn[id] = over
			p.mu.Unlock()
			return func() {
				p.mu.Lock()
				delete(p.turn, id)
				p.mu.Unlock()
				close(over)
			}, nil
		}
		p.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
