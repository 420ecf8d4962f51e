package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// sanitise takes what passes of the client's headers. The handlers are shown the rest of
// them, and the Cat never is. A socket at the Cat has none of them.
func (ex *exchange) sanitise() {
	if ex.socket {
		return
	}
	h := passing(ex.r.Header, ex.h.o.ForwardHeaders)
	if referer := h.Get("Referer"); referer != "" {
		h["Referer"] = []string{withoutQuery(referer)}
	}
	if cookies := forwardCookies(ex.r.Header["Cookie"], ex.h.o.ForwardCookies); cookies != "" {
		h["Cookie"] = []string{cookies}
	}
	ex.passing = h
}

// passing returns the headers that pass, and nothing else of the client's. What it names
// in Connection is hop-by-hop.
func passing(sent http.Header, further []string) http.Header {
	h := make(http.Header, len(sent))
	for name, values := range sent {
		if passes(name, further) {
			h[name] = values
		}
	}
	for _, line := range sent["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	return h
}

// passes reports whether a client's header of this name, as net/http spells it, may
// reach the Cat: what a plugin can plausibly use, and what says nothing about who the
// client is, where it came from, or what it may. further are the operator's.
func passes(name string, further []string) bool {
	switch name {
	case "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language",
		"Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Md5",
		"Content-Range", "Content-Type", "Digest", "Repr-Digest",
		"Cache-Control", "Pragma", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range",
		"Idempotency-Key", "Last-Event-Id", "Prefer", "Priority", "Referer", "User-Agent", "X-Requested-With",
		"Dnt", "Save-Data", "Sec-Gpc", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Upgrade-Insecure-Requests",
		"Traceparent", "Tracestate", "X-Correlation-Id", "X-Request-Id":
		return true
	}
	return slices.Contains(further, name)
}

func withoutQuery(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		return u[:i]
	}
	return u
}

// forwardCookies returns the cookies whose names are listed, as one Cookie value.
// Everything else, Catflap's own and the Cat's credentials above all, stays here;
// a cookie whose name is spelt in any unusual way has no listed name.
func forwardCookies(lines, names []string) string {
	if len(names) == 0 {
		return ""
	}
	var kept []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			name, _, ok := strings.Cut(pair, "=")
			if ok && !cat.CookieCarries(name) && !ownCookie(name) && listed(names, name) {
				kept = append(kept, pair)
			}
		}
	}
	return strings.Join(kept, "; ")
}

// ownCookie reports a cookie of Catflap's own, whichever: the Cat never sees one,
// and never sets one.
func ownCookie(name string) bool { return strings.Contains(strings.ToLower(name), ownWord) }

func listed(names []string, name string) bool {
	return slices.Contains(names, name)
}
