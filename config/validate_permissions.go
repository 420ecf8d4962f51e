package config

import (
	"regexp"
	"slices"
	"strings"
)

// The words that stand beside RESOURCE:ACTION.
const (
	wordAdmin    = "admin"
	wordBase     = "base"
	wordEveryone = "everyone"
)

var setName = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,62}\z`)

func (v *validator) permissions() {
	p := &v.c.Permissions
	v.names("permissions.everyone", p.Everyone)
	for _, name := range v.setNames() {
		at := below("permissions.sets", name)
		switch {
		case name == wordAdmin || name == wordBase || name == wordEveryone:
			v.bad(at, quote(name)+" has a meaning of its own", "choose another name")
		case !setName.MatchString(name):
			v.bad(at, quote(name)+" is no name of a set", "write lower-case letters, digits, _ and -")
		}
		v.names(at, p.Sets[name])
	}
	v.circles()
}

// setNames returns the names of the sets in the order of the file.
func (v *validator) setNames() []string {
	names := make([]string, 0, len(v.c.Permissions.Sets))
	for name := range v.c.Permissions.Sets {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := v.c.places.line(below("permissions.sets", a)) - v.c.places.line(below("permissions.sets", b)); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

// names verifies a list of permissions.
func (v *validator) names(field string, names []string) {
	for i, name := range names {
		if v.isName(name) {
			continue
		}
		at := item(field, i)
		if name == wordEveryone {
			v.bad(at, "everyone is no permission", "write base for what each person may do with their own data")
			continue
		}
		known := append([]string{wordAdmin, wordBase}, v.setNames()...)
		v.bad(at, quote(name)+" is neither a permission nor a set", permissionHint(name, append(known, v.known.Permissions...), "RESOURCE:*, *, admin, base or the name of a set"))
	}
}

func (v *validator) isName(name string) bool {
	_, set := v.c.Permissions.Sets[name]
	return set || name == wordAdmin || name == wordBase || slices.Contains(v.known.Permissions, name)
}

// permissionHint names the permission that was probably meant. A right resource
// with a wrong action is told the resource's actions.
func permissionHint(name string, known []string, more string) string {
	resource, _, found := strings.Cut(name, ":")
	if found {
		var l []string
		for _, k := range known {
			if strings.HasPrefix(k, resource+":") {
				l = append(l, k)
			}
		}
		if len(l) > 0 {
			return didYouMean(name, "there are", l)
		}
	}
	if c := closest(name, known); c != "" {
		return "did you mean " + c + "?"
	}
	return "write RESOURCE:ACTION (" + strings.Join(resources(known), ", ") + "), " + more
}

func resources(known []string) []string {
	var l []string
	for _, k := range known {
		if r, _, ok := strings.Cut(k, ":"); ok && !slices.Contains(l, r) {
			l = append(l, r)
		}
	}
	return l
}

// circles finds sets that hold themselves.
func (v *validator) circles() {
	sets := v.c.Permissions.Sets
	const open, done = 1, 2
	state := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		state[name] = open
		for i, member := range sets[name] {
			if _, set := sets[member]; !set {
				continue
			}
			switch state[member] {
			case open:
				v.bad(item(below("permissions.sets", name), i), "the set "+quote(member)+" would hold itself", "remove it here")
			case 0:
				visit(member)
			}
		}
		state[name] = done
	}
	for _, name := range v.setNames() {
		if state[name] == 0 {
			visit(name)
		}
	}
}
