package standin

import (
	"fmt"
	"net/http"
	"strings"
)

// folder is files that anybody may read.
type folder map[string]string

const adminIndex = `<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>Cheshire Cat admin (stand-in)</title>
<script type="module" src="/admin/assets/app.js"></script></head>
<body><div id="app">The admin panel of the real Cat is here.</div></body></html>
`

// mounted finds the folder that a path is in, and the name inside it.
func mounted(path string) (folder, string, bool) {
	for prefix, f := range map[string]folder{
		"/admin/":       {"index.html": adminIndex, "assets/app.js": "document.title += \" \\u{1F63A}\";\n"},
		"/static/":      {"hello.txt": "hello\n"},
		"/core-static/": {"core.css": "body { font-family: sans-serif }\n"},
	} {
		if name, ok := strings.CutPrefix(path, prefix); ok {
			return f, name, true
		}
	}
	return nil, "", false
}

// file serves a file of a folder.
func (e *exchange) file(f folder, name string) {
	if e.r.Method != http.MethodGet && e.r.Method != http.MethodHead {
		e.detail(http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	content, ok := f[strings.TrimSuffix(name, "/")]
	if !ok {
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
	e.w.Header().Set("Etag", fmt.Sprintf(`"%x"`, len(content)))
	e.write(http.StatusOK, contentType, []byte(content))
}

func (c *Cat) adminPage(e *exchange) {
	e.w.Header().Set("Accept-Ranges", "bytes")
	e.write(http.StatusOK, "text/html; charset=utf-8", []byte(adminIndex))
}

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
