package config

import "slices"

// ownKeys holds what a type of handler demands that has permissions of its own, or sees
// all credentials of its kind.
func (v *validator) ownKeys() {
	first := map[string]int{}
	for i, h := range v.c.Handlers {
		at := item("handlers", i)
		if s, ok := h.Settings.(interface{ OwnPermissions() string }); ok && h.Permissions != nil {
			v.bad(below(at, "permissions"), "does not belong here: "+s.OwnPermissions(), "remove it")
		}
		s, ok := h.Settings.(interface{ OnlyOne() bool })
		if !ok || !s.OnlyOne() {
			continue
		}
		if j, twice := first[h.Type]; twice {
			v.bad(below(at, "type"), "no credential ever reaches a second handler of the type "+h.Type+", behind "+item("handlers", j), "remove it, and keep all in one place")
			continue
		}
		first[h.Type] = i
	}
}

// keyLister is the ability of a type with a file of API keys.
type keyLister interface {
	ListKeys(each func(id, alias string, permissions []string)) error
}

// keyAliases keeps the people that API keys act for apart from those of handlers.
func (i *inspection) keyAliases() {
	for n, h := range i.c.Handlers {
		keys, ok := h.Settings.(keyLister)
		if !ok {
			continue
		}
		_ = keys.ListKeys(func(id, alias string, _ []string) { // what is wrong with the file, Inspect says
			at := slices.IndexFunc(i.c.Handlers, func(o Handler) bool { return alias != "" && o.EffectiveAlias() == alias })
			if at >= 0 {
				i.bad(item("handlers", n), "the API key "+id+" acts for people with the alias "+quote(alias)+", which is that of "+item("handlers", at), "revoke the key, and make one with another alias: catflap key new --acts-for=ALIAS")
			}
		})
	}
}

// KeepsSessions reports that there is something to keep beside requests: sessions of
// people who sign in in a browser, or tickets.
func (c *Config) KeepsSessions() bool {
	return c.SignsIn() || slices.ContainsFunc(c.Handlers, func(h Handler) bool {
		s, ok := h.Settings.(interface{ NeedsTickets() bool })
		return ok && s.NeedsTickets()
	})
}
