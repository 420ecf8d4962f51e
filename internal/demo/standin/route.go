package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// door is how an endpoint asks who is there.
type door int

const (
	open     door = iota // nobody is asked
	byHeader             // Authorization, access_token, user_id
	byCookie             // ccat_user_token
)

// bodyKind is what an endpoint's body is read as, before anybody is asked.
type bodyKind int

const (
	noBody bodyKind = iota
	jsonBody
	formBody
)

type route struct {
	method  string // or two: "GET, HEAD"
	pattern string
	door    door
	need    need
	body    bodyKind
	handle  func(*exchange)
}

// match reports whether the path fits, and what its parameters are. A parameter
// is one whole segment, never empty.
func (r route) match(path string) (map[string]string, bool) {
	want, got := strings.Split(r.pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	var params map[string]string
	for i, w := range want {
		if !strings.HasPrefix(w, "{") {
			if w != got[i] {
				return nil, false
			}
			continue
		}
		if got[i] == "" {
			return nil, false
		}
		if params == nil {
			params = map[string]string{}
		}
		params[w[1:len(w)-1]] = got[i]
	}
	return params, true
}

// dispatch finds the endpoint: the first whole match, else 405 for the first
// match by path alone, else a mounted folder, else a redirect if a slash more or
// less would match, else 404.
func (c *Cat) dispatch(e *exchange) {
	if e.upgrade {
		c.serveSocket(e)
		return
	}
	partial := ""
	for _, r := range c.table {
		params, ok := r.match(e.path)
		if !ok {
			continue
		}
		if !slices.Contains(strings.Split(r.method, ", "), e.r.Method) {
			if partial == "" {
				partial = r.method
			}
			continue
		}
		e.params = params
		c.enter(e, r)
		return
	}
	if folder, name, ok := mounted(e.path); ok {
		e.file(folder, name)
		return
	}
	if partial != "" {
		e.w.Header().Set("Allow", partial)
		e.detail(http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	if to, ok := c.slashed(e.path); ok {
		e.redirect(http.StatusTemporaryRedirect, e.base()+quoted(to)+query(e.r))
		return
	}
	e.detail(http.StatusNotFound, "Not Found")
}

// enter reads the body, asks who is there, and answers, in the Cat's order: a body
// that is no JSON is refused before the credential is looked at.
func (c *Cat) enter(e *exchange, r route) {
	if !e.readBody(r.body) {
		return
	}
	switch r.door {
	case byHeader:
		if !c.admitByHeader(e, r.need) {
			e.refuse()
			return
		}
	case byCookie:
		if !c.admitByCookie(e, r.need) {
			e.toLogin()
			return
		}
	}
	if e.unread {
		e.fault()
		return
	}
	r.handle(e)
}

// slashed is the path with its last slash toggled, if that is an endpoint.
func (c *Cat) slashed(path string) (string, bool) {
	if path == "/" {
		return "", false
	}
	to := path + "/"
	if strings.HasSuffix(path, "/") {
		to = strings.TrimRight(path, "/")
	}
	for _, r := range c.table {
		if _, ok := r.match(to); ok {
			return to, true
		}
	}
	_, _, ok := mounted(to)
	return to, ok
}

// quoted percent-encodes a decoded path the way the Cat does in a Location.
func quoted(path string) string {
	const safe = ":/%#?=@[]!$&'()*+,;-._~"
	var b strings.Builder
	for i := range len(path) {
		ch := path[i]
		switch {
		case ch >= 'a' && ch <= 'z', ch >= 'A' && ch <= 'Z', ch >= '0' && ch <= '9', strings.IndexByte(safe, ch) >= 0:
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[ch>>4])
			b.WriteByte("0123456789ABCDEF"[ch&15])
		}
	}
	return b.String()
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

// lastValue is a query parameter as the Cat reads it: the last one wins.
func lastValue(rawQuery, name string) (string, bool) {
	value, found := "", false
	for pair := range strings.SplitSeq(rawQuery, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if unescaped(k) == name {
			value, found = unescaped(v), true
		}
	}
	return value, found
}

func unescaped(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}
