package permission

import (
	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// Decision is an answer with its rule and its reason. Both are for the log: they
// may name the configuration.
type Decision struct {
	Allow  bool
	Rule   string // the place in the configuration that decided, or "default"
	Reason string
	Route  cat.Route
	// Public means that the endpoint needs no user: it is forwarded without the
	// Cat's credential.
	Public bool
}

// Target is an endpoint as it was asked for.
type Target struct {
	Method, Path string    // the path decoded once
	Route        cat.Route // as the contract has it
	Known        bool      // whether the contract has it
}

// Public reports whether the endpoint needs no user at all.
func (p *Policy) Public(method, path string) (Decision, bool) {
	for _, pattern := range p.public {
		if pattern.Match(method, path) {
			return Decision{
				Allow: true, Public: true, Rule: "permissions.public", Reason: "needs no user",
				Route: cat.Route{Pattern: pattern.String(), Path: path},
			}, true
		}
	}
	return Decision{}, false
}

// Decide says whether u may call the target.
func (p *Policy) Decide(u *authhandlers.AuthUserInfo, t Target) Decision {
	everyone := false
	if !t.Known {
		t.Route = cat.Route{Pattern: "unknown", Admin: true, Plugins: true, Path: t.Path}
		for i := range p.endpoints {
			if e := &p.endpoints[i]; e.pattern.Match(t.Method, t.Path) {
				t.Route, everyone = e.route, e.everyone
				t.Route.Path = t.Path
				break
			}
		}
	}
	d := p.decide(u, t.Route, everyone)
	d.Route = t.Route
	return d
}

func (p *Policy) decide(u *authhandlers.AuthUserInfo, r cat.Route, everyone bool) Decision {
	denied, rule := p.denials(u, r.Needs)
	switch {
	case rule != "":
		return Decision{Rule: rule, Reason: "denied: " + r.Needs.String()}
	case everyone && u.IsGuest():
		return Decision{Rule: "permissions.endpoints", Reason: "for each signed-in person, which a guest is not"}
	case everyone:
		return Decision{Allow: true, Rule: "permissions.endpoints", Reason: "for each signed-in person"}
	case u.Permissions != nil:
		return p.decideOwn(u, r, denied)
	}
	if gives(p.everyone.without(denied), r) {
		return Decision{Allow: true, Rule: "permissions.everyone", Reason: "granted"}
	}
	for i := range p.grants {
		if g := &p.grants[i]; gives(g.allow.without(denied), r) && g.meets(u) {
			return Decision{Allow: true, Rule: g.rule, Reason: "granted"}
		}
	}
	return Decision{Rule: "default", Reason: missing(r)}
}

// decideOwn judges by the permissions that the handler itself gives: they are
// instead of everything that the configuration grants.
func (p *Policy) decideOwn(u *authhandlers.AuthUserInfo, r cat.Route, denied Rights) Decision {
	rule := "handlers." + u.Handler + ".permissions"
	rights, err := ParseRights(u.Permissions, p.sets)
	switch {
	case err != nil:
		return Decision{Rule: rule, Reason: err.Error()}
	case gives(rights.without(denied), r):
		return Decision{Allow: true, Rule: rule, Reason: "granted"}
	}
	return Decision{Rule: rule, Reason: missing(r)}
}

// denials returns what is denied to u as a whole, and the rule that denies the
// permission itself, if one does.
func (p *Policy) denials(u *authhandlers.AuthUserInfo, needs cat.Permission) (denied Rights, rule string) {
	for i := range p.grants {
		g := &p.grants[i]
		if g.deny.empty() || !g.meets(u) {
			continue
		}
		if g.deny.Named.Has(needs) {
			return denied, g.rule
		}
		denied.Admin = denied.Admin || g.deny.Admin
		denied.Own |= g.deny.Own
	}
	return denied, ""
}

// without returns r less the words that are denied; denied permissions have been
// refused before.
func (r Rights) without(denied Rights) Rights {
	r.Admin, r.Own = r.Admin && !denied.Admin, r.Own&^denied.Own
	return r
}

// gives reports whether rights open the route.
func gives(rights Rights, r cat.Route) bool {
	switch {
	case rights.Admin:
		return true
	case r.Admin:
		return false
	case rights.Named.Has(r.Needs):
		return true
	}
	return r.Own && (rights.Own.Has(r.Needs) || r.Base && rights.Own != 0)
}

func missing(r cat.Route) string {
	if r.Admin {
		return "needs admin"
	}
	if !r.Own && cat.Base.Has(r.Needs) {
		return "needs " + r.Needs.String() + " by name: it shows everybody's data"
	}
	return "needs " + r.Needs.String()
}
