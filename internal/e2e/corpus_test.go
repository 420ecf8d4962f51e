package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// probe is one raw request line to try.
type probe struct{ method, target string }

// plainPaths has each kind of path of the Cat once.
var plainPaths = []string{
	"/", "/message", "/memory/conversation_history", "/memory/recall", "/memory/collections", "/memory/collections/episodic",
	"/memory/collections/episodic/points", "/memory/collections/episodic/points/1", "/rabbithole/", "/rabbithole/batch",
	"/rabbithole/web", "/rabbithole/memory", "/rabbithole/allowed-mimetypes", "/plugins/", "/plugins/upload",
	"/plugins/upload/registry", "/plugins/toggle/x", "/plugins/settings", "/plugins/settings/x", "/plugins/x", "/settings/",
	"/settings/1", "/llm/settings", "/llm/settings/x", "/embedder/settings", "/embedder/settings/x", "/auth_handler/settings",
	"/auth_handler/settings/x", "/users/", "/users/1", "/auth/available-permissions", "/auth/login", "/auth/token", "/admin/",
	"/admin/x", "/admin/a/b.js", "/docs", "/openapi.json", "/static/a.txt", "/core-static/a/b.css", "/custom/x", "/ws", "/ws/x", "/nope",
}

// byteTargets get every byte in every position: one open to base users, one not,
// one with a parameter in its middle and one below a mount.
var byteTargets = []string{"/message", "/plugins/", "/memory/collections/a/points", "/static/a.txt", "/plugins/x"}

// corpus is every row of the table of paths and some thousand mutations. It is
// the same at each run, so that a failure can be met again.
func corpus(t *testing.T, host string) []probe {
	t.Helper()
	var c collector
	var table pathTable
	loadRows(t, "paths.json", &table)
	for _, r := range table.HTTP {
		c.add(r.Method, latin1(r.Target))
	}
	for _, p := range plainPaths {
		c.methods(p)
		c.shapes(p, host)
	}
	for _, p := range byteTargets {
		c.bytes(p)
	}
	c.joints()
	return c.probes
}

type collector struct {
	probes []probe
	seen   map[probe]bool
}

func (c *collector) add(method, target string) {
	p := probe{method, target}
	// An empty target or a line end in it makes another request of it, which the
	// tests of raw heads try.
	if strings.ContainsAny(target, "\r\n") || target == "" || c.seen[p] {
		return
	}
	if c.seen == nil {
		c.seen = map[probe]bool{}
	}
	c.seen[p] = true
	c.probes = append(c.probes, p)
}

func (c *collector) both(target string) {
	c.add("GET", target)
	c.add("POST", target)
}

func (c *collector) methods(path string) {
	for _, m := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "Post", "PROPFIND", "QUERY", "GETT", "X"} {
		c.add(m, path)
		c.add(m, strings.TrimSuffix(path, "/"))
		c.add(m, path+"/")
	}
}

// shapes are mutations of the whole path.
func (c *collector) shapes(p, host string) {
	for _, tail := range []string{
		"?", "?x", "?a=b", "?/../llm/settings", "??", "?%zz", "?a=%0a", "?#", "#", "#x", "%23", "%3f", ";", ";x", ";x=y", "/;", "/.", "/..", "/./",
		"/../", "//", "///", "/%2e", "/%2e%2e", "/..;/", "/.;", "%2f", "%2F", "%5c", "\\", "%00", "%0a", "%0d", "%0d%0a", "%09", "%20", "+", "%2b",
		"%7f", "%c2%a0", "%c2%85", "%e2%80%a8", "%ef%bb%bf", "%c0%af", "%e0%80%af", "%ff", "%", "%2", "%zz", "%u002f", "%25", "%252f", "%25%32%66",
		"*", "~", "!", "'", "(", ")", ",", "=", "&", "@", ":", ":80", "$", "%24", "|", "\"", "<", "{", "}", "^", "`", ".json", ".css", ".", "..",
	} {
		c.both(p + tail)
	}
	c.both(strings.ToUpper(p))
	c.both("/" + p)
	c.both("/." + p)
	c.both("/.." + p)
	c.both("/x/.." + p)
	c.both("/static/.." + p)
	c.both("/static/%2e%2e" + p)
	c.both("/message/.." + p)
	c.both("/static" + p)
	c.both("http://" + host + p)
	c.both("HTTP://" + host + p)
	c.both("https://" + host + p)
	c.both("http://u@" + host + p)
	c.both("http://evil.example" + p)
	c.both("http:" + p)
	c.both("http://" + host + "//" + p)
	c.both(strings.TrimPrefix(p, "/"))
	c.both("/" + host + p)
	// Every slash written in other ways, and every letter once as its escape.
	for i := range len(p) {
		escaped := p[:i] + fmt.Sprintf("%%%02x", p[i]) + p[i+1:]
		c.add("GET", escaped)
		c.add("POST", p[:i]+fmt.Sprintf("%%%02X", p[i])+p[i+1:])
		c.add("GET", p[:i]+fmt.Sprintf("%%25%02x", p[i])+p[i+1:])
		if p[i] == '/' && i > 0 {
			for _, with := range []string{"//", "/./", "/x/../", ";/", "/;/", "\\", "/%2e/", "/%2e%2e/", "%2f", "%2F/", "/%0a", "%0a/"} {
				c.both(p[:i] + with + p[i+1:])
			}
		}
	}
}

// bytes puts every byte, raw and escaped, at the ends and into the middle.
func (c *collector) bytes(p string) {
	for b := range 256 {
		for _, piece := range []string{string([]byte{byte(b)}), fmt.Sprintf("%%%02x", b)} {
			if piece == " " {
				continue // another request line, with a version of its own
			}
			middle := strings.LastIndexByte(strings.TrimSuffix(p, "/"), '/')
			c.add("GET", p+piece)
			c.add("GET", p[:1]+piece+p[1:])
			c.add("GET", p[:middle]+piece+p[middle:])
			c.add("GET", p[:middle+1]+piece+p[middle+1:])
		}
	}
}

// joints put an open path before a closed one, with each thing that could make
// one server see the first and another the second.
func (c *collector) joints() {
	open := []string{"/message", "/static/x", "/memory/recall", "/"}
	closed := []string{"/plugins/", "/llm/settings", "/users/", "/memory/collections/episodic/points"}
	joints := []string{"/..", "/../..", "/%2e%2e", "%2f..", ";/..", "/..;", "?/..", "#", "%23", "%3f", "%00", "%0a", "\\..", "%5c..", "//", "/.", "&", "?", ",", " "}
	for _, o := range open {
		for _, d := range closed {
			for _, j := range joints {
				if j != " " {
					c.both(o + j + d)
					c.both(d + j + o)
				}
			}
		}
	}
}

// numbered adds the number to the query, where it takes part in nothing. A target
// with a fragment has it before that.
func (p probe) numbered(n int) string {
	target, fragment, cut := strings.Cut(p.target, "#")
	mark := "?"
	if strings.Contains(target, "?") {
		mark = "&"
	}
	target += fmt.Sprintf("%sn=%d", mark, n)
	if cut {
		target += "#" + fragment
	}
	return target
}

// baseRoutes are the endpoints that a base user may reach, as the stack names them.
var baseRoutes = []string{
	"GET /", "HEAD /", "POST /message", "GET /memory/conversation_history", "DELETE /memory/conversation_history", "GET /memory/recall", "POST /memory/recall", "GET /static/**", "GET /core-static/**",
	"HEAD /static/**", "HEAD /core-static/**",
}

func baseMayReach(route string) bool { return slices.Contains(baseRoutes, route) }
