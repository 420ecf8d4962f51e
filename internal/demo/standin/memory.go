package standin

import (
	"slices"
	"strings"
)

// vectorMemory is the Cat's three collections. Each is one pool for everybody;
// the only thing that tells people apart is a point's metadata.source, which
// somebody who writes a point may choose. It is guarded by Cat.mu.
type vectorMemory struct {
	embedder embedder
	points   map[string][]*point
}

type point struct {
	id       string
	content  string
	metadata map[string]any
	vector   vector
}

// collections are the names, in the Cat's order.
func collections() []string { return []string{"episodic", "declarative", "procedural"} }

func newVectorMemory(when float64) vectorMemory {
	m := vectorMemory{newEmbedder(), map[string][]*point{}}
	m.teach(when)
	return m
}

// teach fills the procedural memory with the one tool that every Cat has.
func (m *vectorMemory) teach(when float64) {
	delete(m.points, "procedural")
	for _, trigger := range [][2]string{
		{"description", "get_the_time: Useful to get the current time when asked. Input is always None."},
		{"start_example", "what time is it"},
		{"start_example", "get the time"},
	} {
		m.add("procedural", "", trigger[1], map[string]any{
			"source": "get_the_time", "type": "tool", "trigger_type": trigger[0], "when": when})
	}
}

func (m *vectorMemory) add(collection, id, content string, metadata map[string]any) *point {
	if id == "" {
		id = strings.ReplaceAll(newID(), "-", "")
	}
	p := &point{id, content, metadata, m.embedder.embed(content)}
	for i, old := range m.points[collection] {
		if old.id == id {
			m.points[collection][i] = p
			return p
		}
	}
	m.points[collection] = append(m.points[collection], p)
	return p
}

func (m *vectorMemory) find(collection, id string) *point {
	for _, p := range m.points[collection] {
		if p.id == id {
			return p
		}
	}
	return nil
}

func (m *vectorMemory) remove(collection string, which func(*point) bool) {
	m.points[collection] = slices.DeleteFunc(m.points[collection], which)
}

// recalled is a point and how alike it is.
type recalled struct {
	*point
	score float64
}

// recall finds the k points that are most like the query and fit the filter.
func (m *vectorMemory) recall(collection string, query vector, k int, filter map[string]any, least float64) []recalled {
	var found []recalled
	for _, p := range m.points[collection] {
		if score := cosine(query, p.vector); score >= least && p.fits(filter) {
			found = append(found, recalled{p, score})
		}
	}
	slices.SortStableFunc(found, func(a, b recalled) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	if k <= 0 {
		k = 10
	}
	return found[:min(len(found), k)]
}

// stored is a point as GET .../points shows it.
func (m *vectorMemory) stored(p *point) object {
	return object{
		{"id", p.id},
		{"payload", object{{"page_content", p.content}, {"metadata", p.metadata}}},
		{"vector", m.embedder.dense(p.vector, true)},
		{"shard_key", nil},
		{"order_value", nil},
	}
}

// remembered is a point as a recall shows it.
func (m *vectorMemory) remembered(r recalled, withVector bool) object {
	o := object{
		{"id", r.id},
		{"metadata", r.metadata},
		{"page_content", r.content},
		{"type", "Document"},
		{"score", r.score},
	}
	if withVector {
		o = append(o, field{"vector", m.embedder.dense(r.vector, true)})
	}
	return o
}
