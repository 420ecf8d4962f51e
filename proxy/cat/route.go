package cat

import (
	"net/http"
	"slices"
	"strings"
)

// Route is what the contract says of an endpoint.
type Route struct {
	// Pattern is the endpoint's stable name, such as "GET /users/{id}".
	Pattern string
	// Needs is the permission that the endpoint needs; None with Admin set.
	Needs Permission
	// Own means that the endpoint keeps to the caller's own data, so that the base
	// set counts.
	Own bool
	// Base means that the base set opens it although the Cat asks for a permission
	// which also reaches everybody's data elsewhere. No plugin hears of who calls it.
	Base bool
	// Admin means that only holders of admin may call, whatever permissions they have.
	Admin bool
	// Panel means a page of the Cat's admin panel, which takes its credential from a
	// cookie.
	Panel bool
	// Plugins means that plugins act on it for the person, and so may look at the
	// person's rights: a turn, an upload, and each endpoint of a plugin's own.
	Plugins bool
	// Upload means that the body is a file, and may be as large as one.
	Upload bool
	// Path is the decoded path to forward: the Cat's own spelling as regards the
	// slash at the end, since the Cat answers the other one with a redirect to an
	// address of its own.
	Path string
}

// Contract is one generation of the Cat. It is immutable.
type Contract struct {
	literal  map[string][]endpoint // by path without a slash at the end
	patterns map[int][]endpoint    // by number of segments
	prefixes []endpoint
	chat     Route
}

type endpoint struct {
	Route
	method   string
	segments []string
	slash    bool // the Cat spells it with a slash at the end
	pooled   bool // shows documents past the hooks of plugins
}

// V1 is the contract of the Cat 1.x.
func V1() *Contract {
	c := &Contract{literal: map[string][]endpoint{}, patterns: map[int][]endpoint{}}
	for _, row := range v1 {
		for method := range strings.SplitSeq(row.methods, ",") {
			c.add(method, row)
		}
	}
	c.chat = Route{Pattern: "WS /ws/{user_id}", Needs: permission("CONVERSATION", "WRITE"), Own: true, Plugins: true, Path: "/ws"}
	return c
}

// PrivateDocuments returns the contract for a Cat whose plugin keeps documents apart:
// an endpoint that shows documents past the plugin's hooks shows everybody's data.
func (c *Contract) PrivateDocuments() *Contract {
	private := *c
	private.literal = make(map[string][]endpoint, len(c.literal))
	for path, list := range c.literal {
		list = slices.Clone(list)
		for i := range list {
			list[i].Own = list[i].Own && !list[i].pooled
		}
		private.literal[path] = list
	}
	return &private
}

func (c *Contract) add(method string, row row) {
	e := endpoint{
		Route:  Route{Pattern: method + " " + row.path, Own: row.whose == own || row.whose == ownWhole || row.whose == pooled, Base: row.whose == ownWhole, Admin: row.whose == adminOnly, Panel: row.panel, Plugins: forPlugins(row.path)},
		method: method, slash: strings.HasSuffix(row.path, "/"), pooled: row.whose == pooled,
	}
	e.Upload = slices.Contains(uploads[:], method+" "+row.path)
	if resource, action, ok := strings.Cut(row.needs, ":"); ok {
		e.Needs = permission(resource, action)
	}
	path := strings.TrimSuffix(row.path, "/")
	switch {
	case strings.HasSuffix(path, "/**"):
		e.Path = strings.TrimSuffix(path, "**")
		c.prefixes = append(c.prefixes, e)
	case strings.Contains(path, "{"):
		e.segments = strings.Split(path[1:], "/")
		c.patterns[len(e.segments)] = append(c.patterns[len(e.segments)], e)
	default:
		e.Path = row.path
		c.literal[path] = append(c.literal[path], e)
	}
}

// Routes returns every endpoint of the contract, for tables and documentation.
func (c *Contract) Routes() []Route {
	var l []Route
	for _, row := range v1 {
		for method := range strings.SplitSeq(row.methods, ",") {
			if r, ok := c.Route(method, strings.NewReplacer("{", "", "}", "", "**", "x").Replace(row.path)); ok {
				l = append(l, r)
			}
		}
	}
	return append(l, c.chat)
}

// Chat returns the route of the WebSocket for a decoded path, or false when the
// Cat has none there. The person that the path claims is not looked at.
func (c *Contract) Chat(path string) (Route, bool) {
	rest, ok := strings.CutPrefix(path, "/ws")
	if !ok || rest != "" && (rest[0] != '/' || strings.Contains(rest[1:], "/")) {
		return Route{}, false
	}
	return c.chat, true
}

// Route returns the endpoint of a method and a path which has been decoded once
// and holds no empty and no dot segments. False means that the contract does not
// know it. A slash at the end does not matter; HEAD is judged as GET.
func (c *Contract) Route(method, path string) (Route, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	bare := strings.TrimSuffix(path, "/")
	for i := range c.literal[bare] {
		if e := &c.literal[bare][i]; e.method == method {
			return e.Route, true
		}
	}
	for i := range c.prefixes {
		e := &c.prefixes[i]
		if e.method == method && (strings.HasPrefix(path, e.Path) || path+"/" == e.Path) {
			r := e.Route
			r.Path = path
			return r, true
		}
	}
	return c.routePattern(method, bare)
}

func (c *Contract) routePattern(method, bare string) (Route, bool) {
	if bare == "" {
		return Route{}, false
	}
	for _, e := range c.patterns[strings.Count(bare, "/")] {
		if e.method == method && e.fits(bare[1:]) {
			r := e.Route
			r.Path = bare
			if e.slash {
				r.Path += "/"
			}
			return r, true
		}
	}
	return Route{}, false
}

func (e *endpoint) fits(path string) bool {
	for _, want := range e.segments {
		var got string
		got, path, _ = strings.Cut(path, "/")
		if want[0] != '{' && want != got {
			return false
		}
	}
	return true
}
