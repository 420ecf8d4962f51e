package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/permission"
)

func TestDocumentsAreOnesOwn(t *testing.T) {
	for _, careless := range []bool{false, true} {
		c := &docsCat{points: twoPeople(), careless: careless, plugin: true}
		l := newDocsLab(t, c, nil)
		status, body := l.do(t, "GET", "/_catflap/documents", "alice", "")
		want := `{"documents":[{"id":"` + docA + `","source":"a.txt","folder":"own","chunks":2,"uploaded_at":"2027-01-15T08:00:00Z"}],"complete":true,"plugin":"active"}`
		if careless {
			want = strings.Replace(want, `"complete":true,"plugin":"active"`, `"complete":false,"plugin":"active","hint":"there are more documents than are listed"`, 1)
		}
		if status != http.StatusOK || body != want {
			t.Errorf("careless %v: %d %s", careless, status, body)
		}
		if got, want := c.asked[0], "POST /memory/recall as [anonymous] Bearer "+labKey; got != want {
			t.Errorf("asked %s", got)
		}
		if !strings.Contains(c.bodies[0], `"owner":"staff:alice"`) {
			t.Errorf("body %s", c.bodies[0])
		}
		for _, q := range []string{"?source=a.txt", "?all=true", "?id=" + docB} {
			l.do(t, "DELETE", "/_catflap/documents"+q, "alice", "")
			if left := c.left(); !strings.HasSuffix(left, "b1 b2 c1") {
				t.Fatalf("careless %v, %s: left are %s", careless, q, left)
			}
		}
		if left := c.left(); left != "b1 b2 c1" {
			t.Errorf("left are %s", left)
		}
		if status, body := l.do(t, "GET", "/_catflap/documents", "alice", ""); !careless && body != `{"documents":[],"complete":true,"plugin":"active"}` {
			t.Errorf("%d %s", status, body)
		}
	}
}

func TestDeletingDocuments(t *testing.T) {
	const other = "cccccccccccccccccccccccccccccccc"
	c := &docsCat{plugin: true, fails: 2}
	for i := range 1203 {
		c.points = append(c.points, docsPoint{fmt.Sprintf("a%x", i), chunkOf("staff:alice", docA, "large", i)})
	}
	c.points = append(c.points, docsPoint{"d1", chunkOf("staff:alice", other, "we\"ird' name {}.txt", 0)})
	l := newDocsLab(t, c, nil)
	status, body := l.do(t, "DELETE", "/_catflap/documents?id="+docA, "alice", "")
	if status != http.StatusOK || body != `{"deleted":{"documents":1,"chunks":1203},"complete":true,"plugin":"active"}` || c.left() != "d1" {
		t.Errorf("%d %s, left %.50s", status, body, c.left())
	}
	if last := c.deleted[len(c.deleted)-1]; last != "a0" {
		t.Errorf("the first chunk, by which the document is listed, was not the last: %s", last)
	}
	if r := l.record(t, 1); r.User != "staff:alice" || r.Route != "DELETE /_catflap/documents" || r.Reason != "deleted 1 documents, 1203 chunks" || r.Outcome != OutcomePage {
		t.Errorf("record %+v", r)
	}
	status, body = l.do(t, "DELETE", "/_catflap/documents?source=we%22ird%27+name+%7B%7D.txt", "alice", "")
	if status != http.StatusOK || !strings.Contains(body, `{"documents":1,"chunks":1}`) || c.left() != "" {
		t.Errorf("%d %s, left %s", status, body, c.left())
	}
	if _, body = l.do(t, "DELETE", "/_catflap/documents?all=true", "alice", ""); !strings.Contains(body, `{"documents":0,"chunks":0},"complete":true`) {
		t.Error(body)
	}
}

