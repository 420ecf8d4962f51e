package signin

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
)

// floor is how long the answer to a name and a password takes at least: longer than the
// Cat does for a wrong one. The rest is the same, whether there is the name or not.
const floor = 1500 * time.Millisecond

// passwordTime bounds what the Cat takes.
const passwordTime = 15 * time.Second

// passwords hold what names and passwords may cost the Cat, which does little else while
// it looks at one, and how many somebody may try.
//
// Somebody who has signed in from a network before is not held up by strangers who try
// their name, or any: for the two together there is a bound of its own, and places of
// its own in the queue.
type passwords struct {
	networks *pace.Pace          // what has come to nothing
	names    *pace.Keyed[digest] // the same
	pairs    *pace.Keyed[digest] // of those who have been here
	seen     *lru.Cache[digest, struct{}]
	queue    *queue
	floor    time.Duration
}

// rememberedPairs bounds what is known of who has signed in from where.
const rememberedPairs = 16384

// digest stands for a name, or for a name and a network: a stranger's text is not kept.
type digest [sha256.Size]byte

func newPasswords(now func() time.Time) *passwords {
	seen, _ := lru.New[digest, struct{}](rememberedPairs) // fails for no size alone
	return &passwords{
		networks: pace.New(now, pace.Rate{Burst: 10, PerSecond: 1.0 / 10}, pace.Rate{Burst: 60, PerSecond: 1}),
		names:    pace.NewKeyed[digest](now, pace.Rate{Burst: 10, PerSecond: 1.0 / 30}, pace.Rate{Burst: math.MaxInt32, PerSecond: 1}),
		pairs:    pace.NewKeyed[digest](now, pace.Rate{Burst: 10, PerSecond: 1.0 / 6}, pace.Rate{Burst: 60, PerSecond: 1}),
		seen:     seen, queue: newQueue(), floor: floor,
	}
}

// TooManyError says that somebody has to wait before a name and a password are looked at.
type TooManyError struct {
	// Own says that it is for what came from their network, or under the name.
	Own bool
	// Wait is in seconds.
	Wait int
}

func (e *TooManyError) Error() string {
	if e.Own {
		return "too many names and passwords from one network, or of one name, have come to nothing"
	}
	return "too many names and passwords are to be looked at"
}

// enter counts an attempt, or says that it has to wait. settle is told what came of it: nil
// for a right password. Only one that was wrong, by a *authhandlers.Rejection, goes on
// counting: while the Cat can't be asked, nobody has tried anything.
func (p *passwords) enter(from netip.Addr, name string) (settle func(error), err error) {
	who := sha256.Sum256([]byte(name))
	pair := pairOf(from, name)
	if p.seen.Contains(pair) {
		if over := p.pairs.Take(pair); over != nil {
			return nil, &TooManyError{over.Own, over.Wait}
		}
		return func(error) {}, nil
	}
	if over := p.networks.Take(from); over != nil {
		return nil, &TooManyError{over.Own, over.Wait}
	}
	if over := p.names.Take(who); over != nil {
		return nil, &TooManyError{over.Own, over.Wait}
	}
	return func(err error) {
		if _, wrong := errors.AsType[*authhandlers.Rejection](err); wrong {
			return
		}
		p.networks.GiveBack(from)
		p.names.GiveBack(who)
		if err == nil {
			p.seen.Add(pair, struct{}{})
		}
	}, nil
}

func pairOf(from netip.Addr, name string) digest {
	return sha256.Sum256([]byte(from.String() + " " + name))
}

// known reports whether somebody of this name has signed in from there before.
func (p *passwords) known(from netip.Addr, name string) bool {
	return p.seen.Contains(pairOf(from, name))
}

// Passwords reports whether people can type a name and a password here.
func (s *SignIn) Passwords() bool {
	_, _, ok := s.byPassword()
	return ok
}

