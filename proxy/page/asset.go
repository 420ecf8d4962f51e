package page

import (
	"bytes"
	"net/http"
	"time"
)

// asset is something that pages load. It holds nothing secret.
type asset struct {
	name, mediaType string
	content         []byte
	version         string // changes with the content
}

// Mount serves what the pages load: the style sheet and the logo, to anybody.
func (p *Pages) Mount(mux *http.ServeMux) {
	for _, a := range p.assets {
		mux.Handle("GET "+p.site.Prefix+a.name, a)
	}
}

// ServeHTTP sends the asset.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	// An SVG opened by itself is a document in our origin: it may style itself, and
	// nothing else.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("Etag", `"`+a.version+`"`)
	// Another Catflap of the same name may be of another version: only the content
	// that was asked for is kept without asking again.
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
}