// TestStrangePoints: what the Cat answers is data, too.
func TestStrangePoints(t *testing.T) {
	good := chunkOf("staff:alice", docA, "a.txt", 0)
	for name, p := range map[string]docsPoint{
		"a path":           {"../../users", good},
		"a slash":          {"a/b", good},
		"a long id":        {strings.Repeat("a", 65), good},
		"other letters":    {"a1", `{"CATFLAP":{"owner":"staff:alice","document":"` + docA + `","chunk":0},"catflap":{"owner":"staff:bob","document":"` + docA + `","chunk":0}}`},
		"other owner key":  {"a1", `{"catflap":{"Owner":"staff:alice","owner":"staff:bob","document":"` + docA + `","chunk":0}}`},
		"a list of owners": {"a1", `{"catflap":{"owner":["staff:alice"],"document":"` + docA + `","chunk":0}}`},
		"a list of marks":  {"a1", `{"catflap":[{"owner":"staff:alice","document":"` + docA + `","chunk":0}]}`},
		"another document": {"a1", `{"catflap":{"owner":"staff:alice","document":"../` + docA[3:] + `","chunk":0}}`},
		"an owner like it": {"a1", chunkOf("staff:alice ", docA, "a.txt", 0)},
		"capital letters":  {"a1", chunkOf("staff:Alice", docA, "a.txt", 0)},
		"no mark":          {"a1", `{"source":"a.txt","owner":"staff:alice"}`},
		"no metadata":      {"a1", `null`},
	} {
		c := &docsCat{points: []docsPoint{p}, careless: true, plugin: true}
		l := newDocsLab(t, c, nil)
		if status, body := l.do(t, "GET", "/_catflap/documents", "alice", ""); status != http.StatusOK || !strings.HasPrefix(body, `{"documents":[],"complete":false`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if _, body := l.do(t, "DELETE", "/_catflap/documents?all=true", "alice", ""); len(c.deleted) > 0 || !strings.Contains(body, `"complete":false`) {
			t.Errorf("%s: deleted %q, %s", name, c.deleted, body)
		}
	}
}

func TestDocumentsOfABrokenCat(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"no list": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"vectors":{"collections":{}}}`)
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"vectors":{"collections":{"declarative":[{"id":"a"}`)
		},
		"deep": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"vectors":`+strings.Repeat("[", 1<<20))
		},
		"a number": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"vectors":{"collections":{"declarative":1}}}`)
		},
		"fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"refuses": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"detail":{"error":"Invalid Credentials"}}`)
		},
	} {
		l := newLab(t, nil)
		l.cat.answers(answer)
		for _, method := range []string{"GET /_catflap/documents", "DELETE /_catflap/documents?all=true"} {
			m, path, _ := strings.Cut(method, " ")
			if status, body := l.do(t, m, path, "alice", ""); status != http.StatusBadGateway || !strings.Contains(body, `"code":"documents_unavailable"`) && !strings.Contains(body, `"code":"cat_refused"`) {
				t.Errorf("%s, %s: %d %s", name, m, status, body)
			}
		}
	}
}

func TestDocumentsWithoutThePlugin(t *testing.T) {
	c := &docsCat{}
	l := newDocsLab(t, c, nil)
	status, body := l.do(t, "GET", "/_catflap/documents", "alice", "")
	if status != http.StatusOK || !strings.Contains(body, `"plugin":"missing","hint":"the plugin`) {
		t.Errorf("%d %s", status, body)
	}
}

