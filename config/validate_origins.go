package config

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/origin"
)

func (v *validator) publicURL() {
	if v.c.PublicURL == "" {
		return
	}
	if problem := bareURL(v.c.PublicURL, "http", "https"); problem != "" {
		v.bad("public_url", problem, "write scheme, host and port only, such as https://chat.example.com")
		return
	}
	own, problem, hint := asBrowsersWrite(v.c.PublicURL)
	if problem != "" {
		v.bad("public_url", problem, hint)
		return
	}
	v.c.PublicURL = own // it is compared with what browsers send
}

func (v *validator) hsts() {
	const most = value.Duration(2 * 365 * 24 * time.Hour)
	between(v, "hsts", v.c.HSTS, 0, most)
	if v.c.HSTS > 0 && v.c.TLS == nil && !strings.HasPrefix(v.c.PublicURL, "https://") {
		v.bad("hsts", "browsers do not come by https", "set tls, or public_url: https://... behind a proxy that ends TLS; or remove it")
	}
}

// asBrowsersWrite returns the origin of a bare URL, or says what is wrong with it.
func asBrowsersWrite(text string) (own, problem, hint string) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "is no URL", ""
	}
	own, err = origin.Of(u)
	switch {
	case errors.Is(err, origin.ErrNotASCII):
		hint = "write the host as xn--..., as the address bar of a browser copies it"
	case err != nil:
		hint = "write a name, or an address such as 192.0.2.1 or [2001:db8::1]"
	default:
		return own, "", ""
	}
	return "", err.Error(), hint
}

func (v *validator) origins() {
	first := map[string]bool{}
	for i, text := range v.c.Origins {
		field := item("origins", i)
		message, hint := originProblem(text)
		switch {
		case message != "":
			v.bad(field, message, hint)
		case first[text]:
			v.bad(field, "is written twice", "remove one")
		}
		first[text] = true
	}
}

// originProblem compares with what browsers send (RFC 6454 §6.2): an origin that
// is written otherwise never matches, and one that matches more is a hole.
func originProblem(text string) (message, hint string) {
	const example = "write scheme, host and port exactly as browsers send them, such as https://app.example.com"
	switch {
	case text == "null":
		return "null is the origin of every sandboxed page and local file", "give the page an origin of its own"
	case strings.Contains(text, "*"):
		return "an origin has no wildcard", "list each origin"
	case strings.HasSuffix(text, "/"):
		return "an origin has no path, and no slash at its end", "remove what follows host and port"
	}
	if scheme, is := appOrigin(text); is {
		return appOriginProblem(text, scheme)
	}
	if problem := bareURL(text, "http", "https"); problem != "" {
		return problem, example
	}
	switch written, problem, hint := asBrowsersWrite(text); {
	case problem != "":
		return problem, hint
	case written != text:
		return "browsers send this origin in another spelling", "write " + written
	}
	return "", ""
}
