package permission

import (
	"fmt"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// Rules are the permissions as the configuration has them.
type Rules struct {
	Everyone  []string
	Sets      map[string][]string
	Grants    []Grant
	Public    []string
	Endpoints []Endpoint
}

// Grant gives permissions to those who meet each of its conditions.
type Grant struct {
	From   []string            // names of handlers; empty: any
	Groups []string            // any of them; empty: no condition
	Claims map[string][]string // each claim has any of the values
	Users  []string            // any of the user ids; empty: no condition
	Allow  []string
	Deny   []string
}

// Endpoint is an endpoint that the contract does not know, such as a plugin's.
type Endpoint struct {
	Match string
	Needs string // a permission, admin or everyone
	Own   bool   // keeps to the caller's own data: base counts
}

// Policy is the compiled rules. It is immutable.
type Policy struct {
	sets      map[string][]string
	everyone  Rights
	grants    []grant
	public    []Pattern
	endpoints []endpoint
}

type grant struct {
	Grant
	rule        string
	allow, deny Rights
}

type endpoint struct {
	pattern  Pattern
	route    cat.Route
	everyone bool
}

// New compiles rules. The error says which rule is wrong; the configuration's own
// validation has said it before, with its line.
func New(rules Rules) (*Policy, error) {
	p := &Policy{sets: rules.Sets}
	var err error
	if p.everyone, err = ParseRights(rules.Everyone, rules.Sets); err != nil {
		return nil, fmt.Errorf("permissions.everyone: %w", err)
	}
	for i, g := range rules.Grants {
		c := grant{Grant: g, rule: fmt.Sprintf("permissions.grants[%d]", i)}
		if c.allow, err = ParseRights(g.Allow, rules.Sets); err == nil {
			c.deny, err = ParseRights(g.Deny, rules.Sets)
			c.deny.Named = c.deny.Named.Denying()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.rule, err)
		}
		p.grants = append(p.grants, c)
	}
	for i, text := range rules.Public {
		pattern, err := ParsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("permissions.public[%d]: %w", i, err)
		}
		p.public = append(p.public, pattern)
	}
	for i, e := range rules.Endpoints {
		c, err := compileEndpoint(e)
		if err != nil {
			return nil, fmt.Errorf("permissions.endpoints[%d]: %w", i, err)
		}
		p.endpoints = append(p.endpoints, c)
	}
	return p, nil
}

func compileEndpoint(e Endpoint) (endpoint, error) {
	pattern, err := ParsePattern(e.Match)
	if err != nil {
		return endpoint{}, err
	}
	c := endpoint{pattern: pattern, route: cat.Route{Pattern: e.Match, Own: e.Own, Plugins: true}}
	switch e.Needs {
	case wordAdmin:
		c.route.Admin = true
	case wordEveryone:
		c.everyone = true
	default:
		set, err := cat.ParsePermissions(e.Needs)
		if err != nil || len(set.List()) != 1 {
			return endpoint{}, fmt.Errorf("needs: %q is not one permission, admin or everyone", e.Needs)
		}
		c.route.Needs = set.List()[0]
	}
	return c, nil
}

// Claims are the paths of the claims that some grant for people of the handler looks at.
func (p *Policy) Claims(handler string) []string {
	var paths []string
	for _, g := range p.grants {
		if !g.of(handler) {
			continue
		}
		for path := range g.Claims {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return paths
}

// of reports whether the grant is for people of the handler.
func (g *grant) of(handler string) bool {
	return len(g.From) == 0 || slices.Contains(g.From, handler)
}

// meets reports whether u fulfils every condition of the grant.
func (g *grant) meets(u *authhandlers.AuthUserInfo) bool {
	if !g.of(u.Handler) {
		return false
	}
	if len(g.Users) > 0 && !slices.Contains(g.Users, u.ID) {
		return false
	}
	if len(g.Groups) > 0 && !overlap(g.Groups, u.Groups) {
		return false
	}
	for path, values := range g.Claims {
		if !overlap(values, u.Claims[path]) {
			return false
		}
	}
	return true
}

func overlap(a, b []string) bool {
	for _, s := range a {
		if slices.Contains(b, s) {
			return true
		}
	}
	return false
}
