package config

import (
	"errors"
	"regexp"
	"strings"
)

// handlerName is the form of names and aliases alike, since the name is the
// default alias. It is the form that package authhandlers demands of an alias.
var handlerName = regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,30}\z`)

const handlerNameHint = "write lower-case letters, digits and -, not first, at most 31"

func (v *validator) handlers() {
	first := map[string]int{}
	for i, h := range v.c.Handlers {
		at := item("handlers", i)
		if !handlerName.MatchString(h.Name) {
			v.bad(below(at, "name"), quote(h.Name)+" is no name of a handler", handlerNameHint)
		} else if j, twice := first[h.Name]; twice {
			v.bad(below(at, "name"), quote(h.Name)+" is the name of "+item("handlers", j)+" too", "give each handler a name of its own")
		} else {
			first[h.Name] = i
		}
		if h.Alias != nil && *h.Alias != "" && !handlerName.MatchString(*h.Alias) {
			v.bad(below(at, "alias"), quote(*h.Alias)+" is no alias", handlerNameHint)
		}
		v.names(below(at, "permissions"), h.Permissions)
		if h.Settings != nil {
			v.settings(at, h.Settings.Validate())
		}
	}
	v.aliases()
	v.order()
	v.ownKeys()
	v.ownUsers()
}

// order keeps handlers that take bearer tokens before one that leaves none to those
// behind it.
func (v *validator) order() {
	last := -1
	for i, h := range v.c.Handlers {
		t, ok := h.Settings.(interface {
			TakesBearers() bool
			TakesAllBearers() bool
		})
		if !ok {
			continue
		}
		if last >= 0 && t.TakesBearers() {
			v.bad(item("handlers", i), "no bearer token ever reaches "+quote(h.Name)+": "+quote(v.c.Handlers[last].Name)+" before it takes each that is left", "put "+quote(h.Name)+" before "+quote(v.c.Handlers[last].Name))
		}
		if last < 0 && t.TakesAllBearers() {
			last = i
		}
	}
}

// settings puts the mistakes that a handler's type reports at their lines.
func (v *validator) settings(at string, err error) {
	for _, p := range v.c.located(at, err) {
		// One of several fields, of which one is needed, may be the unreadable one.
		if group := parent(p.Field); strings.HasPrefix(group, at+".") && v.unread(group) {
			continue
		}
		v.bad(p.Field, p.Message, p.Hint)
	}
}

// located turns the errors of a handler's type, joined or single, into problems.
// One that says where it belongs goes there, any other to the handler as a whole.
func (c *Config) located(at string, err error) []Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var l []Problem
		for _, e := range joined.Unwrap() {
			l = append(l, c.located(at, e)...)
		}
		return l
	}
	var placed interface {
		Where() (field, problem, hint string)
	}
	if !errors.As(err, &placed) {
		return []Problem{c.places.problem(at, err.Error(), "")}
	}
	field, message, hint := placed.Where()
	if field == "" {
		return []Problem{c.places.problem(at, message, hint)}
	}
	return []Problem{c.places.problem(at+"."+field, message, hint)}
}

// aliases keeps two issuers from sharing people. Handlers may write the same
// alias, or bare ids, only when they mean the same person by the same subject.
func (v *validator) aliases() {
	first := map[string]int{}
	bare := -1
	for i, h := range v.c.Handlers {
		at := item("handlers", i)
		if h.Settings == nil || v.unread(at) {
			return // whose ids these are is not known yet
		}
		if h.EffectiveAlias() == "" && bare < 0 {
			bare = i
		}
	}
	for i, h := range v.c.Handlers {
		alias := h.EffectiveAlias()
		field := below(item("handlers", i), "alias")
		j, taken := first[alias]
		switch {
		case alias != "" && taken && !sameSource(h, v.c.Handlers[j]) && h.Name != v.c.Handlers[j].Name:
			v.bad(field, quote(alias)+" is the alias of "+item("handlers", j)+" too, whose people are others", "give each issuer an alias of its own; two handlers share one only with equal issuer and user id claim")
		case !taken:
			first[alias] = i
		}
		if bare >= 0 && i != bare && !sameSource(h, v.c.Handlers[bare]) && (alias == "" || !ownUsers(v.c.Handlers[bare])) {
			v.bad(below(item("handlers", bare), "alias"), "bare user ids are for one issuer only, and "+item("handlers", i)+" has other people", "write an alias; the people of this handler then get new user ids")
			bare = -1
		}
	}
}

func sameSource(a, b Handler) bool {
	s := identitySource(a)
	return s != "" && s == identitySource(b)
}

func identitySource(h Handler) string {
	if s, ok := h.Settings.(interface{ IdentitySource() string }); ok {
		return s.IdentitySource()
	}
	return ""
}

// yieldsGroups holds a type that does not say for one that may: a grant by groups then
// has to name its handlers, and no warning says that nobody can meet it.
func yieldsGroups(h Handler) bool {
	g, ok := h.Settings.(interface{ YieldsGroups() bool })
	return !ok || g.YieldsGroups()
}
