package standin

import (
	"net/http"
	"slices"
)

// collection is the collection that the path names. It reports false when it has
// answered already.
func (e *exchange) collection(refusal string) (string, bool) {
	name := e.params["collection"]
	if name == "procedural" && refusal != "" {
		e.wrong(http.StatusBadRequest, refusal)
		return "", false
	}
	if !slices.Contains(collections(), name) {
		e.wrong(http.StatusBadRequest, "Collection does not exist.")
		return "", false
	}
	return name, true
}

// pointFields reads content and metadata out of the body; source is the one that the
// body says, and only if it says nobody the caller.
func (e *exchange) pointFields() (string, map[string]any, bool) {
	s, ok := e.model()
	if !ok {
		return "", nil, false
	}
	content, metadata := s.text("content", true), s.dict("metadata")
	if !s.good(e) {
		return "", nil, false
	}
	if metadata == nil {
		metadata = map[string]any{}
	}
	if s := metadata["source"]; s == nil || s == "" {
		metadata["source"] = e.caller.user
	}
	if metadata["when"] == nil {
		metadata["when"] = e.cat.seconds()
	}
	return content, metadata, true
}

func (c *Cat) createPoint(e *exchange) {
	content, metadata, ok := e.pointFields()
	if !ok {
		return
	}
	name, ok := e.collection("Procedural memory is read-only.")
	if !ok {
		return
	}
	c.answerPoint(e, name, "", content, metadata)
}

func (c *Cat) updatePoint(e *exchange) {
	content, metadata, ok := e.pointFields()
	if !ok {
		return
	}
	name, ok := e.collection("Procedural memory is read-only.")
	if !ok || !c.pointExists(e, name) {
		return
	}
	c.answerPoint(e, name, e.params["id"], content, metadata)
}

func (c *Cat) answerPoint(e *exchange, collection, id, content string, metadata map[string]any) {
	c.mu.Lock()
	p := c.memory.add(collection, id, content, metadata)
	o := object{
		{"content", p.content},
		{"metadata", p.metadata},
		{"id", p.id},
		{"vector", c.memory.embedder.dense(p.vector, false)},
	}
	c.mu.Unlock()
	e.json(http.StatusOK, o)
}

func (c *Cat) pointExists(e *exchange, collection string) bool {
	c.mu.Lock()
	found := c.memory.find(collection, e.params["id"]) != nil
	c.mu.Unlock()
	if !found {
		e.wrong(http.StatusBadRequest, "Point does not exist.")
	}
	return found
}

func (c *Cat) deletePoint(e *exchange) {
	name, ok := e.collection("")
	if !ok || !c.pointExists(e, name) {
		return
	}
	c.mu.Lock()
	c.memory.remove(name, func(p *point) bool { return p.id == e.params["id"] })
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"deleted", e.params["id"]}})
}

// deletePoints deletes by metadata: anybody's points. An unknown collection or an
// empty filter is a fault at the Cat.
func (c *Cat) deletePoints(e *exchange) {
	filter, ok := e.dict(map[string]any{})
	if !ok {
		return
	}
	name := e.params["collection"]
	if !slices.Contains(collections(), name) || len(filter) == 0 {
		e.fault()
		return
	}
	c.mu.Lock()
	c.memory.remove(name, func(p *point) bool { return p.fits(filter) })
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"deleted", []string{}}})
}

// listPoints shows a collection: everybody's points to anybody.
func (c *Cat) listPoints(e *exchange) {
	limit, ok := e.queryNumber("limit", 100)
	if !ok {
		return
	}
	name, ok := e.collection("Procedural memory is not readable via API")
	if !ok {
		return
	}
	offset, _ := lastValue(e.r.URL.RawQuery, "offset")
	c.mu.Lock()
	all := c.memory.points[name]
	from := max(0, slices.IndexFunc(all, func(p *point) bool { return p.id == offset }))
	points := []object{}
	var next any
	for i, p := range all[from:] {
		if i >= limit {
			next = p.id
			break
		}
		points = append(points, c.memory.stored(p))
	}
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"points", points}, {"next_offset", next}})
}

func (c *Cat) listCollections(e *exchange) {
	list := []object{}
	c.mu.Lock()
	for _, name := range collections() {
		list = append(list, object{{"name", name}, {"vectors_count", len(c.memory.points[name])}})
	}
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"collections", list}})
}

func (c *Cat) wipeCollections(e *exchange) { c.wipe(e, collections()...) }

func (c *Cat) wipeCollection(e *exchange) {
	if name, ok := e.collection(""); ok {
		c.wipe(e, name)
	}
}

func (c *Cat) wipe(e *exchange, names ...string) {
	var deleted object
	c.mu.Lock()
	for _, name := range names {
		delete(c.memory.points, name)
		deleted = append(deleted, field{name, true})
	}
	c.memory.teach(c.seconds())
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"deleted", deleted}})
}

func (c *Cat) recallByQuery(e *exchange) {
	text, sent := lastValue(e.r.URL.RawQuery, "text")
	if !sent {
		e.invalid(problem("missing", "Field required", nil, "query", "text"))
		return
	}
	k, ok := e.queryNumber("k", 100)
	if !ok {
		return
	}
	c.answerRecall(e, text, k, map[string]any{})
}

func (c *Cat) recallByBody(e *exchange) {
	d, _ := e.value.(map[string]any)
	s := &shape{fields: d}
	text, k, filter := s.text("text", true), s.number("k", 100), s.dict("metadata")
	if !s.good(e) {
		return
	}
	c.answerRecall(e, text, k, filter)
}

// answerRecall searches all collections; only the episodic one is held to the
// caller, whatever the filter says of the source.
func (c *Cat) answerRecall(e *exchange, text string, k int, filter map[string]any) {
	var found object
	c.mu.Lock()
	query := c.memory.embedder.embed(text)
	for _, name := range collections() {
		own := map[string]any{}
		for n, v := range filter {
			if n != "source" {
				own[n] = v
			}
		}
		if name == "episodic" {
			own["source"] = e.caller.user
		}
		list := []object{}
		for _, r := range c.memory.recall(name, query, k, own, -1) {
			list = append(list, c.memory.remembered(r, true))
		}
		found = append(found, field{name, list})
	}
	dense := c.memory.embedder.dense(query, false)
	c.mu.Unlock()
	e.json(http.StatusOK, object{
		{"query", object{{"text", text}, {"vector", dense}}},
		{"vectors", object{{"embedder", "DumbEmbedder"}, {"collections", found}}},
	})
}

// seconds is the time as the Cat writes it.
func (c *Cat) seconds() float64 { return float64(c.options.Now().UnixMicro()) / 1e6 }
