package standin

import (
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/http"
	"strings"
)

// files are what the Cat serves to anybody. Below admin is a small panel that
// treats its credential as the real one was measured to do.
//
//go:embed files
var files embed.FS

// mounted finds the folder that a path is in, and the name inside it.
func mounted(path string) (folder, name string, ok bool) {
	for _, folder := range []string{"admin", "static", "core-static"} {
		if name, ok := strings.CutPrefix(path, "/"+folder+"/"); ok {
			return folder, name, true
		}
	}
	return "", "", false
}

// read is the content of a file, unless there is none. A path that leaves the
// folder is no path for package fs.
func (c *Cat) read(folder, name string) ([]byte, error) {
	content, err := files.ReadFile("files/" + folder + "/" + name)
	if err != nil && folder == "static" && c.options.Static != nil {
		return fs.ReadFile(c.options.Static, name)
	}
	return content, err
}

// file serves a file of a folder.
func (e *exchange) file(folder, name string) {
	if e.r.Method != http.MethodGet && e.r.Method != http.MethodHead {
		e.detail(http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	content, err := e.cat.read(folder, strings.TrimSuffix(name, "/"))
	if err != nil {
		e.detail(http.StatusNotFound, "Not Found")
		return
	}
	contentType := "text/plain; charset=utf-8"
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "js":
		contentType = "text/javascript; charset=utf-8"
	case "css":
		contentType = "text/css; charset=utf-8"
	case "html":
		contentType = "text/html; charset=utf-8"
	}
	e.w.Header().Set("Accept-Ranges", "bytes")
	sum := fnv.New128a()
	sum.Write(content)
	e.w.Header().Set("Etag", fmt.Sprintf(`"%x"`, sum.Sum(nil)))
	e.write(http.StatusOK, contentType, content)
}

func (c *Cat) adminPage(e *exchange) { e.file("admin", "index.html") }

func (c *Cat) docs(e *exchange) {
	e.write(http.StatusOK, "text/html; charset=utf-8",
		[]byte("<!DOCTYPE html>\n<html><head><title>Cheshire-Cat API</title></head><body>See /openapi.json</body></html>\n"))
}

// openAPI lists the endpoints, without their schemas.
func (c *Cat) openAPI(e *exchange) {
	var paths object
	at := map[string]int{}
	for _, r := range c.table {
		if r.door == byCookie || r.pattern == "/openapi.json" || r.pattern == "/docs" || r.pattern == "/auth/login" {
			continue
		}
		i, ok := at[r.pattern]
		if !ok {
			i = len(paths)
			at[r.pattern] = i
			paths = append(paths, field{r.pattern, object{}})
		}
		verbs, _ := paths[i].value.(object)
		paths[i].value = append(verbs, field{strings.ToLower(r.method), object{
			{"responses", object{{"200", object{{"description", "Successful Response"}}}}},
		}})
	}
	e.json(http.StatusOK, object{
		{"openapi", "3.1.0"},
		{"info", object{{"title", "Cheshire-Cat API (stand-in)"}, {"version", Version}}},
		{"paths", paths},
	})
}
