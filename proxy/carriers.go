package proxy

import (
	"fmt"
	"net/http"
	"strings"
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
