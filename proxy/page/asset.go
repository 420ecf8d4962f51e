package page

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// MaxLogo is how many bytes a logo may have.
const MaxLogo = 512 << 10

const svg = "image/svg+xml"

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

// checkLogo refuses what browsers would not show under nosniff, so that it is
// found at the start and not by a person who looks at a broken image.
func checkLogo(logo []byte, mediaType string) error {
	if len(logo) > MaxLogo {
		return fmt.Errorf("page: the logo has %d bytes; at most %d are taken", len(logo), MaxLogo)
	}
	switch mediaType {
	case "image/png", "image/jpeg", "image/webp":
		if found := http.DetectContentType(logo); found != mediaType {
			return fmt.Errorf("page: the logo is said to be %s, and looks like %s", mediaType, found)
		}
	case svg:
		if !bytes.Contains(logo, []byte("<svg")) {
			return fmt.Errorf("page: the logo is said to be %s, and has no <svg> element", svg)
		}
	default:
		return fmt.Errorf("page: a logo of the type %q; png, jpeg, webp and svg+xml of image/ are taken", mediaType)
	}
	return nil
}
