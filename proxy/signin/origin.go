package signin

import (
	"net/http"
	"slices"
	"strings"
)

// Proof says what a browser has proved about the page that sent a request.
type Proof uint8

// The proofs.
const (
	NoProof   Proof = iota // nothing: no browser, or an old one
	SameSite               // a page of our own, or of an origin that is listed
	CrossSite              // a page of somebody else's
)

// Provenance reads which page sent a request (Fetch Metadata, RFC 6454 §7). own is
// our origin, or empty where that is not known; listed are further ones whose pages may act for people. Extensions
// have origins that anybody can install, so theirs prove nothing.
func Provenance(r *http.Request, own string, listed []string) Proof {
	switch origins := r.Header["Origin"]; {
	case len(origins) > 1:
		return CrossSite
	case len(origins) == 1:
		o := origins[0]
		web := strings.HasPrefix(o, "https://") || strings.HasPrefix(o, "http://")
		if own != "" && strings.EqualFold(o, own) || web && slices.Contains(listed, o) {
			return SameSite
		}
		return CrossSite
	}
	switch sites := r.Header["Sec-Fetch-Site"]; {
	case len(sites) == 0:
		return NoProof
	case len(sites) == 1 && sites[0] == "same-origin":
		return SameSite
	case len(sites) == 1 && sites[0] == "none": // typed, or a bookmark
		return NoProof
	}
	return CrossSite
}

// Navigates reports a request by which a person goes to a page, and so can be sent
// on or shown one. Everything else is a program's, which needs an answer that it
// can read. A browser says so itself; of another client only one that asks for
// HTML by name, with nothing in its hands, is taken for one.
func Navigates(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || len(r.Header["Upgrade"]) > 0 || len(r.Header["X-Requested-With"]) > 0 {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		dest := r.Header.Get("Sec-Fetch-Dest")
		return mode == "navigate" && (dest == "" || dest == "document")
	}
	return len(r.Header["Origin"]) == 0 && AcceptsHTML(r)
}

// AcceptsHTML reports a client that asks for HTML by its name.
func AcceptsHTML(r *http.Request) bool {
	for _, line := range r.Header["Accept"] {
		for element := range strings.SplitSeq(line, ",") {
			kind, _, _ := strings.Cut(element, ";")
			if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
				return true
			}
		}
	}
	return false
}