// TestDocumentsQueries: what does not say exactly which documents are meant deletes none.
func TestDocumentsQueries(t *testing.T) {
	c := &docsCat{points: twoPeople(), plugin: true}
	l := newDocsLab(t, c, nil)
	for _, q := range []string{
		"", "?", "?all", "?all=false", "?all=1", "?All=true", "?id=", "?id=x", "?id=" + strings.ToUpper(docA), "?source=", "?sources=a.txt", "?all=true&id=" + docA,
		"?id=" + docA + "&id=" + docB, "?owner=staff:bob", "?all=true&owner=staff:bob", "?source=" + strings.Repeat("x", 4001), "?source=%zz", "?user_id=staff:bob", "?all=true;x=y",
	} {
		if status, body := l.do(t, "DELETE", "/_catflap/documents"+q, "alice", `{"all":true}`); status != http.StatusBadRequest {
			t.Errorf("DELETE %s: %d %s", q, status, body)
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		if status, _ := l.do(t, method, "/_catflap/documents?all=true", "alice", ""); status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, status)
		}
	}
	if status, _ := l.do(t, "GET", "/_catflap/documents?owner=staff:bob", "alice", ""); status != http.StatusBadRequest {
		t.Error(status)
	}
	if n := len(c.asked); n != 0 {
		t.Errorf("the Cat was asked %d times", n)
	}
	for _, path := range []string{"/_catflap/documents/", "/_catflap/documents/" + docA, "/_catflap/Documents"} {
		if status, _ := l.do(t, "GET", path, "alice", ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestWhoMayUseTheDocuments(t *testing.T) {
	policy := func(r permission.Rules) func(*Options) {
		p, err := permission.New(r)
		if err != nil {
			t.Fatal(err)
		}
		return func(o *Options) { o.Policy = p }
	}
	for _, tt := range []struct {
		name        string
		rules       permission.Rules
		who         string
		list, erase int
	}{
		{"nobody", permission.Rules{Everyone: []string{"base"}}, "", 401, 401},
		{"base", permission.Rules{Everyone: []string{"base"}}, "alice", 200, 200},
		{"chat alone", permission.Rules{Everyone: []string{"STATUS:READ", "CONVERSATION:WRITE"}}, "alice", 403, 403},
		{"deletion denied", permission.Rules{Everyone: []string{"base"}, Grants: []permission.Grant{{Deny: []string{"MEMORY:DELETE"}}}}, "alice", 200, 403},
		{"reading denied", permission.Rules{Everyone: []string{"admin"}, Grants: []permission.Grant{{Deny: []string{"MEMORY:READ"}}}}, "alice", 403, 200},
		{"an endless rule", permission.Rules{Public: []string{"* /_catflap/**"}}, "", 401, 401},
	} {
		c := &docsCat{points: twoPeople(), plugin: true}
		l := newDocsLab(t, c, policy(tt.rules))
		if status, body := l.do(t, "GET", "/_catflap/documents", tt.who, ""); status != tt.list {
			t.Errorf("%s, GET: %d %s", tt.name, status, body)
		}
		if status, body := l.do(t, "DELETE", "/_catflap/documents?all=true", tt.who, ""); status != tt.erase || tt.erase != 200 && len(c.deleted) > 0 {
			t.Errorf("%s, DELETE: %d %s", tt.name, status, body)
		}
	}
}

// TestOtherSitesAndDocuments: a page of another site deletes nothing with a session.
func TestOtherSitesAndDocuments(t *testing.T) {
	c := &docsCat{plugin: true}
	l := newDesk(t, nil, &desk{title: "desk"})
	l.cat.answers(c.ServeHTTP)
	b := l.browser(t)
	b.signIn("alice")
	id := b.is()
	c.points = []docsPoint{{"a1", chunkOf(id, docA, "a.txt", 0)}}
	for _, header := range []map[string]string{
		{}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
		{"Origin": "null"}, {"Origin": publicURL + ".evil.example"},
	} {
		if resp, body := b.send("DELETE", "/_catflap/documents?all=true", "", header); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d %s", header, resp.StatusCode, body)
		}
	}
	if len(c.deleted) != 0 {
		t.Fatalf("deleted %q", c.deleted)
	}
	if resp, body := b.script("GET", "/_catflap/documents", ""); resp.StatusCode != http.StatusOK || !strings.Contains(body, docA) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, body := b.script("DELETE", "/_catflap/documents?all=true", "")
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"chunks":1`) || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// TestDocumentsAreBounded: a Cat that hangs holds nobody for longer than the page's time,
// and one person no more places than they have.
func TestDocumentsAreBounded(t *testing.T) {
	l := newLab(t, func(o *Options) { o.PerPerson = 1 })
	arrived, free := make(chan struct{}), make(chan struct{})
	l.cat.answers(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-free:
		case <-r.Context().Done():
		}
	})
	done := make(chan int, 1)
	go func() {
		status, _ := l.do(t, "GET", "/_catflap/documents", "alice", "")
		done <- status
	}()
	<-arrived
	if status, _ := l.do(t, "GET", "/_catflap/documents", "alice", ""); status != http.StatusTooManyRequests {
		t.Errorf("a second one: %d", status)
	}
	close(free)
	go func() {
		for range arrived {
		}
	}()
	select {
	case <-done:
	case <-time.After(documentsTime + 10*time.Second):
		t.Error("it does not end")
	}
}
