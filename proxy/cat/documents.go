package cat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"time"
)

// Where a plugin's mark on a chunk of a document says whose it is, and where the plugin
// says that it is there (examples/cat-plugin-documents).
const (
	markKey        = "catflap"
	documentsState = "/custom/catflap-documents"
	declarative    = "declarative"
)

// Bounds of one answer with chunks. A vector is up to some 80 kB of JSON.
const (
	chunksMost  = 500
	answerMost  = 64 << 20
	textMost    = 1000
	pointIDMost = 64
)

// Chunk is a part of a document in the Cat's declarative memory, with the mark on it.
type Chunk struct {
	Point    string // its id at the Cat
	Document string // the id of the whole
	Source   string // the name of the file, or the address of the page
	Group    string // whose folder it is in; empty: the owner's own
	First    bool   // of the document
	Of       int    // how many chunks the document has
	When     time.Time
}

// Chunks says which of a person's chunks are looked for.
type Chunks struct {
	Owner    string
	Document string // empty: of any
	Source   string // empty: of any
	First    bool   // one chunk of each document
}

// Request returns the Cat's route for the search, and its body. The search is the Cat's
// recall, the only one that takes a filter; the text is no matter.
func (q Chunks) Request() (Route, []byte, error) {
	mark := map[string]any{"owner": q.Owner}
	if q.Document != "" {
		mark["document"] = q.Document
	}
	if q.Source != "" {
		mark["source"] = q.Source
	}
	if q.First {
		mark["chunk"] = 0
	}
	route, _ := V1().Route(http.MethodPost, "/memory/recall")
	body, err := json.Marshal(map[string]any{"text": "documents", "k": chunksMost, "metadata": map[string]any{markKey: mark}})
	return route, body, err
}

// DeleteChunk returns the route that deletes a chunk.
func DeleteChunk(c Chunk) Route {
	route, _ := V1().Route(http.MethodDelete, "/memory/collections/"+declarative+"/points/"+c.Point)
	return route
}

// DocumentsUnfit returns why nobody could list or delete their own documents, since no
// account may search and delete; nil if one may each.
func DocumentsUnfit(accounts []Account) *NoAccountError {
	search, _ := V1().Route(http.MethodPost, "/memory/recall")
	for _, r := range []Route{search, DeleteChunk(Chunk{Point: "0"})} {
		if _, err := Choose(accounts, Nobody().Held, r); err != nil {
			return &NoAccountError{Needs: PermissionsOf(search.Needs) | PermissionsOf(permission("MEMORY", "DELETE")), Most: all, Pattern: r.Pattern}
		}
	}
	return nil
}

// DocumentsState returns the plugin's own route. It needs no credential.
func DocumentsState() Route {
	return Route{Pattern: "GET " + documentsState, Path: documentsState}
}

// KeepsDocuments reports the plugin's answer at that route.
func KeepsDocuments(status int, body []byte) bool {
	var state struct {
		Marks string `json:"marks"`
	}
	return status == http.StatusOK && json.Unmarshal(body, &state) == nil && state.Marks == markKey
}

// Found is what a search has found.
type Found struct {
	Chunks []Chunk
	// All means that there are no others: nothing was cut off, and the Cat has kept to the filter.
	All bool
	// Strange counts what fits the search by the Cat's word alone. It is not among the chunks.
	Strange int
}

var errChunks = errors.New("the Cat's answer to a recall can't be read")

// Read reads the Cat's answer piece by piece. It takes over nothing that does not bear
// the mark of what was looked for, whatever the Cat's filter has let pass.
func (q Chunks) Read(r io.Reader) (Found, error) {
	d := json.NewDecoder(io.LimitReader(r, answerMost))
	var f Found
	for _, name := range []string{"vectors", "collections", declarative} {
		if err := seek(d, name); err != nil {
			return f, err
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return f, errors.Join(errChunks, err)
	}
	n := 0
	for ; d.More(); n++ {
		if n >= chunksMost {
			return f, nil
		}
		var p point
		if err := d.Decode(&p); err != nil {
			return f, errors.Join(errChunks, err)
		}
		if c, ok := q.chunk(p); ok {
			f.Chunks = append(f.Chunks, c)
		} else {
			f.Strange++
		}
	}
	if _, err := d.Token(); err != nil { // cut off
		return f, errors.Join(errChunks, err)
	}
	f.All = n < chunksMost && f.Strange == 0
	return f, nil
}

// seek goes into the object's member of that name.
func seek(d *json.Decoder, name string) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errChunks, err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return errors.Join(errChunks, err)
		}
		if key == name {
			return nil
		}
		var other json.RawMessage
		if err := d.Decode(&other); err != nil {
			return errors.Join(errChunks, err)
		}
	}
	return fmt.Errorf("%w: it has no %s", errChunks, name)
}

// point is a chunk as the Cat answers it. Maps tell capital letters from small ones,
// which members of a struct do not: the client has named what stands beside the mark.
type point struct {
	ID       any                        `json:"id"`
	Metadata map[string]json.RawMessage `json:"metadata"`
}

// chunk verifies a point.
func (q Chunks) chunk(p point) (Chunk, bool) {
	id, _ := p.ID.(string)
	var mark map[string]any
	if !isPointID(id) || json.Unmarshal(p.Metadata[markKey], &mark) != nil {
		return Chunk{}, false
	}
	owner, _ := mark["owner"].(string)
	c := Chunk{Point: id, First: mark["chunk"] == 0.0}
	c.Document, _ = mark["document"].(string)
	c.Source, _ = mark["source"].(string)
	c.Group, _ = mark["group"].(string)
	if owner == "" || owner != q.Owner || !IsDocumentID(c.Document) || q.First && !c.First ||
		q.Document != "" && c.Document != q.Document || q.Source != "" && c.Source != q.Source {
		return Chunk{}, false
	}
	if of, ok := mark["of"].(float64); ok && of >= 1 && of < 1<<31 {
		c.Of = int(of)
	}
	if when, ok := mark["when"].(float64); ok && when > 0 && when < 1<<33 {
		seconds, part := math.Modf(when)
		c.When = time.Unix(int64(seconds), int64(part*1e9)).UTC()
	}
	return c, true
}

// IsDocumentID reports the form of a document's id.
func IsDocumentID(id string) bool { return len(id) == 32 && isPointID(id) }

// IsDocumentSource reports what can be the name of a document.
func IsDocumentSource(name string) bool { return name != "" && len(name) <= 4*textMost }

// isPointID reports what may stand in a path: a UUID, with hyphens or without.
func isPointID(id string) bool {
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != '-' {
			return false
		}
	}
	return id != "" && len(id) <= pointIDMost
}

// DeletedPoint reports the Cat's answer to a chunk that is gone: by this request, or
// before it.
func DeletedPoint(status int, body []byte) bool {
	return status == http.StatusOK || status == http.StatusBadRequest && string(body) == `{"detail":{"error":"Point does not exist."}}`
}

// URL returns the route's address at a Cat.
func (r Route) URL(base *url.URL) *url.URL { return base.JoinPath(r.Path) }
