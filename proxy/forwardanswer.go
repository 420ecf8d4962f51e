package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/upstream"
)

// answer makes the Cat's answer fit for the client, and for what stands between:
// its headers pass by a list, its cookies are nobody's credentials, its addresses are
// paths, and what is for one person is kept by no shared cache.
func (ex *exchange) answer(resp *http.Response) error {
	if ex.refusedByCat(resp) {
		return errCatRefuses
	}
	ex.closeAmbiguous() // an answer of 1xx has cleared the head
	ex.demandTLS()
	if ex.body != nil {
		ex.body.settle()
	}
	h := resp.Header
	for name := range h {
		if !answerPasses(name, ex.h.o.AnswerHeaders) {
			delete(h, name)
		}
	}
	dropCookies(h)
	ex.mapAddresses(h)
	if ex.user != nil {
		keepPersonal(h, ex.h.vary)
	}
	ex.setCORS(h)
	if ex.decision.Route.Panel {
		ex.dressPanel(h)
	}
	ex.record.Status = resp.StatusCode
	return nil
}

// answerPasses reports whether a header of the Cat's answer, as net/http spells it,
// may reach the client: what says something about the answer, or holds a browser to
// less than it would do. further are the operator's.
func answerPasses(name string, further []string) bool {
	switch name {
	case "Accept-Ranges", "Allow", "Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
		"Content-Location", "Content-Md5", "Content-Range", "Content-Type", "Date", "Digest", "Link", "Location", "Preference-Applied",
		"Repr-Digest", "Retry-After", "Set-Cookie",
		"Age", "Cache-Control", "Etag", "Expires", "Last-Modified", "Pragma", "Vary",
		"Content-Security-Policy", "Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
		"Permissions-Policy", "Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options", "X-Robots-Tag",
		"Ratelimit", "Ratelimit-Limit", "Ratelimit-Policy", "Ratelimit-Remaining", "Ratelimit-Reset",
		"X-Correlation-Id", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Request-Id":
		return true
	}
	return slices.Contains(further, name)
}

// dropCookies keeps the Cat and its plugins from planting what would be a
// credential here or there.
func dropCookies(h http.Header) {
	kept := slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return !harmlessCookie(line) })
	if len(kept) == 0 {
		delete(h, "Set-Cookie")
		return
	}
	h["Set-Cookie"] = kept
}

// harmlessCookie reports a cookie that has a name, by which nobody is signed in. One
// without a name has its value given back alone, so that it can look like any other;
// a character that is none of a name's is read by each browser in its own way.
func harmlessCookie(line string) bool {
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return false
	}
	pair, _, _ := strings.Cut(line, ";")
	name, _, ok := strings.Cut(pair, "=")
	name = strings.ToLower(strings.Trim(name, " \t"))
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return !tokenChar(r) }) {
		return false
	}
	return !cat.CookieCarries(name) && !ownCookie(name)
}

// mapAddresses makes addresses of a Cat's own paths, so that no browser is ever sent
// to a Cat itself. Other hosts' addresses stay.
func (ex *exchange) mapAddresses(h http.Header) {
	for _, name := range [...]string{"Location", "Content-Location"} {
		if len(h[name]) > 0 {
			text := h.Get(name)
			setOrDrop(h, name, ex.mapAddress(text))
		}
	}
	if links := h["Link"]; links != nil {
		var kept []string
		for _, line := range links {
			if mapped := ex.mapLinks(line); mapped != "" {
				kept = append(kept, mapped)
			}
		}
		setOrDrop(h, "Link", kept...)
	}
}

func setOrDrop(h http.Header, name string, values ...string) {
	if len(values) == 0 || values[0] == "" {
		delete(h, name)
		return
	}
	h[name] = values
}

// mapAddress returns the address as it may be told; empty: not at all.
func (ex *exchange) mapAddress(text string) string {
	at, err := url.Parse(text)
	if err != nil || misread(text) {
		return ""
	}
	if at.Host == "" || !ex.isCat(at) {
		return text
	}
	at.Scheme, at.Host, at.User = "", "", nil
	if at.Path == "" {
		at.Path = "/"
	}
	path := at.String()
	if len(path) > 1 && path[0] == '/' && (path[1] == '/' || path[1] == '\\') {
		return "/" // a path that a browser would read as another host
	}
	return path
}

