package permission

import (
	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// OfAccount are the rights of one of the Cat's own users, by what the Cat has stored
// for it. Each new user there has the base set without anybody's decision, so that this
// counts for own data only, as base does. What goes beyond it counts by name, and an
// account that holds everything is an administrator's.
func OfAccount(stored cat.Permissions) []string {
	if stored.Covers(cat.All) {
		return []string{wordAdmin}
	}
	names := []string{} // nil would mean what the configuration grants
	for _, p := range (stored & cat.All).List() {
		if cat.Base.Has(p) {
			names = append(names, ownPrefix+p.String())
		} else {
			names = append(names, p.String())
		}
	}
	return names
}

// Stored is what the Cat has stored for a person who is one of its own users, whatever
// is denied to them here.
func (p *Policy) Stored(u *authhandlers.AuthUserInfo) cat.Permissions {
	rights, err := ParseRights(u.Permissions, p.sets)
	if err != nil {
		return 0
	}
	return rights.named() & cat.All
}
