package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
)

// corsHeaders are the request headers that the Cat's clients send across origins.
const (
	corsHeaders = "authorization, " + cat.TokenHeader + ", " + cat.UserIDHeader + ", content-type, accept, cache-control, last-event-id"
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsMaxAge  = "600"
)

// maxLoggedOrigin bounds what is logged of a stranger's Origin, in bytes.
const maxLoggedOrigin = 200

// originAllowed reports whether pages of this origin may call: our own, or one
// that is listed exactly. "null" never is.
func (ex *exchange) originAllowed(origin string) bool {
	return slices.Contains(ex.h.o.Origins, origin) || strings.EqualFold(origin, ex.ownOrigin())
}

func (ex *exchange) ownOrigin() string {
	if ex.h.o.PublicURL != "" {
		return ex.h.o.PublicURL
	}
	return ex.peer.origin()
}

// isPreflight reports a CORS preflight (Fetch standard §3.2.2), which browsers
// send without credentials. It never goes to the Cat.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header["Origin"]) == 1 && r.Header.Get("Access-Control-Request-Method") != ""
}

// answerPreflight answers for the Cat; an origin that may not call gets no
// permission, which is all that a browser needs to know.
func (ex *exchange) answerPreflight() *refusal {
	h := ex.w.Header()
	h.Add("Vary", "Origin")
	origin := ex.r.Header.Get("Origin")
	if !ex.originAllowed(origin) {
		return ex.refuseOrigin()
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", ex.h.allowed)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	ex.w.WriteHeader(http.StatusNoContent)
	ex.done(OutcomePage, http.StatusNoContent)
	return nil
}

// refuseOrigin tells the operator which origin came and which would have been good:
// a front proxy that does not pass on the scheme or the host is the usual reason.
func (ex *exchange) refuseOrigin() *refusal {
	return &refusal{
		status: http.StatusForbidden, code: refusals.OriginNotAllowed, rule: "origins",
		public: "This page's origin may not call here", hint: "the operator can list the origin in the configuration",
		err: fmt.Errorf("the page's origin is %q; expected %q", ex.cameFrom(), ex.expectedOrigins()),
	}
}

// cameFrom is the origin of the page that has asked, for the log.
func (ex *exchange) cameFrom() string { return clipped(strings.Join(ex.r.Header["Origin"], ", ")) }

func (ex *exchange) expectedOrigins() []string {
	return append([]string{ex.ownOrigin()}, ex.h.o.Origins...)
}

// clipped is a stranger's text, short enough for a log.
func clipped(text string) string {
	if len(text) > maxLoggedOrigin {
		return text[:maxLoggedOrigin] + "..."
	}
	return text
}

// setCORS replaces whatever the Cat says about origins by our own policy. It is
// set on refusals too, so that the page can read them.
func (ex *exchange) setCORS(h http.Header) {
	origins := ex.r.Header["Origin"]
	if len(origins) == 0 && len(ex.h.o.Origins) == 0 {
		return
	}
	h.Add("Vary", "Origin")
	if len(origins) == 1 && ex.originAllowed(origins[0]) {
		h.Set("Access-Control-Allow-Origin", origins[0])
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", strings.Join(append([]string{"WWW-Authenticate, Retry-After, Content-Disposition"}, ex.h.o.AnswerHeaders...), ", "))
	}
}

// checkSocketOrigin judges the Origin of a handshake (RFC 6455 §10.2): no other
// site's page may open a socket with this person's rights. Clients that are no
// browsers send none.
func (ex *exchange) checkSocketOrigin() *refusal {
	switch origins := ex.r.Header["Origin"]; {
	case len(origins) == 0:
		return nil
	case len(origins) == 1 && ex.originAllowed(origins[0]):
		return nil
	}
	return ex.refuseOrigin()
}
