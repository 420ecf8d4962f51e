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

// Member is one Cat of a pool.
type Member struct {
	Client *Client
	Guard  *cat.Guard
}

// Pool is one Cat, or several, each with people of its own: a person's working memory
// lives at one, so everything of theirs goes there, over HTTP and WebSocket alike.
// Which one that is follows from its address and the person's id alone ([weight]).
//
// A Cat that is down stops nobody but its own people. They wait for it or, with
// failover, go to the next one by weight, where their memories are not. A Cat that
// was found open to strangers serves nobody, and nobody is led past it: that is for
// the operator to mend.
type Pool struct {
	all      []member
	failover bool
}

type member struct {
	Member
	name string // what its weight is made of
}

// New makes a pool; the order of its Cats means nothing. With failover the people of a Cat
// that is down go to another one. One Cat need not be watched: it is asked whatever befalls
// it, and has no name in messages and metrics. Of several each must be.
func New(members []Member, failover bool) (*Pool, error) {
	if len(members) == 0 {
		return nil, errors.New("upstream: no Cats")
	}
	p := &Pool{failover: failover}
	for _, m := range members {
		if err := required.Parts("upstream.Member", map[string]bool{
			"Client": m.Client != nil, "Guard": m.Guard != nil,
			"Client that is watched": m.Client == nil || m.Client.health != nil || len(members) == 1,
		}); err != nil {
			return nil, err
		}
		host := m.Client.name
		if slices.ContainsFunc(p.all, func(o member) bool { return o.Client.name == host }) {
			return nil, fmt.Errorf("upstream: the Cat %s stands in the list twice", host)
		}
		p.all = append(p.all, member{m, catName(m.Client.base)})
	}
	return p, nil
}

// isWatched reports a Cat that counts as down when it can't be reached.
func (m *member) isWatched() bool { return m.Client.health != nil }

// refuse returns why the Cat is not to be asked now, or nil.
func (m *member) refuse() error {
	if err := m.Guard.Refuse(); err != nil {
		return m.named(err)
	}
	if m.isWatched() && m.Client.health.down.Load() {
		return fmt.Errorf("the Cat at %s is down", m.Client.name)
	}
	return nil
}

// named says which Cat an error means, on one line.
func (m *member) named(err error) error {
	if !m.isWatched() {
		return err
	}
	return &memberError{m.Client.name, err}
}

type memberError struct {
	host string
	err  error
}

func (e *memberError) Error() string {
	return "the Cat at " + e.host + ": " + strings.ReplaceAll(e.err.Error(), "\n", "; ")
}

func (e *memberError) Unwrap() error { return e.err }

// Pick returns the Cat of the person with this id, or why there is none now. With anyone,
// any Cat will do: the request is nobody's.
func (p *Pool) Pick(id string, anyone bool) (*Client, error) {
	if len(p.all) == 1 {
		if err := p.all[0].refuse(); err != nil {
			return nil, err
		}
		return p.all[0].Client, nil
	}
	var home, seated, settled, usable choice
	var why error // why home is not to be asked
	for i := range p.all {
		m := &p.all[i]
		w, err := weight(m.name, id), m.refuse()
		if home.take(m, w) {
			why = err
		}
		if err != nil {
			continue
		}
		usable.take(m, w)
		if m.Client.health.settled() {
			settled.take(m, w)
		}
		if m.Client.seats.has(id) {
			seated.take(m, w)
		}
	}
	switch {
	case seated.m != nil:
		return seated.m.Client, nil
	case anyone, p.failover && !Forbidden(why):
		if settled.m != nil {
			return settled.m.Client, nil
		}
		if usable.m != nil {
			return usable.m.Client, nil
		}
	}
	if why != nil {
		return nil, why
	}
	return home.m.Client, nil
}

// Home is the Cat where a person's memories are, whether or not it can be asked.
func (p *Pool) Home(id string) *Client {
	var home choice
	for i := range p.all {
		home.take(&p.all[i], weight(p.all[i].name, id))
	}
	return home.m.Client
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

// Has reports the host and port of one of the Cats.
func (p *Pool) Has(name string) bool {
	return slices.ContainsFunc(p.all, func(m member) bool { return m.Client.name == name })
}

// Name is what a Cat is called in messages and metrics; empty where there is but one that
// is not watched.
func (p *Pool) Name(c *Client) string {
	if c.health == nil {
		return ""
	}
	return c.name
}

// Doubt has a Cat looked at soon: it was asked in vain, or refuses Catflap.
func (p *Pool) Doubt(c *Client) {
	for i := range p.all {
		if m := &p.all[i]; m.Client == c {
			m.Guard.Doubt()
		}
	}
}

// Shut returns why nobody can be served, if no Cat may be asked.
func (p *Pool) Shut() error {
	for i := range p.all {
		if p.all[i].Guard.Refuse() == nil {
			return nil
		}
	}
	var all []error
	for i := range p.all {
		all = append(all, p.all[i].refuse())
	}
	return errors.Join(all...)
}

// Ready reports why Catflap is not ready because of the Cats: one of them is open
// to strangers or was not looked at yet, or none can be reached. One that is down
// stops only its own people.
func (p *Pool) Ready() error {
	var open, away []error
	for i := range p.all {
		switch err := p.all[i].trouble(); {
		case Forbidden(err):
			open = append(open, err)
		case err != nil:
			away = append(away, err)
		}
	}
	if len(open) > 0 || len(away) == len(p.all) {
		return errors.Join(append(open, away...)...)
	}
	return nil
}

// trouble is refuse with what is wrong but does not stop requests.
func (m *member) trouble() error {
	if !m.isWatched() {
		return m.Guard.Ready()
	}
	if err := m.refuse(); err != nil {
		return err
	}
	if err := m.Guard.Ready(); Forbidden(err) {
		return m.named(err)
	}
	return nil
}

// Notes say which Cats are away, and what their operators should know. They hold no
// secrets.
func (p *Pool) Notes() []string {
	var l []string
	for i := range p.all {
		m := &p.all[i]
		if !m.isWatched() {
			return m.Guard.Notes()
		}
		if err := m.refuse(); err != nil {
			l = append(l, err.Error())
		}
		for _, note := range m.Guard.Notes() {
			l = append(l, m.Client.name+": "+note)
		}
	}
	return l
}

// Up tells of each Cat that is watched, by its host, whether it takes its people's requests.
func (p *Pool) Up() map[string]bool {
	up := make(map[string]bool, len(p.all))
	for i := range p.all {
		if m := &p.all[i]; m.isWatched() {
			up[m.Client.name] = m.refuse() == nil
		}
	}
	return up
}

// Look tries each Cat's doors once, all at the same time.
func (p *Pool) Look(ctx context.Context) {
	p.each(func(m *member) { m.Guard.Look(ctx) })
}

// Run looks after the Cats until ctx ends: whether they are closed to strangers, and
// whether they can be reached.
func (p *Pool) Run(ctx context.Context) {
	p.each(func(m *member) {
		var both sync.WaitGroup
		both.Go(func() { m.Guard.Run(ctx) })
		if m.isWatched() {
			both.Go(func() { m.Client.health.run(ctx) })
		}
		both.Wait()
	})
}

func (p *Pool) each(do func(*member)) {
	var all sync.WaitGroup
	for i := range p.all {
		all.Go(func() { do(&p.all[i]) })
	}
	all.Wait()
}

// Forbidden reports a Cat that was found open, or that nobody has looked at: one that must
// not be asked, whatever else could be done.
func Forbidden(err error) bool {
	return errors.As(err, new(*cat.OpenError)) || errors.Is(err, cat.ErrNotProbed)
}
