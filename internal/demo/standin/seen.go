package standin

import (
	"net/http"
	"slices"
	"sync"
)

// requestsKept is how many requests are remembered.
const requestsKept = 512

// Header is one header line as it arrived: its own spelling, its own order, and
// the white space at its end.
type Header struct{ Name, Value string }

// Request is what the Cat saw of one request.
type Request struct {
	Method string
	Target string // the request line's path and query, as they came
	Path   string // decoded once
	Host   string
	Proto  string
	Remote string

	// Headers are the lines as they arrived when the Cat was served by Start or
	// Server, else what is left of them in Go's canonical spelling.
	Headers []Header
	Upgrade bool

	Credential    string // what was judged
	CredentialVia string // authorization, access_token, cookie, query
	Admitted      bool
	User          string      // who the Cat believed it was, if admitted
	Permissions   Permissions // and what plugins were told of their rights
	Status        int         // 0 while it runs
}

// Values are the values of all lines of exactly this spelling.
func (r Request) Values(name string) []string {
	var list []string
	for _, h := range r.Headers {
		if h.Name == name {
			list = append(list, h.Value)
		}
	}
	return list
}

// Header is all values of a header in any spelling of upper and lower case.
func (r Request) Header(name string) []string {
	var list []string
	for _, h := range r.Headers {
		if http.CanonicalHeaderKey(h.Name) == http.CanonicalHeaderKey(name) {
			list = append(list, h.Value)
		}
	}
	return list
}

// requestLog is the last requests.
type requestLog struct {
	mu   sync.Mutex
	list []*Request
	all  int
}

func (l *requestLog) begin(e *exchange) *Request {
	r := &Request{
		Method: e.r.Method, Target: e.r.RequestURI, Path: e.path, Host: e.r.Host, Proto: e.r.Proto,
		Remote: e.r.RemoteAddr, Headers: e.head, Upgrade: e.upgrade,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all++
	if len(l.list) == requestsKept {
		l.list = slices.Delete(l.list, 0, requestsKept/2)
	}
	l.list = append(l.list, r)
	return r
}

func (l *requestLog) update(r *Request, change func(*Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(r)
}

// Requests are the last requests, oldest first.
func (c *Cat) Requests() []Request {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	list := make([]Request, len(c.seen.list))
	for i, r := range c.seen.list {
		list[i] = *r
	}
	return list
}

// LastRequest is the newest request, or the zero one.
func (c *Cat) LastRequest() Request {
	if all := c.Requests(); len(all) > 0 {
		return all[len(all)-1]
	}
	return Request{}
}

// RequestCount is how many requests ever came.
func (c *Cat) RequestCount() int {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	return c.seen.all
}

// ForgetRequests empties the list of requests.
func (c *Cat) ForgetRequests() {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	c.seen.list = nil
}
