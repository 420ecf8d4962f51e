package permission

import (
	"fmt"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// Rights are what a list of permission names means.
type Rights struct {
	Named cat.Permissions // by name: everybody's data included
	Own   cat.Permissions // own data only: those of base, or some of them
	Admin bool            // everything
}

func (r Rights) empty() bool { return r == Rights{} }

// The words beside RESOURCE:ACTION.
const (
	wordAdmin    = "admin"
	wordBase     = "base"
	wordEveryone = "everyone"
	// ownPrefix stands before a permission of the base set that is for own data only. It
	// is what handlers write, and no configuration.
	ownPrefix = "own:"
)

// ParseRights reads permission names; sets are named sets, which must not name
// each other in a circle.
func ParseRights(names []string, sets map[string][]string) (Rights, error) {
	return parseRights(names, sets, len(sets))
}

func parseRights(names []string, sets map[string][]string, depth int) (Rights, error) {
	var r Rights
	for _, name := range names {
		switch name {
		case wordAdmin:
			r.Admin = true
			continue
		case wordBase:
			r.Own |= cat.Base
			continue
		}
		if own, ok := strings.CutPrefix(name, ownPrefix); ok {
			p, err := cat.ParsePermissions(own)
			if err != nil || !cat.Base.Covers(p) {
				return Rights{}, fmt.Errorf("%q is no permission of the base set", name)
			}
			r.Own |= p
			continue
		}
		if members, ok := sets[name]; ok {
			if depth == 0 {
				return Rights{}, fmt.Errorf("the set %q names itself", name)
			}
			more, err := parseRights(members, sets, depth-1)
			if err != nil {
				return Rights{}, err
			}
			r.add(more)
			continue
		}
		p, err := cat.ParsePermissions(name)
		if err != nil {
			return Rights{}, fmt.Errorf("%q is neither a permission, admin, base nor a set", name)
		}
		r.Named |= p
	}
	return r, nil
}
