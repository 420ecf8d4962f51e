package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/catflap/catflap/internal/loopback"
)

// takesGuests reports a handler whose people nobody knows.
func takesGuests(h Handler) bool {
	g, ok := h.Settings.(interface{ TakesGuests() bool })
	return ok && g.TakesGuests()
}

// TakesGuests reports that some handler takes in people that nobody knows.
func (c *Config) TakesGuests() bool { return slices.ContainsFunc(c.Handlers, takesGuests) }

// guests holds a handler for guests to the last place, to an alias, and to base.
func (v *validator) guests() {
	last := len(v.c.Handlers) - 1
	for i, h := range v.c.Handlers {
		if !takesGuests(h) {
			continue
		}
		at := item("handlers", i)
		switch {
		case i == last:
		case takesGuests(v.c.Handlers[last]):
			v.bad(at, "takes guests, and so does "+named(last, v.c.Handlers[last]), "keep one of them, as the last handler")
		default:
			v.bad(at, "takes guests, and stands before "+named(last, v.c.Handlers[last])+": guests are those that no other handler knows", "move it to the end of handlers")
		}
		if h.Alias != nil && *h.Alias == "" {
			v.bad(below(at, "alias"), "guests need an alias, so that no guest is ever taken for somebody", "write an alias such as guest, or leave the field out")
		}
		v.guestPermissions(below(at, "permissions"), h.Permissions)
		v.guestOrigin(named(i, h))
	}
}

// guestPermissions keeps strangers to base: their own data. A name beyond it reaches
// everybody's, uploads included.
func (v *validator) guestPermissions(field string, names []string) {
	const hint = "write base, or less: STATUS:READ, CONVERSATION:WRITE"
	for i, name := range names {
		for _, held := range v.expand(name, map[string]bool{}) {
			if held == wordBase || !v.isName(held) || v.own(held) {
				continue
			}
			through := ""
			if held != name {
				through = " (through the set " + name + ")"
			}
			v.bad(item(field, i), fmt.Sprintf("guests can't hold %s%s, which is more than base", held, through), hint)
			break
		}
	}
}

// own reports a name that shows and changes the caller's own data alone, by base.
func (v *validator) own(name string) bool {
	resource, action, _ := strings.Cut(name, ":")
	if !slices.Contains(personal[:], resource) {
		return false
	}
	if action != "*" {
		return slices.Contains(v.known.Base, name)
	}
	return !slices.ContainsFunc(v.known.Permissions, func(p string) bool {
		r, a, _ := strings.Cut(p, ":")
		return r == resource && a != "*" && !slices.Contains(v.known.Base, p)
	})
}

// guestOrigin demands what a cookie needs: an origin where browsers keep it from
// strangers.
func (v *validator) guestOrigin(handler string) {
	if v.c.PublicURL == "" {
		v.bad("public_url", "required, since "+handler+" knows guests by a cookie", "write what browsers see, such as https://chat.example.com, or http://localhost:8080 to try it out on this machine")
		return
	}
	u, err := url.Parse(v.c.PublicURL)
	if err != nil || u.Scheme != "http" || bareURL(v.c.PublicURL, "http") != "" || loopback.Host(u.Hostname()) {
		return
	}
	v.bad("public_url", handler+" knows guests by a cookie, which over plain http would be anybody's", "write https://; http is for localhost and the addresses of this machine alone, such as http://127.0.0.1:8080")
}

// keepToBase gives guests base where nothing is written: what everyone and the grants
// allow is for people who are known.
func (c *Config) keepToBase() {
	for i := range c.Handlers {
		if h := &c.Handlers[i]; takesGuests(*h) && h.Permissions == nil {
			h.Permissions = []string{wordBase}
		}
	}
}

// warnGuests finds grants that are for guests and give them nothing.
func (v *validator) warnGuests() {
	for i, g := range v.c.Permissions.Grants {
		for j, name := range g.From {
			if len(g.Allow) > 0 && slices.ContainsFunc(v.c.Handlers, func(h Handler) bool { return h.Name == name && takesGuests(h) }) {
				v.doubt(item(below(item("permissions.grants", i), "from"), j), "gives nothing to guests, whose handler's own permissions stand instead of every grant", "remove it")
			}
		}
	}
}
