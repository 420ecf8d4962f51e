package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// docsCat is a Cat whose declarative memory is a list of points. It keeps to a filter
// for the owner, the document, the source and the chunk, unless it is a careless one.
type docsCat struct {
	mu       sync.Mutex
	points   []docsPoint
	careless bool
	plugin   bool
	fails    int // so many searches
	asked    []string
	bodies   []string
	deleted  []string
}

type docsPoint struct{ id, metadata string }

const (
	docA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	docB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// chunkOf is the metadata of a chunk with a mark.
func chunkOf(owner, document, source string, chunk int) string {
	b, _ := json.Marshal(map[string]any{"source": source, "catflap": map[string]any{
		"owner": owner, "folder": "own", "document": document, "source": source, "chunk": chunk, "of": 2, "when": 1.8e9,
	}})
	return string(b)
}

func (c *docsCat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	c.asked = append(c.asked, fmt.Sprint(r.Method, " ", r.URL.Path, " as ", r.Header.Values("user_id"), " ", r.Header.Get("Authorization")))
	c.bodies = append(c.bodies, string(body))
	switch {
	case r.URL.Path == "/custom/catflap-documents" && c.plugin:
		_, _ = io.WriteString(w, `{"marks":"catflap","version":1}`)
	case r.Method == http.MethodPost && r.URL.Path == "/memory/recall":
		if c.fails > 0 {
			c.fails--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"query":{"text":"x","vector":[0.5]},"vectors":{"embedder":"E","collections":{"episodic":[{"id":"e"}],"declarative":[`+
			strings.Join(c.find(body), ",")+`],"procedural":[]}}}`)
	case r.Method == http.MethodDelete:
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		c.deleted = append(c.deleted, id)
		for i, p := range c.points {
			if p.id == id {
				c.points = append(c.points[:i:i], c.points[i+1:]...)
				_, _ = fmt.Fprintf(w, `{"deleted":%q}`, id)
				return
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"detail":{"error":"Point does not exist."}}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"detail":"Not Found"}`)
	}
}

func (c *docsCat) find(body []byte) []string {
	var q struct {
		K        int
		Metadata struct {
			Catflap map[string]any
		}
	}
	_ = json.Unmarshal(body, &q)
	list := []string{}
	for _, p := range c.points {
		var metadata map[string]json.RawMessage
		var mark map[string]any
		_ = json.Unmarshal([]byte(p.metadata), &metadata)
		_ = json.Unmarshal(metadata["catflap"], &mark)
		fits := true
		for name, want := range q.Metadata.Catflap {
			fits = fits && mark[name] == want
		}
		if (fits || c.careless) && len(list) < q.K {
			list = append(list, fmt.Sprintf(`{"id":%q,"metadata":%s,"page_content":"...","type":"Document","score":0.1,"vector":[0.1,0.2]}`, p.id, p.metadata))
		}
	}
	return list
}

func (c *docsCat) left() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, p := range c.points {
		ids = append(ids, p.id)
	}
	return strings.Join(ids, " ")
}

func newDocsLab(t *testing.T, c *docsCat, change func(*Options)) *lab {
	l := newLab(t, change)
	l.cat.answers(c.ServeHTTP)
	return l
}

// two people's chunks, and one without a mark.
func twoPeople() []docsPoint {
	return []docsPoint{
		{"a1", chunkOf("staff:alice", docA, "a.txt", 0)}, {"a2", chunkOf("staff:alice", docA, "a.txt", 1)},
		{"b1", chunkOf("staff:bob", docB, "a.txt", 0)}, {"b2", chunkOf("staff:bob", docB, "a.txt", 1)},
		{"c1", `{"source":"old.txt","when":1}`},
	}
}
