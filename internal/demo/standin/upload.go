package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
)

// file is one uploaded file.
type file struct {
	name        string
	contentType string
	content     []byte
}

// files reads the multipart body: the files of that field, and the other fields.
func (e *exchange) files(name string) ([]file, map[string]string) {
	fields := map[string]string{}
	_, params, err := mime.ParseMediaType(e.r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, fields
	}
	var list []file
	parts := multipart.NewReader(bytes.NewReader(e.body), params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			return list, fields
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return list, fields
		}
		if p.FormName() == name && p.FileName() != "" {
			list = append(list, file{p.FileName(), p.Header.Get("Content-Type"), content})
			continue
		}
		fields[p.FormName()] = string(content)
	}
}

func (f file) reply(info string) object {
	return object{{"filename", f.name}, {"content_type", f.contentType}, {"info", info}}
}

// kind is the type that the Cat guesses from a file's name, or None.
func kind(name string) string {
	switch path.Ext(name) {
	case ".txt":
		return "text/plain"
	case ".md":
		return "text/markdown"
	case ".html", ".htm":
		return "text/html"
	case ".pdf":
		return "application/pdf"
	case ".json":
		return "application/json"
	case ".zip":
		return "application/zip"
	case ".tar":
		return "application/x-tar"
	}
	return "None"
}

func admitted() []string {
	return []string{"application/pdf", "text/plain", "text/markdown", "text/html"}
}

const ingesting = "File is being ingested asynchronously"

func (e *exchange) noFile(field string) {
	e.invalid(problem("missing", "Field required", nil, "body", field))
}

// readable answers 400 for a file that the Cat cannot read.
func (e *exchange) readable(f file) bool {
	if k := kind(f.name); !slices.Contains(admitted(), k) {
		e.wrong(http.StatusBadRequest, "MIME type "+k+" not supported. Admitted types: "+strings.Join(admitted(), " - "))
		return false
	}
	return true
}

func (c *Cat) uploadFile(e *exchange) {
	list, fields := e.files("file")
	if len(list) == 0 {
		e.noFile("file")
		return
	}
	f := list[len(list)-1]
	if !e.readable(f) {
		return
	}
	metadata, ok := extra(fields["metadata"])
	if !ok {
		e.fault()
		return
	}
	e.json(http.StatusOK, f.reply(ingesting))
	c.ingest(e.caller.user, f.name, string(f.content), metadata)
}

func (c *Cat) uploadFiles(e *exchange) {
	list, fields := e.files("files")
	if len(list) == 0 {
		e.noFile("files")
		return
	}
	var reply object
	for _, f := range list {
		if !e.readable(f) {
			return
		}
		reply = append(reply, field{f.name, f.reply(ingesting)})
	}
	metadata, ok := extra(fields["metadata"])
	if !ok {
		e.fault()
		return
	}
	e.json(http.StatusOK, reply)
	for _, f := range list {
		own, _ := metadata[f.name].(map[string]any)
		c.ingest(e.caller.user, f.name, string(f.content), own)
	}
}

// extra is the metadata that an upload asks for.
func extra(s string) (map[string]any, bool) {
	if s == "" {
		return nil, true
	}
	v, err := decode([]byte(s))
	m, ok := v.(map[string]any)
	return m, err == nil && ok
}

// ingest puts a text into the declarative memory, which everybody shares, and
// tells the uploader's socket.
func (c *Cat) ingest(user, source, text string, metadata map[string]any) {
	c.Notify(user, "I'm parsing the content. Big content could require some minutes...")
	c.Notify(user, "Parsing completed. Now let's go with reading process...")
	all, document := chunks(text), strings.ReplaceAll(newID(), "-", "")
	for i, chunk := range all {
		m := map[string]any{"source": source, "when": c.seconds()}
		maps.Copy(m, metadata)
		if c.options.DocumentsPlugin && !mark(m, user, document, i, len(all), c.seconds()) {
			continue
		}
		c.mu.Lock()
		c.memory.add("declarative", "", chunk, m)
		c.mu.Unlock()
	}
	c.Notify(user, fmt.Sprintf("Finished reading %s, I made %d thoughts on it.", source, len(all)))
}

// uploadURL takes an address. The real Cat goes and fetches it, from wherever it
// stands; this one only remembers that it was asked to.
func (c *Cat) uploadURL(e *exchange) {
	s, ok := e.model()
	if !ok {
		return
	}
	address := s.text("url", true)
	s.only("url", "chunk_size", "chunk_overlap", "metadata")
	if !s.good(e) {
		return
	}
	e.json(http.StatusOK, object{{"url", address}, {"info", "URL is being ingested asynchronously"}})
	c.ingest(e.caller.user, address, "What was found at "+address, nil)
}

// uploadMemory takes a file of memories.
func (c *Cat) uploadMemory(e *exchange) {
	list, _ := e.files("file")
	if len(list) == 0 {
		e.noFile("file")
		return
	}
	f := list[len(list)-1]
	if k := kind(f.name); k != "application/json" {
		e.wrong(http.StatusBadRequest, "MIME type "+k+" not supported. Admitted types: 'application/json'")
		return
	}
	e.json(http.StatusOK, f.reply("Memory is being ingested asynchronously"))
	var saved struct {
		Collections struct {
			Declarative []struct {
				ID       string         `json:"id"`
				Content  string         `json:"page_content"`
				Metadata map[string]any `json:"metadata"`
			} `json:"declarative"`
		} `json:"collections"`
	}
	if json.Unmarshal(f.content, &saved) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range saved.Collections.Declarative {
		c.memory.add("declarative", p.ID, p.Content, p.Metadata)
	}
}

func (c *Cat) allowedMimetypes(e *exchange) {
	e.json(http.StatusOK, object{{"allowed", admitted()}})
}
