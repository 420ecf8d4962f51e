package demo

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
)

//go:embed page
var pageFiles embed.FS

// site serves the demo's own origin: the chat page, tokens and keys. It refuses
// every other Host, so that no other site's name can be pointed at it.
func site(i *issuer, host, catflapURL string) (http.Handler, error) {
	page, err := template.ParseFS(pageFiles, "page/index.html")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /token/{name}", i.serveToken)
	mux.HandleFunc("GET /jwks", i.serveKeys)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf(
			"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' %s ws%s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			catflapURL, catflapURL[len("http"):]))
		_ = page.Execute(w, map[string]any{"Catflap": catflapURL, "People": []string{people[0].name, people[1].name}})
	})
	for _, name := range []string{"chat.js", "chat.css"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			http.Error(w, "the demo is at http://"+host, http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	}), nil
}
