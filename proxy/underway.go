package proxy

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/proxy/refusals"
)

// UnderWay counts the requests that are under way: of each person, and of each
// network while nobody is known. It outlives a reload. Sockets have bounds of their
// own.
type UnderWay struct {
	people   counts[person]
	networks counts[netip.Addr]
}

// person is somebody, whichever handler let them in. The id alone could be given to
// another person by another configuration.
type person struct{ issuer, subject, id string }

// NewUnderWay counts nothing yet.
func NewUnderWay() *UnderWay { return &UnderWay{} }

// counts holds a number for each key that has come lately. A number stays in its
// place when it is nought, so that who comes often costs one look.
type counts[K comparable] struct {
	mu     sync.Mutex
	of     map[K]*atomic.Int64
	sweeps int // at how many keys those that count nothing are taken out
}

// leastSwept is how many keys may stay that count nothing.
const leastSwept = 1024

// enter counts one more for the key, which ends with its decrement. Nil means that
// there are as many as may be.
func (c *counts[K]) enter(k K, most int) *atomic.Int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[k]
	if n == nil {
		c.sweep()
		n = new(atomic.Int64)
		c.of[k] = n
	}
	if n.Load() >= int64(most) { // it only falls without the lock
		return nil
	}
	n.Add(1)
	return n
}

// sweep takes out what counts nothing, once it could be half of all.
func (c *counts[K]) sweep() {
	if len(c.of) < c.sweeps {
		return
	}
	kept := map[K]*atomic.Int64{}
	for k, n := range c.of {
		if n.Load() > 0 {
			kept[k] = n
		}
	}
	c.of, c.sweeps = kept, max(leastSwept, 2*len(kept))
}

// enterAsStranger counts the exchange for the network that it came from. A front
// proxy that names no client has no share: it would be everybody's.
func (ex *exchange) enterAsStranger() *refusal {
	if within(ex.peer.ip, ex.h.o.TrustedProxies) || !ex.peer.ip.IsValid() {
		return nil
	}
	ex.place = ex.h.o.UnderWay.networks.enter(pace.Network(ex.peer.ip), ex.h.o.PerAddress)
	if ex.place == nil {
		return tooManyRequests("limits.requests_per_address")
	}
	return nil
}

// enterAsPerson counts the exchange for the person, once it is known who came.
func (ex *exchange) enterAsPerson(u *authhandlers.AuthUserInfo) *refusal {
	place := ex.h.o.UnderWay.people.enter(person{u.Issuer, u.Subject, u.ID}, ex.h.o.PerPerson)
	if place == nil {
		return tooManyRequests("limits.requests_per_person")
	}
	ex.leave()
	ex.place = place
	group := ex.group()
	if group == "" {
		return nil
	}
	ex.shared = ex.h.o.UnderWay.people.enter(person{issuer: group}, ex.h.o.PerAddress)
	if ex.shared == nil {
		return tooManyRequests("limits.requests_per_address")
	}
	return nil
}

// group names the people that one API key acts for, if the person is one of them. A
// server can name any number of people, so that together they have one share.
func (ex *exchange) group() string {
	if ex.h.o.Chain.ActsFor(ex.user) == "" {
		return ""
	}
	return ex.user.Issuer
}

// leave ends the counting.
func (ex *exchange) leave() {
	if ex.place != nil {
		ex.place.Add(-1)
		ex.place = nil
	}
	if ex.shared != nil {
		ex.shared.Add(-1)
		ex.shared = nil
	}
}

// busyRetry is after how many seconds a request that was one too many may come again.
const busyRetry = 1

func tooManyRequests(rule string) *refusal {
	return &refusal{
		status: http.StatusTooManyRequests, code: refusals.TooManyRequests, public: "Too many requests are under way", rule: rule,
		hint: "wait for the answers to those", retry: busyRetry,
	}
}
