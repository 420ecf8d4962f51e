package config

import (
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/catflap/catflap/internal/loopback"
)

// warnExposure looks for passwords and tokens that would cross a network in the clear.
func (v *validator) warnExposure() {
	c := v.c
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && err == nil && u.Scheme == "http" && !loopback.Host(u.Hostname()) {
		v.doubt("public_url", "tokens and cookies cross the network in the clear", "write https:// and set tls, or let a proxy in front end TLS")
	}
	a, ok := v.address("listen", c.Listen)
	if ok && !a.loopback() && c.TLS == nil && len(c.TrustedProxies) == 0 && c.PublicURL == "" {
		v.doubt("listen", "other machines can reach this address, and it speaks plain HTTP", "set tls, or public_url and trusted_proxies behind a proxy that ends TLS")
	}
}

// warnInsecure names each option that is set and begins with insecure_, those of
// handler types too.
func (v *validator) warnInsecure() {
	v.c.each(func(field string, f Field, set reflect.Value) {
		if strings.HasPrefix(f.Name, "insecure_") && !set.IsZero() {
			v.doubt(field, "an option that weakens security is set", "remove it as soon as you can")
		}
	})
}

// personal are the resources whose endpoints keep to the caller's own data, so
// that holding them by name shows nobody else's.
var personal = [...]string{"CONVERSATION", "STATUS", "STATIC"}

// warnPermissions looks for what everybody holds by name, and for sets that
// nothing uses.
func (v *validator) warnPermissions() {
	p := &v.c.Permissions
	for i, name := range p.Everyone {
		v.everyonesName(item("permissions.everyone", i), name)
	}
	used := map[string]bool{}
	use := func(names []string) {
		for _, n := range names {
			used[n] = true
		}
	}
	use(p.Everyone)
	for _, h := range v.c.Handlers {
		use(h.Permissions)
	}
	for _, g := range p.Grants {
		use(g.Allow)
		use(g.Deny)
	}
	for _, members := range p.Sets {
		use(members)
	}
	for _, name := range v.setNames() {
		if !used[name] {
			v.doubt(below("permissions.sets", name), "nothing uses this set", "remove it, or name it where it should hold")
		}
	}
	v.warnGrants()
}

// everyonesName warns of one entry of everyone, which may be a set.
func (v *validator) everyonesName(field, name string) {
	for _, held := range v.expand(name, map[string]bool{}) {
		resource, _, _ := strings.Cut(held, ":")
		through := ""
		if held != name {
			through = " (through the set " + name + ")"
		}
		switch {
		case held == wordBase || slices.Contains(personal[:], resource):
		case v.c.Cat.Documents == "private" && held == "UPLOAD:WRITE": // what a person uploads is theirs
		case held == wordAdmin || held == "*":
			v.doubt(field, "everyone holds "+held+through+": each signed-in person may do everything at the Cat", "grant it to a group or to users")
		case slices.Contains(v.known.Base, held):
			v.doubt(field, "everyone holds "+held+" by name"+through+": this shows everybody's data, not only their own", "write base for each person's own data")
		default:
			v.doubt(field, "everyone holds "+held+" by name"+through+": this reaches everybody's data, not only their own", "grant it to a group or to users")
		}
	}
}

// expand returns what a name means, sets opened.
func (v *validator) expand(name string, seen map[string]bool) []string {
	members, set := v.c.Permissions.Sets[name]
	if !set {
		return []string{name}
	}
	var l []string
	if !seen[name] {
		seen[name] = true
		for _, m := range members {
			l = append(l, v.expand(m, seen)...)
		}
	}
	return l
}

// warnGrants finds conditions that nobody can meet.
func (v *validator) warnGrants() {
	for i, g := range v.c.Permissions.Grants {
		if len(g.Groups) == 0 {
			continue
		}
		possible := false
		for _, h := range v.c.Handlers {
			if (len(g.From) == 0 || slices.Contains(g.From, h.Name)) && yieldsGroups(h) {
				possible = true
			}
		}
		if !possible {
			v.doubt(below(item("permissions.grants", i), "groups"), "nobody can meet this: no handler of this grant yields groups", "name the claim that holds the groups in the handler, such as groups: groups")
		}
	}
}

// warnHidden finds handlers that no token reaches, since those before them of the same
// issuer leave none.
func (v *validator) warnHidden() {
	var earlier []any
	for i, h := range v.c.Handlers {
		at := item("handlers", i)
		if r, ok := h.Settings.(interface{ HiddenBehind(earlier []any) int }); ok {
			if j := r.HiddenBehind(earlier); j >= 0 {
				v.doubt(at, "no bearer token ever reaches "+quote(h.Name)+": "+quote(v.c.Handlers[j].Name)+" is of the same issuer, and decides about each one before", "put the one with fewer audiences, clients or algorithms first, or give it fewer; see docs/oidc.md")
			}
		}
		earlier = append(earlier, h.Settings)
	}
}

// warnSettings asks the handlers' types what they doubt.
func (v *validator) warnSettings() {
	for i, h := range v.c.Handlers {
		if d, ok := h.Settings.(interface{ Doubts() error }); ok {
			v.warnings = append(v.warnings, v.c.located(item("handlers", i), d.Doubts())...)
		}
		if n, ok := h.Settings.(interface{ NeedsPublicURL() bool }); ok && n.NeedsPublicURL() && v.c.PublicURL == "" {
			v.doubt(item("handlers", i), "without public_url no page may send or chat: whose pages ask is not known", "write public_url: the origin of the proxy in front, as browsers see it")
		}
	}
}

func (v *validator) warnEndpoints() {
	for i, e := range v.c.Permissions.Endpoints {
		at := item("permissions.endpoints", i)
		_, path, _ := strings.Cut(e.Match, " ")
		if strings.HasPrefix(path, "/*") {
			v.doubt(below(at, "match"), "this means every endpoint that the Cat's contract does not know", "spell the first segment of the path out")
		}
		switch {
		case e.Own && (e.Needs == wordAdmin || e.Needs == wordEveryone):
			v.doubt(below(at, "own"), "has no effect with needs: "+e.Needs, "remove it")
		case !e.Own && slices.Contains(v.known.Base, e.Needs):
			v.doubt(below(at, "needs"), "people who hold "+e.Needs+" through base only are refused here", "add own: true if the endpoint keeps to the caller's own data")
		}
	}
}
