package page

import (
	"net/url"
	"strings"
)

// link returns an address that may stand in a link: a path of our own, or an
// absolute address of the web, its host in ASCII. For anything else it returns
// nothing, and the template leaves the link out.
func link(raw string) string {
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return "" // browsers drop some of these and turn others into slashes
	}
	if strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		return raw
	}
	if u, err := url.Parse(raw); err == nil && onTheWeb(u) && u.User == nil && !strings.ContainsFunc(u.Hostname(), notInHost) {
		return raw
	}
	return ""
}

// sources returns those of the origins that can be written in a
// Content-Security-Policy, as origins. Another one would end the directive or
// widen it, so it is left out, and the browser stops the redirect there.
func sources(origins []string) []string {
	var out []string
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || !onTheWeb(u) || strings.ContainsFunc(u.Host, notInHost) {
			continue
		}
		out = append(out, u.Scheme+"://"+u.Host)
	}
	return out
}

func onTheWeb(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
}

// notInHost is all that is in no host-part or port-part of Content Security
// Policy Level 3 §2.3.1; the wildcard, which is, must not come from here.
func notInHost(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' && r != ':'
}
