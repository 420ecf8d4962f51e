package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// RefuseCarrierHeader says why no handler may take a credential from a header of this
// name; empty means that one may. Such a header would reach the Cat or the log, or
// belongs to the connection.
func RefuseCarrierHeader(name string) (reason string) {
	if reason := badName(name); reason != "" {
		return reason
	}
	folded := fold(name)
	switch {
	case passes(http.CanonicalHeaderKey(strings.ReplaceAll(folded, "_", "-")), nil):
		return "always reaches the Cat, and can't hold a credential"
	case ofConnection(folded):
		return "belongs to the connection, which ends here"
	case strings.Contains(folded, "cookie"):
		return "holds all cookies; name the one"
	case folded == "origin", strings.HasPrefix(folded, "access_control_"), strings.HasPrefix(folded, "sec_"):
		return "says which page asks, which is judged and logged here"
	case strings.HasPrefix(folded, "x_forwarded_for"), folded == "x_forwarded_host", folded == "x_forwarded_proto":
		return "says where a request came from; see trusted_proxies"
	}
	return ""
}

// RefuseCarrierCookie says why no handler may take a credential from a cookie of this
// name; empty means that one may.
func RefuseCarrierCookie(name string) (reason string) {
	if badName(name) != "" {
		return "is no cookie's name"
	}
	return ""
}

// SameName reports two names of headers or cookies that some server takes for one.
func SameName(a, b string) bool { return fold(a) == fold(b) }

// checkCarriers holds that nothing which a handler reads is passed on to the Cat.
func (o *Options) checkCarriers() error {
	for _, l := range o.Chain.Links() {
		for _, of := range []struct {
			names, passed []string
			refuse        func(string) string
		}{{l.Headers, o.ForwardHeaders, RefuseCarrierHeader}, {l.Cookies, o.ForwardCookies, RefuseCarrierCookie}} {
			for _, name := range of.names {
				if reason := of.refuse(name); reason != "" {
					return fmt.Errorf("proxy: handler %s reads %q, which %s", l.Name, name, reason)
				}
				for _, other := range of.passed {
					if SameName(name, other) {
						return fmt.Errorf("proxy: handler %s reads %q, and %q is to be passed on", l.Name, name, other)
					}
				}
			}
		}
	}
	return nil
}

// carriers prepares what depends on the handlers' own carriers.
func (h *Handler) carriers() {
	vary, allowed := []string{usualCarriers}, append([]string{corsHeaders}, h.o.ForwardHeaders...)
	for _, l := range h.o.Chain.Links() {
		if p, ok := l.Handler.(authhandlers.Presenter); ok {
			h.presenters = append(h.presenters, p)
		}
		for _, name := range l.Headers {
			if name = http.CanonicalHeaderKey(name); !slices.Contains(vary, name) {
				vary, allowed = append(vary, name), append(allowed, name)
			}
		}
	}
	h.vary, h.allowed = strings.Join(vary, ", "), strings.Join(allowed, ", ")
}

// collect reads the credential of the request, wherever it is. Two different ones are
// an error: nobody says which of two people is meant. A ticket stands beside what a
// proxy in front adds to each request; checkCarried holds that both are one person's.
func (ex *exchange) collect() (err error) {
	if ex.credential, ex.foreign, err = readCredential(ex.r, &ex.target, ex.socket, ex.h.o.QueryToken, ex.h.schemes); err != nil {
		return err
	}
	if ex.h.o.SignIn != nil && ex.credential != nil && session.IsDisplayToken(ex.credential.Value) {
		ex.display, ex.credential = ex.credential.Value, nil
	}
	for _, p := range ex.h.presenters {
		c, err := p.Presented(ex.r)
		switch {
		case err != nil:
			return err
		case c == nil:
		case ex.carried == nil:
			ex.carried = c
		case ex.carried.Value != c.Value:
			return errTwoCredentials
		}
	}
	both := ex.carried != nil && ex.credential != nil
	if both && ex.carried.Value != ex.credential.Value && !ex.isTicket() {
		return errTwoCredentials
	}
	return nil
}

// presented reports that the request has a credential, good or bad.
func (ex *exchange) presented() bool { return ex.credential != nil || ex.carried != nil }

func (ex *exchange) isTicket() bool {
	return ex.h.o.Sessions != nil && ex.credential != nil && session.IsTicket(ex.credential.Value)
}

// checkCarried holds that the credential in a handler's own carrier is that of the
// person who is known by something else.
func (ex *exchange) checkCarried() *refusal {
	if ex.carried == nil {
		return nil
	}
	asked := ex.question()
	asked.Credential, asked.Lasting = nil, false
	u, err := ex.h.o.Chain.Authenticate(ex.r.Context(), asked)
	switch {
	case err != nil:
		return refuseAuthentication(err, true)
	case !u.Same(ex.user):
		return badRequest(refusals.BadCredential, errTwoCredentials)
	}
	return nil
}
