package config

import (
	"regexp"
	"slices"
	"strings"
)

// appScheme is the form of a scheme (RFC 3986 §3.1), as browsers send it.
var appScheme = regexp.MustCompile(`\A[a-z][a-z0-9+.-]*\z`)

// appOrigin reports whether an origin is that of a packaged app or an extension:
// capacitor://localhost, tauri://localhost, app://obsidian.md. Each framework, and
// each app that registers a scheme of its own, has another one.
func appOrigin(text string) (scheme string, is bool) {
	scheme, _, ok := strings.Cut(text, "://")
	return scheme, ok && appScheme.MatchString(scheme) && !slices.Contains([]string{
		"http", "https", // the web's
		"file", "data", "blob", "filesystem", "about", "javascript", // no page of these has an origin of its own
		"ftp", "ws", "wss",
	}, scheme)
}

// appOriginProblem is originProblem for those: browsers change nothing of their host.
func appOriginProblem(text, scheme string) (message, hint string) {
	const example = "write it exactly as the app sends it, such as capacitor://localhost"
	if problem := bareURL(text, scheme); problem != "" {
		return problem, example
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) {
		return "browsers send hosts in their ASCII form", example
	}
	return "", ""
}
