package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/catflap/catflap/internal/required"
	"github.com/catflap/catflap/proxy/cat"
)

// Member is one of several Cats. Its Upstream must be watched.
type Member struct {
	Upstream *Upstream
	Guard    *cat.Guard
}

// Cats are several Cats, each with people of its own: a person's working memory
// lives at one, so everything of theirs goes there, over HTTP and WebSocket alike.
// Which one that is follows from its address and the person's id alone ([weight]).
//
// A Cat that is down stops nobody but its own people. They wait for it or, with
// failover, go to the next one by weight, where their memories are not. A Cat that
// was found open to strangers serves nobody, and nobody is led past it: that is for
// the operator to mend.
type Cats struct {
	all      []member
	failover bool
}

type member struct {
	Member
	name string // what its weight is made of
}

// NewCats makes the set; the order means nothing. With failover the people of a Cat
// that is down go to another one.
func NewCats(members []Member, failover bool) (*Cats, error) {
	if len(members) == 0 {
		return nil, errors.New("proxy: no Cats")
	}
	c := &Cats{failover: failover}
	for _, m := range members {
		if err := required.Parts("proxy.Member", map[string]bool{
			"Upstream": m.Upstream != nil, "Guard": m.Guard != nil, "Upstream that is watched": m.Upstream == nil || m.Upstream.health != nil,
		}); err != nil {
			return nil, err
		}
		host := m.Upstream.name
		if slices.ContainsFunc(c.all, func(o member) bool { return o.Upstream.name == host }) {
			return nil, fmt.Errorf("proxy: the Cat %s stands in the list twice", host)
		}
		c.all = append(c.all, member{m, catName(m.Upstream.base)})
	}
	return c, nil
}

// refuse returns why the Cat is not to be asked now, or nil.
func (m *member) refuse() error {
	if err := m.Guard.Refuse(); err != nil {
		return m.named(err)
	}
	if m.Upstream.health.down.Load() {
		return fmt.Errorf("the Cat at %s is down", m.Upstream.name)
	}
	return nil
}

// named says which Cat an error means, on one line.
func (m *member) named(err error) error { return &memberError{m.Upstream.name, err} }

type memberError struct {
	host string
	err  error
}

func (e *memberError) Error() string {
	return "the Cat at " + e.host + ": " + strings.ReplaceAll(e.err.Error(), "\n", "; ")
}

func (e *memberError) Unwrap() error { return e.err }

// pick returns the way to the Cat of the person with this id, or why there is none
// now. With anyone, any Cat will do: the request is nobody's.
func (c *Cats) pick(id string, anyone bool) (*Upstream, error) {
	var home, seated, settled, usable choice
	var why error // why home is not to be asked
	for i := range c.all {
		m := &c.all[i]
		w, err := weight(m.name, id), m.refuse()
		if home.take(m, w) {
			why = err
		}
		if err != nil {
			continue
		}
		usable.take(m, w)
		if m.Upstream.health.settled() {
			settled.take(m, w)
		}
		if m.Upstream.seats.has(id) {
			seated.take(m, w)
		}
	}
	switch {
	case seated.m != nil:
		return seated.m.Upstream, nil
	case anyone, c.failover && !forbidden(why):
		if settled.m != nil {
			return settled.m.Upstream, nil
		}
		if usable.m != nil {
			return usable.m.Upstream, nil
		}
	}
	if why != nil {
		return nil, why
	}
	return home.m.Upstream, nil
}

// choice is the heaviest so far.
type choice struct {
	m      *member
	weight uint64
}

func (c *choice) take(m *member, weight uint64) bool {
	if c.m != nil && (weight < c.weight || weight == c.weight && m.name < c.m.name) {
		return false
	}
	c.m, c.weight = m, weight
	return true
}

// has reports the name of one of the Cats.
func (c *Cats) has(name string) bool {
	return c != nil && slices.ContainsFunc(c.all, func(m member) bool { return m.Upstream.name == name })
}

// shut returns why nobody can be served, if no Cat may be asked.
func (c *Cats) shut() error {
	for i := range c.all {
		if c.all[i].Guard.Refuse() == nil {
			return nil
		}
	}
	var all []error
	for i := range c.all {
		all = append(all, c.all[i].refuse())
	}
	return errors.Join(all...)
}

// Ready reports why Catflap is not ready because of the Cats: one of them is open
// to strangers or was not looked at yet, or none can be reached. One that is down
// stops only its own people.
func (c *Cats) Ready() error {
	var open, away []error
	for i := range c.all {
		switch err := c.all[i].trouble(); {
		case forbidden(err):
			open = append(open, err)
		case err != nil:
			away = append(away, err)
		}
	}
	if len(open) > 0 || len(away) == len(c.all) {
		return errors.Join(append(open, away...)...)
	}
	return nil
}

// trouble is refuse with what is wrong but does not stop requests.
func (m *member) trouble() error {
	if err := m.refuse(); err != nil {
		return err
	}
	if err := m.Guard.Ready(); forbidden(err) {
		return m.named(err)
	}
	return nil
}

// notes say which Cats are away.
func (c *Cats) notes() []string {
	var l []string
	for i := range c.all {
		if err := c.all[i].refuse(); err != nil {
			l = append(l, err.Error())
		}
		for _, note := range c.all[i].Guard.Notes() {
			l = append(l, c.all[i].Upstream.name+": "+note)
		}
	}
	return l
}

// Up tells of each Cat, by its host, whether it takes its people's requests.
func (c *Cats) Up() map[string]bool {
	up := make(map[string]bool, len(c.all))
	for i := range c.all {
		up[c.all[i].Upstream.name] = c.all[i].refuse() == nil
	}
	return up
}

// Look tries each Cat's doors once, all at the same time.
func (c *Cats) Look(ctx context.Context) {
	c.each(func(m *member) { m.Guard.Look(ctx) })
}

// Run looks after the Cats until ctx ends: whether they are closed to strangers, and
// whether they can be reached.
func (c *Cats) Run(ctx context.Context) {
	c.each(func(m *member) {
		var both sync.WaitGroup
		both.Go(func() { m.Guard.Run(ctx) })
		both.Go(func() { m.Upstream.health.run(ctx) })
		both.Wait()
	})
}

func (c *Cats) each(do func(*member)) {
	var all sync.WaitGroup
	for i := range c.all {
		all.Go(func() { do(&c.all[i]) })
	}
	all.Wait()
}
