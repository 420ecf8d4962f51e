package config

import "reflect"

// carriers keeps what handlers read away from the Cat: a header or a cookie in which
// credentials come is never one that is passed on.
func (v *validator) carriers() {
	for i, h := range v.c.Handlers {
		able, ok := h.Settings.(interface {
			CarriedBy() (headers, cookies []string)
		})
		if !ok {
			continue
		}
		headers, cookies := able.CarriedBy()
		v.carried(i, headers, v.known.RefuseCarrierHeader, "cat.forward_headers", v.c.Cat.ForwardHeaders)
		v.carried(i, cookies, v.known.RefuseCarrierCookie, "cat.forward_cookies", v.c.Cat.ForwardCookies)
	}
}

// carried verifies the names of what one handler reads, and that none is passed on.
func (v *validator) carried(handler int, names []string, refuse func(string) string, field string, passed []string) {
	for _, name := range names {
		if reason := refuse(name); reason != "" {
			v.bad(v.saysName(handler, name), quote(name)+" "+reason, "have the credential sent under a name of its own")
			continue
		}
		for j, other := range passed {
			if v.known.SameName(name, other) {
				v.bad(item(field, j), quote(other)+" carries the credentials of "+item("handlers", handler)+", which never reach the Cat",
					"remove it, or let the plugin use another name")
			}
		}
	}
}

// saysName returns the last field of a handler that holds the name, or the handler.
func (v *validator) saysName(handler int, name string) string {
	at := item("handlers", handler)
	found := at
	walk(at, reflect.ValueOf(v.c.Handlers[handler]), func(field string, _ Field, value reflect.Value) {
		if value.Kind() == reflect.String && value.String() == name {
			found = field
		}
	})
	return found
}
