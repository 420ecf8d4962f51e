package issuer

import (
	"net/http"
	"strconv"
)

// SetFault makes something else answer for the key set; nil heals it.
func (i *Issuer) SetFault(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fault = answer
}

// Hang never answers, until the client leaves or the issuer is closed.
func (i *Issuer) Hang() http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-i.closing:
		}
	}
}

// Status answers with a status and nothing else.
func Status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// Body answers 200 with any content.
func Body(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

// RedirectTo sends the client elsewhere.
func RedirectTo(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
}
