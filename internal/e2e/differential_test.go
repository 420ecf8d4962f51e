package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDifferential: whatever bytes a client sends, the route that the Cat's own
// server takes is the route that Catflap judged; and for a base user it is never
// one that a base user may not have.
func TestDifferential(t *testing.T) {
	t.Parallel()
	cat := startStack(t)
	f := start(t, config{cat: cat.addr, catMore: "insecure_open_cat: true"})
	probes := corpus(t, f.addr)
	people := []struct{ name, token, id string }{
		{"base", staff.tokenFor("alice", time.Hour), idOf("alice")},
		{"admin", staff.tokenFor("root", time.Hour, "cat-admins"), idOf("root")},
	}
	refused := make([]int, len(people))
	var wg sync.WaitGroup
	for i, person := range people {
		wg.Go(func() {
			s := &sender{t: t, addr: f.addr}
			defer s.close()
			for n, p := range probes {
				if status := s.try(p, i*len(probes)+n, person.token); status == 400 || status == 401 || status == 403 {
					refused[i]++
				}
			}
		})
	}
	wg.Wait()
	settle(t, cat, f, people[1].token, 2*len(probes))

	judged := judgements(t, f)
	arrived, taken := cat.all(), map[string]int{}
	for i, person := range people {
		for n, p := range probes {
			for _, r := range arrived[fmt.Sprint(i*len(probes)+n)] {
				taken[person.name]++
				compare(t, p, r, person.id, judged)
				if person.name == "base" && !servesNothing(r.Route) && !baseMayReach(r.Route) {
					t.Errorf("%s %q of a base user reached %q", p.method, p.target, r.Route)
				}
			}
		}
	}
	for _, r := range arrived[""] {
		t.Errorf("a request without its query reached the Cat: %s %q", r.Method, r.RawPath)
	}
	t.Logf("%d request lines: a base user's were refused %d times and reached the Cat %d times, an admin's %d and %d",
		len(probes), refused[0], taken["base"], refused[1], taken["admin"])
	if taken["base"] < 50 || taken["admin"] < 500 || refused[0] < 1000 {
		t.Error("the corpus tries too little of one kind")
	}
}

// compare holds what the server did against what was judged.
func compare(t *testing.T, p probe, r routed, id string, judged map[judgement][]string) {
	t.Helper()
	if users := r.users(); len(users) != 1 || users[0] != id {
		t.Errorf("%s %q: the Cat's server sees the people %q, want %s", p.method, p.target, users, id)
	}
	key := judgement{id, loggedMethod(p.method), decodedPath(p.target)}
	routes := judged[key]
	if len(routes) != 1 {
		t.Errorf("%s %q reached the Cat, but the audit log says of %+v: %q", p.method, p.target, key, routes)
		return
	}
	want, got := parameters.ReplaceAllString(routes[0], "{}"), parameters.ReplaceAllString(r.Route, "{}")
	switch {
	case want == got, want == strings.Replace(got, "HEAD ", "GET ", 1):
	case strings.HasPrefix(want, "GET /admin/") && strings.Contains(got, " /admin/"): // its pages and its files: one judgement
	case servesNothing(r.Route):
	default:
		t.Errorf("%s %q was judged as %q, and the Cat's server took %q (path %q)", p.method, p.target, routes[0], r.Route, r.RawPath)
	}
}

// servesNothing: no endpoint was run. A redirect of the Cat's names the path with
// or without a slash, which is judged when it comes.
func servesNothing(route string) bool {
	return route == "method not allowed" || route == "none" || route == "redirect"
}

var parameters = regexp.MustCompile(`\{[^}]*\}`)

// judgement is what the audit log names a request by.
type judgement struct{ user, method, path string }

// judgements reads the routes out of the audit log.
func judgements(t *testing.T, f *flap) map[judgement][]string {
	t.Helper()
	all := map[judgement][]string{}
	for line := range strings.SplitSeq(f.log.String(), "\n") {
		var entry struct {
			Event, User, Method, Path, Route string
		}
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Method == "" || entry.Event != "allowed" {
			continue
		}
		key := judgement{entry.User, entry.Method, entry.Path}
		known := false
		for _, r := range all[key] {
			known = known || r == entry.Route
		}
		if !known {
			all[key] = append(all[key], entry.Route)
		}
	}
	if len(all) == 0 {
		t.Fatal("the audit log holds no allowed request")
	}
	return all
}

func loggedMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return m
	}
	return "other"
}

// decodedPath is the path of a target that Catflap let through, so that it is
// well-formed.
func decodedPath(target string) string {
	if u, err := url.Parse(target); err == nil && u.IsAbs() {
		return u.Path
	}
	path, _, _ := strings.Cut(target, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return decoded
}

// settle waits until the server and Catflap have told of everything that they got:
// their lines come by pipes, in order, so that the last one is enough.
func settle(t *testing.T, cat *stack, f *flap, token string, n int) {
	t.Helper()
	s := &sender{t: t, addr: f.addr}
	defer s.close()
	s.try(probe{"GET", "/settled"}, n, token)
	await(t, "the last record", func() bool {
		return len(cat.all()[fmt.Sprint(n)]) > 0 && strings.Contains(f.log.String(), `"path":"/settled"`)
	}, func() string { return "" })
}

// sender sends one request after the other, on one connection while that lasts.
type sender struct {
	t    *testing.T
	addr string
	line *line
}

func (s *sender) close() {
	if s.line != nil {
		s.line.close()
	}
}

// try sends the request line as raw bytes and returns the status of the answer, 0
// if there was none.
func (s *sender) try(p probe, n int, token string) int {
	body := "\r\n"
	if p.method == "POST" || p.method == "PUT" || p.method == "PATCH" {
		body = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	}
	for range 2 { // a connection that was kept may have ended
		fresh := s.line == nil
		if fresh {
			s.line = dialQuietly(s.t, s.addr)
		}
		s.line.send(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s", p.method, p.numbered(n), s.addr, token, body))
		a, err := s.line.receive(p.method)
		if err == nil && a.status != 0 && !a.last {
			s.line.all.Reset()
			return a.status
		}
		s.line.close()
		s.line = nil
		if a.status != 0 || fresh {
			return a.status
		}
	}
	return 0
}
