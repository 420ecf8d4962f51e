package config

import (
	"reflect"
	"slices"
	"strings"
)

// carriers keeps what handlers read away from the Cat: a header or a cookie in which
// credentials come is never one that is passed on.
func (v *validator) carriers() {
	for i, h := range v.c.Handlers {
		headers, cookies := carriedBy(h)
		v.carried(i, headers, v.known.RefuseCarrierHeader, "cat.forward_headers", v.c.Cat.ForwardHeaders)
		v.carried(i, cookies, v.known.RefuseCarrierCookie, "cat.forward_cookies", v.c.Cat.ForwardCookies)
	}
	v.carriedTwice()
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

// carriedTwice refuses a handler that reads what another one does, if one of the two takes
// each request that has it: the other would see none, or the two readings would be two
// credentials of one request.
func (v *validator) carriedTwice() {
	for i, h := range v.c.Handlers {
		headers, cookies := carriedBy(h)
		for j, before := range v.c.Handlers[:i] {
			if !takesAllCarried(h) && !takesAllCarried(before) {
				continue
			}
			theirs, cookiesToo := carriedBy(before)
			for _, name := range headers {
				if slices.ContainsFunc(theirs, func(n string) bool { return strings.EqualFold(n, name) }) {
					v.readTwice(i, j, name)
				}
			}
			for _, name := range cookies {
				if slices.Contains(cookiesToo, name) {
					v.readTwice(i, j, name)
				}
			}
		}
	}
}

func (v *validator) readTwice(handler, before int, name string) {
	v.bad(v.saysName(handler, name), quote(name)+" is what "+item("handlers", before)+" reads, too: one of the two takes each request that has it", "have the two credentials sent under different names")
}

func carriedBy(h Handler) (headers, cookies []string) {
	if c, ok := h.Settings.(interface {
		CarriedBy() (headers, cookies []string)
	}); ok {
		return c.CarriedBy()
	}
	return nil, nil
}

func takesAllCarried(h Handler) bool {
	t, ok := h.Settings.(interface{ TakesAllCarried() bool })
	return ok && t.TakesAllCarried()
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
