package config

import (
	"regexp"
	"strings"
)

func (v *validator) grants() {
	grouping := 0
	for _, h := range v.c.Handlers {
		if yieldsGroups(h) {
			grouping++
		}
	}
	for i, g := range v.c.Permissions.Grants {
		at := item("permissions.grants", i)
		v.grantFrom(at, g, grouping)
		for j, id := range g.Users {
			v.user(item(below(at, "users"), j), id)
		}
		v.names(below(at, "allow"), g.Allow)
		v.names(below(at, "deny"), g.Deny)
		if len(g.From)+len(g.Groups)+len(g.Claims)+len(g.Users) == 0 {
			v.bad(at, "does not say who it is for", "add from, groups, claims or users; what everyone may do stands in permissions.everyone")
		}
		if len(g.Allow)+len(g.Deny) == 0 {
			v.bad(at, "neither allows nor denies anything", "add allow or deny")
		}
		v.conditions(at, g)
	}
}

// grantFrom keeps one provider's groups from granting for another's people.
func (v *validator) grantFrom(at string, g Grant, grouping int) {
	from := below(at, "from")
	names := make([]string, 0, len(v.c.Handlers))
	byName := map[string]Handler{}
	for _, h := range v.c.Handlers {
		names = append(names, h.Name)
		byName[h.Name] = h
	}
	for j, name := range g.From {
		if _, ok := byName[name]; !ok {
			v.bad(item(from, j), "no handler is named "+quote(name), didYouMean(name, "the handlers are", names))
		}
	}
	if len(g.From) > 0 {
		return
	}
	const hint = "add from: with the handlers whose people are meant"
	switch {
	case len(g.Groups) > 0 && grouping > 1:
		v.bad(from, "required with groups, since more than one handler yields groups", hint)
	case len(g.Claims) > 0 && len(v.c.Handlers) > 1:
		v.bad(from, "required with claims, since there is more than one handler", hint)
	}
}

// conditions finds lists that look like a condition and hold nothing.
func (v *validator) conditions(at string, g Grant) {
	const hint = "remove it, or name somebody; an empty list would be no condition at all"
	for _, l := range []struct {
		name string
		list []string
	}{{"from", g.From}, {"groups", g.Groups}, {"users", g.Users}} {
		if l.list != nil && len(l.list) == 0 {
			v.bad(below(at, l.name), "is empty", hint)
		}
	}
	if g.Claims != nil && len(g.Claims) == 0 {
		v.bad(below(at, "claims"), "is empty", hint)
	}
	for path, values := range g.Claims {
		if len(values) == 0 {
			v.bad(below(below(at, "claims"), path), "is empty", "name the values, any of which the claim must have")
		}
	}
}

// userID is the form of scheme cid1: an escape is ~ and two hexadecimal digits,
// and ~~ begins the digest of an over-long subject.
var userID = regexp.MustCompile(`\A([A-Za-z0-9@._-]|~[0-9a-f]{2}|~~[0-9a-f]{64})+\z`)

func (v *validator) user(field, id string) {
	const hint = "write the user id as the Cat sees it, such as staff:alice; `catflap explain` shows it"
	var aliases []string
	for _, h := range v.c.Handlers {
		aliases = append(aliases, h.EffectiveAlias())
	}
	alias, rest, found := strings.Cut(id, ":")
	if !found {
		alias, rest = "", id
	}
	switch {
	case !oneOf(alias, aliases) && !found:
		v.bad(field, quote(id)+" does not begin with the alias of a handler", hint)
	case !oneOf(alias, aliases):
		v.bad(field, "no handler has the alias "+quote(alias), didYouMean(alias, "the aliases are", aliases))
	case !userID.MatchString(rest) || len(id) > 200 || found && alias == "":
		v.bad(field, quote(id)+" is no user id", "letters, digits, @ . _ - stand for themselves, everything else as ~ and two hexadecimal digits; `catflap explain` shows it")
	}
}
