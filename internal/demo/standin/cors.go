package standin

import "net/http"

// preflight answers a browser's question before a cross-origin request: yes, to
// anybody.
func (e *exchange) preflight() bool {
	origin, asked := e.header("Origin")
	method, names := e.header("Access-Control-Request-Method")
	if e.r.Method != http.MethodOptions || !asked || !names {
		return false
	}
	h := e.w.Header()
	h.Set("Vary", "Origin")
	h.Set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
	h.Set("Access-Control-Max-Age", "600")
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Allow-Origin", origin)
	if v, ok := e.header("Access-Control-Request-Headers"); ok {
		h.Set("Access-Control-Allow-Headers", v)
	}
	status, text := http.StatusOK, "OK"
	switch method {
	case "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT":
	default:
		status, text = http.StatusBadRequest, "Disallowed CORS method"
	}
	e.status = status
	h.Set("Content-Type", "text/plain; charset=utf-8")
	e.w.WriteHeader(status)
	e.w.Write([]byte(text))
	return true
}

// crossOrigin adds the headers of a plain reply: everybody may read it, and with
// any cookie in the request the origin is named.
func (e *exchange) crossOrigin() {
	origin, ok := e.header("Origin")
	if !ok || e.cat.options.WithoutCORS || e.w.Header().Get("Access-Control-Allow-Origin") != "" {
		return
	}
	h := e.w.Header()
	h.Set("Access-Control-Allow-Credentials", "true")
	if _, ok := e.header("Cookie"); ok {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Vary", "Origin")
		return
	}
	h.Set("Access-Control-Allow-Origin", "*")
}
