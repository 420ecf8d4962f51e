package proxy

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/signin"
)

// checkAmbient keeps other sites' pages from acting with what a browser sends by
// itself. Programs send nothing of a page, and pass.
func (ex *exchange) checkAmbient(asked *authhandlers.Request) *refusal {
	for _, l := range ex.h.o.Chain.Links() {
		if l.Name == ex.user.Handler && !authhandlers.IsAmbient(l.Handler, asked) {
			return nil
		}
	}
	proof := signin.Provenance(ex.r, ex.h.o.PublicURL, ex.h.o.Origins)
	switch {
	case proof == signin.SameSite && len(ex.r.Header["Origin"]) == 1:
		return nil
	case !ex.ownName() && (proof == signin.SameSite || ex.h.o.PublicURL != ""):
		// Of the same origin as whatever name leads here, which may be a stranger's.
	case proof != signin.CrossSite:
		return nil
	case !ex.socket && signin.Navigates(ex.r) && ex.ownName():
		return nil // somebody follows a link
	}
	return ex.refuseProvenance()
}

// ownName reports a request by a name that can't be a stranger's: that of public_url,
// an IP address, or localhost.
func (ex *exchange) ownName() bool {
	name := hostname(ex.peer.host)
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || strings.EqualFold(name, "localhost") {
		return true
	}
	return ex.h.publicHost != "" && strings.EqualFold(name, hostname(ex.h.publicHost))
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// refuseProvenance tells the operator where the request came from, as the browser says.
func (ex *exchange) refuseProvenance() *refusal {
	return &refusal{
		err: fmt.Errorf("it came from the origin %q, by the name %q, with Sec-Fetch-Site %q; expected %q", ex.cameFrom(), ex.peer.host,
			clipped(strings.Join(ex.r.Header["Sec-Fetch-Site"], ", ")), ex.expectedOrigins()),
		status: http.StatusForbidden, code: refusals.CrossSiteRequest, public: "This page may not act for you here", rule: "origins",
		hint: "send the request from a page of this site, or with a token instead of what the browser sends by itself",
	}
}