// byPassword returns the way in by name and password. There is one at most.
func (s *SignIn) byPassword() (provider, authhandlers.PasswordLogin, bool) {
	for _, p := range s.providers {
		if l, ok := p.LoginProvider.(authhandlers.PasswordLogin); ok {
			return p, l, true
		}
	}
	return provider{}, nil, false
}

// Grant returns who has this name and password, and the handler's name. The error is a
// *TooManyError, a *authhandlers.Rejection, authhandlers.ErrBusy or a fault. Each answer
// that the Cat was asked for takes as long as the others.
func (s *SignIn) Grant(ctx context.Context, client netip.Addr, name, password string) (*authhandlers.PasswordGrant, string, error) {
	p, login, ok := s.byPassword()
	if !ok {
		return nil, "", errors.New("signin: nobody signs in by a password")
	}
	bounds, from := s.o.Bounds.passwords, pace.Network(client)
	settle, err := bounds.enter(from, name)
	if err != nil {
		return nil, p.name, err
	}
	until := time.NewTimer(bounds.floor)
	defer until.Stop()
	leave, err := bounds.queue.enter(ctx, from, bounds.known(from, name))
	if err != nil {
		settle(err)
		return nil, p.name, err
	}
	// Who goes away does not make the Cat stop.
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), passwordTime)
	defer cancel()
	grant, err := func() (*authhandlers.PasswordGrant, error) {
		defer leave() // after a panic too
		return login.LoginByPassword(asked, name, password)
	}()
	settle(err)
	select {
	case <-until.C:
	case <-ctx.Done():
	}
	return grant, p.name, err
}

// The bounds of the queue in front of the Cat's login, which is asked one at a time: of
// those who have been here, and of strangers.
const (
	queueMost    = 16
	queueShare   = 4 // of one network
	queuePatient = 10 * time.Second
)

// queue lets one through at a time, in the order of their coming. Those who have been
// here go before strangers, so that no number of these keeps them out.
type queue struct {
	mu               sync.Mutex
	taken            bool
	known, strangers line
}

// line is one of the two rows of a queue, which guards it.
type line struct {
	waiting []chan struct{}
	of      map[netip.Addr]int // who is under way, and waits
}

func newQueue() *queue {
	return &queue{known: line{of: map[netip.Addr]int{}}, strangers: line{of: map[netip.Addr]int{}}}
}

// enter waits for its turn. Without an error, leave must follow.
func (q *queue) enter(ctx context.Context, from netip.Addr, known bool) (leave func(), err error) {
	l := &q.strangers
	if known {
		l = &q.known
	}
	q.mu.Lock()
	if l.of[from] >= queueShare || len(l.waiting) >= queueMost {
		q.mu.Unlock()
		return nil, authhandlers.ErrBusy
	}
	l.of[from]++
	leave = func() { q.leave(l, from) }
	if !q.taken {
		q.taken = true
		q.mu.Unlock()
		return leave, nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	q.mu.Unlock()
	t := time.NewTimer(queuePatient)
	defer t.Stop()
	select {
	case <-turn:
		return leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-t.C:
		err = authhandlers.ErrBusy
	}
	q.giveUp(l, from, turn)
	return nil, err
}

// giveUp leaves the queue, or the turn that has come in time.
func (q *queue) giveUp(l *line, from netip.Addr, turn chan struct{}) {
	q.mu.Lock()
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.forget(from)
		q.mu.Unlock()
		return
	}
	q.mu.Unlock()
	q.leave(l, from)
}

func (q *queue) leave(l *line, from netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.forget(from)
	q.taken = q.known.next() || q.strangers.next()
}

// next gives the turn to the first of the line, if there is one.
func (l *line) next() bool {
	if len(l.waiting) == 0 {
		return false
	}
	close(l.waiting[0])
	l.waiting = l.waiting[1:]
	return true
}

// forget counts one less of a network.
func (l *line) forget(from netip.Addr) {
	if l.of[from]--; l.of[from] == 0 {
		delete(l.of, from)
	}
}
