package proxy

import (
	"net/http"
	"net/netip"
	"sync"

	"github.com/catflap/catflap/authhandlers"
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
func NewUnderWay() *UnderWay {
	return &UnderWay{people: counts[person]{n: map[person]int{}}, networks: counts[netip.Addr]{n: map[netip.Addr]int{}}}
}

// counts holds the numbers above nought.
type counts[K comparable] struct {
	mu sync.Mutex
	n  map[K]int
}

// enter counts one more, unless there are as many as may be.
func (c *counts[K]) enter(k K, most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n[k]
	if n >= most {
		return false
	}
	c.n[k] = n + 1
	return true
}

func (c *counts[K]) leave(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.n[k]; n > 1 {
		c.n[k] = n - 1
		return
	}
	delete(c.n, k)
}

// place is where an exchange is counted at the moment; the zero value is nowhere.
type place struct {
	network netip.Addr
	person  person
}

// enterAsStranger counts the exchange for the network that it came from. A front
// proxy that names no client has no share: it would be everybody's.
func (ex *exchange) enterAsStranger() *refusal {
	if within(ex.peer.ip, ex.h.o.TrustedProxies) || !ex.peer.ip.IsValid() {
		return nil
	}
	network := Network(ex.peer.ip)
	if !ex.h.o.UnderWay.networks.enter(network, ex.h.o.PerAddress) {
		return tooManyRequests("limits.requests_per_address")
	}
	ex.place.network = network
	return nil
}

// enterAsPerson counts the exchange for the person, once it is known who came.
func (ex *exchange) enterAsPerson(u *authhandlers.AuthUserInfo) *refusal {
	p := person{u.Issuer, u.Subject, u.ID}
	if !ex.h.o.UnderWay.people.enter(p, ex.h.o.PerPerson) {
		return tooManyRequests("limits.requests_per_person")
	}
	ex.leave()
	ex.place.person = p
	return nil
}

// leave ends the counting.
func (ex *exchange) leave() {
	if ex.place.network.IsValid() {
		ex.h.o.UnderWay.networks.leave(ex.place.network)
	}
	if ex.place.person != (person{}) {
		ex.h.o.UnderWay.people.leave(ex.place.person)
	}
	ex.place = place{}
}

// busyRetry is after how many seconds a request that was one too many may come again.
const busyRetry = 1

func tooManyRequests(rule string) *refusal {
	return &refusal{
		status: http.StatusTooManyRequests, code: codeTooMany, public: "Too many requests are under way", rule: rule,
		hint: "wait for the answers to those", retry: busyRetry,
	}
}
