package config

import "slices"

// samePeople holds what a handler says that has another issuer's people: that issuer's
// handler is there, knows people by the same claim, and gives them the same ids.
func (v *validator) samePeople() {
	for i, h := range v.c.Handlers {
		if peopleOf(h) == "" || v.unread(item("handlers", i)) {
			continue
		}
		at := item("handlers", i)
		j := slices.IndexFunc(v.c.Handlers, func(o Handler) bool { return peopleOf(o) == "" && sameSource(h, o) })
		if j < 0 {
			v.bad(below(at, "same_people_as"), "no other handler has this issuer and the same user_id", "name the issuer of a handler of this file, and write the same user_id and email_case in both")
			continue
		}
		if alias := v.c.Handlers[j].EffectiveAlias(); h.EffectiveAlias() != alias {
			v.bad(below(at, "alias"), "its people are those of "+item("handlers", j)+", and would get other user ids", "write alias: "+quote(alias))
		}
	}
}

func peopleOf(h Handler) string {
	if b, ok := h.Settings.(interface{ PeopleOf() string }); ok {
		return b.PeopleOf()
	}
	return ""
}
