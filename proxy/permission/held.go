package permission

import (
	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// Held are the Cat's permissions that u has, be it for their own data alone: what
// the Cat and its plugins may believe of u at most, and what a front end may show.
// No permission is among them that [Policy.Decide] would refuse for own data.
func (p *Policy) Held(u *authhandlers.AuthUserInfo) cat.Permissions {
	var granted, denied Rights
	for i := range p.grants {
		if g := &p.grants[i]; g.meets(u) {
			granted.add(g.allow)
			denied.add(g.deny)
		}
	}
	if u.Permissions != nil {
		own, err := ParseRights(u.Permissions, p.sets)
		if err != nil {
			return 0
		}
		granted = own // instead of everything that the configuration grants
	} else {
		granted.add(p.everyone)
	}
	return granted.without(denied).named() &^ denied.Named & cat.All
}

// named are the rights as permissions by name.
func (r Rights) named() cat.Permissions {
	held := r.Named | r.Own
	if r.Admin {
		held |= cat.All
	}
	return held
}

func (r *Rights) add(more Rights) {
	r.Named |= more.Named
	r.Own |= more.Own
	r.Admin = r.Admin || more.Admin
}
