package permission

import (
	"slices"

	"github.com/catflap/catflap/proxy/cat"
)

// possibleMost bounds Possible: grants can be combined in more ways than anybody
// makes accounts for.
const possibleMost = 64

// combination is what the people of some handlers have by some of the grants.
type combination struct {
	from             []string // empty: of any handler
	last             int      // the last of the grants
	granted, refused Rights
}

// Possible returns the different sets of permissions that people can have by the
// rules: by permissions.everyone, by each grant and by grants together, and by own,
// the permissions that handlers give to their people instead. Those by fewer grants
// come first, and beyond a bound there are no more.
func (p *Policy) Possible(own ...[]string) []cat.Permissions {
	var list []cat.Permissions
	note := func(c combination) {
		held := c.granted.without(c.refused).named() &^ c.refused.Named
		if held != 0 && len(list) < possibleMost && !slices.Contains(list, held) {
			list = append(list, held)
		}
	}
	begin := []combination{{last: -1, granted: p.everyone}}
	for _, names := range own {
		if rights, err := ParseRights(names, p.sets); err == nil {
			note(combination{granted: rights})
		}
	}
	for level := begin; len(level) > 0 && len(list) < possibleMost; {
		var next []combination
		for _, c := range level {
			note(c)
			if len(next) < possibleMost {
				next = append(next, p.further(c)...)
			}
		}
		level = next
	}
	return list
}

// further returns the combination with one more grant each.
func (p *Policy) further(c combination) []combination {
	var list []combination
	for i := c.last + 1; i < len(p.grants); i++ {
		g := &p.grants[i]
		more := combination{from: c.from, last: i, granted: c.granted, refused: c.refused}
		switch {
		case len(c.from) == 0:
			more.from = g.From
		case len(g.From) > 0:
			more.from = slices.DeleteFunc(slices.Clone(c.from), func(name string) bool { return !slices.Contains(g.From, name) })
			if len(more.from) == 0 {
				continue // nobody comes by two handlers
			}
		}
		more.granted.add(g.allow)
		more.refused.add(g.deny)
		list = append(list, more)
	}
	return list
}
