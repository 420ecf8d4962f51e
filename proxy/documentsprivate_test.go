package proxy

import (
	"net/http"
	"testing"

	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/permission"
)

// TestPrivateDocuments decides each endpoint by which declarative documents can be seen
// or deleted: with private documents the base set opens none of them. The columns are a
// base user, somebody with MEMORY:READ by name, and an administrator.
func TestPrivateDocuments(t *testing.T) {
	reads, changes := "-+", "--"
	for _, row := range []struct {
		method, path    string
		shared, private string
	}{
		{"GET", "/memory/recall?text=x", "++", reads},
		{"HEAD", "/memory/recall?text=x", "++", reads},
		{"POST", "/memory/recall", "++", reads},
		{"GET", "/memory/recall/?text=x", "++", reads},
		{"POST", "/memory/recall/", "++", reads},
		{"POST", "/memory/%72ecall", "++", reads},
		{"GET", "/memory/collections", reads, reads},
		{"GET", "/memory/collections/declarative/points", reads, reads},
		{"GET", "/memory/collections/declarative/points?limit=10000", reads, reads},
		{"POST", "/memory/collections/declarative/points", changes, changes},
		{"PUT", "/memory/collections/declarative/points/1", changes, changes},
		{"DELETE", "/memory/collections/declarative/points/1", changes, changes},
		{"DELETE", "/memory/collections/declarative/points", changes, changes},
		{"DELETE", "/memory/collections/declarative", changes, changes},
		{"DELETE", "/memory/collections", changes, changes},
		{"POST", "/rabbithole/memory", changes, changes},
		{"GET", "/rabbithole/status", changes, changes},
		{"GET", "/memory/declarative", changes, changes},
		// What is one's own stays so.
		{"GET", "/memory/conversation_history", "++", "++"},
		{"DELETE", "/memory/conversation_history", "++", "++"},
	} {
		for _, mode := range []struct {
			name     string
			contract *cat.Contract
			want     string
		}{{"shared", cat.V1(), row.shared}, {"private", cat.V1().PrivateDocuments(), row.private}} {
			lab := newLab(t, func(o *Options) { o.Contract = mode.contract })
			for i, who := range []string{"base", "editor", "admin"} {
				want := i == 2 || mode.want[i] == '+'
				seen := lab.cat.count()
				status, _ := lab.do(t, row.method, row.path, who, "")
				if forwarded := lab.cat.count() > seen; forwarded != want || !forwarded && status != http.StatusForbidden {
					t.Errorf("%s %s as %s, %s: forwarded %v, status %d", row.method, row.path, who, mode.name, forwarded, status)
				}
			}
		}
	}
}

// TestPrivateDocumentsByOtherRules: no rule but the permission by name opens a recall.
func TestPrivateDocumentsByOtherRules(t *testing.T) {
	policy, err := permission.New(permission.Rules{
		Everyone:  []string{"base", "MEMORY:LIST", "MEMORY:DELETE"},
		Endpoints: []permission.Endpoint{{Match: "* /memory/**", Needs: "everyone"}, {Match: "POST /memory/recall", Needs: "MEMORY:READ", Own: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lab := newLab(t, func(o *Options) { o.Contract, o.Policy = cat.V1().PrivateDocuments(), policy })
	for _, method := range []string{"GET", "POST"} {
		if status, body := lab.do(t, method, "/memory/recall?text=x", "base", `{"text":"x"}`); status != http.StatusForbidden || lab.cat.count() != 0 {
			t.Errorf("%s: %d %s", method, status, body)
		}
	}
}

// TestPrivateDocumentsByOtherPaths: no spelling of the path opens it either.
func TestPrivateDocumentsByOtherPaths(t *testing.T) {
	lab := newLab(t, func(o *Options) { o.Contract = cat.V1().PrivateDocuments() })
	for _, path := range []string{
		"/memory//recall", "/memory/./recall", "/memory/x/../recall", "//memory/recall", "/static/../memory/recall", "/memory/recall//", "/MEMORY/recall",
		"/memory/Recall", "/memory%2frecall", "/memory/recall%2f", "/memory/recall;x", "/memory/recall%3fx", "/memory/recall%00", "/memory/%2572ecall",
		"/memory/recall/x", "/memory/recall%20", "/memory\\recall", "/memory/conversation_history/../recall", "/memory/conversation_history/%2e%2e/recall",
	} {
		for _, method := range []string{"GET", "POST", "HEAD", "PUT", "get"} {
			req := lab.request(t, method, "/", "base", "")
			req.URL.Opaque = path
			if resp, _ := lab.send(t, req); resp.StatusCode < 400 || lab.cat.count() > 0 {
				t.Fatalf("%s %s: %d", method, path, resp.StatusCode)
			}
		}
	}
}
