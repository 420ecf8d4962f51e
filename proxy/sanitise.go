package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// maxHeaderName bounds the names that are looked at. No header that the Cat or a
// browser knows is longer; a longer one is not forwarded.
const maxHeaderName = 64

// strip removes from the outgoing headers everything by which a client could be
// somebody, or could have come from somewhere: in each spelling that any server
// folds to the same name.
func strip(h http.Header) {
	for name := range h {
		if !passes(name) {
			delete(h, name)
		}
	}
}

// passes reports whether a client's header may reach the Cat.
func passes(name string) bool {
	switch name { // the frequent ones, without folding
	case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
		"Content-Length", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
		"Pragma", "Priority", "Range", "Referer", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User",
		"Traceparent", "Tracestate", "User-Agent":
		return true
	case "Cookie", "Expect", "Early-Data", "Upgrade", "Connection", "Te", "Trailer", "Via", "Origin":
		return false
	}
	if len(name) > maxHeaderName {
		return false
	}
	var buf [maxHeaderName]byte
	return !claims(fold(buf[:0], name))
}

// fold lower-cases a name and turns every character outside a-z and 0-9 into _,
// which is the loosest reading that a server is known to have.
func fold(buf []byte, name string) string {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			c = '_'
		}
		buf = append(buf, c)
	}
	return string(buf)
}

// claims reports whether a folded name says who the client is, where it came
// from, what it asked for, or that it may: to the Cat, to a plugin of it, or to
// any proxy between.
func claims(folded string) bool {
	if cat.Carries(folded) {
		return true
	}
	switch folded {
	case "x_real_ip", "x_client_ip", "x_cluster_client_ip", "true_client_ip", "cf_connecting_ip", "client_ip", "front_end_https",
		"x_http_method", "x_http_method_override", "x_method_override", "x_rewrite_url", "x_host", "x_url_scheme", "x_scheme",
		"remote_user", "remote_email", "remote_groups", "remote_name", "x_remote_user", "x_user", "x_username", "x_email", "x_groups", "x_roles",
		"content_length", "transfer_encoding", "host", // twins of the real ones, which never come by here
		"cookie2", "keep_alive", "te", "upgrade", "connection", "http2_settings":
		return true
	}
	for _, prefix := range [...]string{
		"x_catflap_", "x_original_", "x_auth_", "x_authenticated_", "x_webauth_", "x_remote_", "x_ssl_", "ssl_client_", "x_client_cert",
		"x_pomerium_", "x_goog_authenticated_", "x_ms_client_principal", "x_amzn_oidc_", "x_jwt_", "proxy_", "sec_websocket_", "cf_access_",
	} {
		if strings.HasPrefix(folded, prefix) {
			return true
		}
	}
	return strings.Contains(folded, "forwarded") || strings.Contains(folded, "impersonate")
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
func ownCookie(name string) bool { return strings.Contains(strings.ToLower(name), "catflap") }

func listed(names []string, name string) bool {
	return slices.Contains(names, name)
}