// misread reports an address whose host browsers find where net/url finds none: they
// take \ for /, and any number of them behind the scheme.
func misread(text string) bool {
	rest, want := text, -1
	if scheme, behind, ok := strings.Cut(text, ":"); ok {
		switch strings.ToLower(scheme) {
		case "http", "https", "ws", "wss", "ftp", "file":
			rest, want = behind, len("//")
		}
	}
	slashes := rest[:len(rest)-len(strings.TrimLeft(rest, `/\`))]
	return strings.Contains(slashes, `\`) || len(slashes) > len("//") || want >= 0 && len(slashes) != want
}

// isCat reports an address at one of the Cats, with or without its port. A Cat behind
// a server that speaks TLS for it writes http where that is https.
func (ex *exchange) isCat(at *url.URL) bool {
	scheme := strings.NewReplacer("wss", "https", "ws", "http").Replace(at.Scheme)
	if scheme == "" {
		scheme = ex.upstream.Base().Scheme
	}
	host := strings.TrimSuffix(at.Hostname(), ".")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	schemes := []string{scheme}
	if at.Port() != "" {
		host += ":" + at.Port()
	} else {
		schemes = []string{"http", "https"}
	}
	return slices.ContainsFunc(schemes, func(scheme string) bool {
		name := strings.ToLower(upstream.Authority(&url.URL{Scheme: scheme, Host: host}))
		return name == ex.upstream.Name() || ex.h.o.Cats.Has(name)
	})
}

// mapLinks maps the targets of a Link (RFC 8288 §3). One whose context is another
// address than the answer's is not told, and neither is one that can't be read.
func (ex *exchange) mapLinks(line string) string {
	if strings.Contains(strings.ToLower(line), "anchor") {
		return ""
	}
	var b strings.Builder
	for {
		before, behind, more := strings.Cut(line, "<")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		target, rest, ok := strings.Cut(behind, ">")
		mapped := ex.mapAddress(strings.TrimSpace(target))
		if !ok || mapped == "" {
			return ""
		}
		b.WriteString("<" + mapped + ">")
		line = rest
	}
}

// RefuseAnswerHeader says why a header of this name is never passed on from the Cat,
// even if an operator lists it; empty means that it may be listed.
func RefuseAnswerHeader(name string) (reason string) {
	if reason := badName(name); reason != "" {
		return reason
	}
	folded := fold(name)
	switch {
	case ofConnection(folded), folded == "server":
		return "belongs to the connection, which ends here"
	case strings.Contains(folded, "cookie"):
		return "would plant what may be a credential; a plugin's cookies pass by Set-Cookie, which needs no list"
	case strings.HasPrefix(folded, "access_control_"), strings.HasPrefix(folded, "timing_allow_"):
		return "is about other origins, which Catflap decides"
	case commandsBrowser(folded):
		return "would have a browser do something for the whole site"
	case commandsProxy(folded):
		return "is a command to a proxy or a cache in front"
	case cat.Carries(folded), strings.Contains(folded, ownWord), strings.Contains(folded, "authenticat"), strings.Contains(folded, "authoriz"):
		return "is about who somebody is, which only Catflap says"
	}
	return ""
}

// commandsBrowser reports a folded name by which an answer rules over more than
// itself.
func commandsBrowser(folded string) bool {
	switch folded {
	case "clear_site_data", "nel", "report_to", "reporting_endpoints", "strict_transport_security", "service_worker_allowed", "refresh",
		"expect_ct", "set_login", "speculation_rules", "supports_loading_mode", "accept_ch", "critical_ch", "origin_agent_cluster",
		"content_security_policy_report_only", "cross_origin_opener_policy_report_only", "cross_origin_embedder_policy_report_only",
		"sourcemap", "x_sourcemap", "document_policy", "origin_trial", "activate_storage_access", "use_as_dictionary",
		"x_dns_prefetch_control", "x_permitted_cross_domain_policies", "x_xss_protection", "permissions_policy_report_only":
		return true
	}
	return hasPrefix(folded, "public_key_pins", "sec_", "attribution_reporting_", "observe_browsing_", "integrity_policy", "delegate_ch")
}

// commandsProxy reports a folded name that servers in front are known to obey.
func commandsProxy(folded string) bool {
	if strings.Contains(folded, "cache_control") || strings.Contains(folded, "sendfile") || strings.Contains(folded, "send_file") ||
		strings.Contains(folded, "forwarded") || strings.Contains(folded, "internal_redirect") {
		return true
	}
	return hasPrefix(folded, "x_accel_", "x_reproxy", "x_litespeed_", "x_lighttpd_", "x_envoy_", "x_ats_", "x_original_", "x_rewrite_", "x_proxy_",
		"x_backend_", "x_cache", "surrogate_", "edge_", "fastly_", "akamai_", "x_akamai_", "cf_", "cdn_", "cloudflare_", "netlify_", "vercel_",
		"x_vercel_", "x_amz_", "x_middleware_", "x_nextjs_", "x_esi", "x_varnish", "x_ttl", "xkey")
}

func hasPrefix(folded string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(folded, p) })
}
