package session

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// cookies are the names and the attributes of ours. Over https each name begins
// with __Host-, which browsers take from this very host only, and never from a page
// without TLS (RFC 6265bis §4.1.3.2). On this machine's own names plain http is
// allowed; the port is then part of the name, since cookies don't know ports.
type cookies struct {
	session, browser, choice string
	secure                   bool
}

var errPublicURL = errors.New("session: the public URL must be https, or http on localhost or a loopback address")

func newCookies(publicURL string) (cookies, error) {
	u, err := url.Parse(publicURL)
	if err != nil {
		return cookies{}, errPublicURL
	}
	prefix := "catflap"
	switch {
	case u.Scheme == "https" && u.Host != "":
		prefix = "__Host-catflap"
	case u.Scheme == "http" && local(u.Hostname()):
		if u.Port() != "" {
			prefix += "-" + u.Port()
		}
	default:
		return cookies{}, errPublicURL
	}
	return cookies{session: prefix, browser: prefix + "-browser", choice: prefix + "-idp", secure: u.Scheme == "https"}, nil
}

func local(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// set has the browser keep a cookie; a negative age has it dropped, by the very
// attributes that it was set with.
func (c *cookies) set(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// read returns the value of a cookie, and how many different ones there are. A
// second one comes from somebody who can set cookies for a wider domain.
func (c *cookies) read(r *http.Request, name string) (value string, different int) {
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			n, v, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
			if !ok || strings.Trim(n, " \t") != name {
				continue
			}
			v = strings.Trim(strings.Trim(v, " \t"), `"`)
			if different == 0 || v != value {
				different++
			}
			value = v
		}
	}
	return value, different
}

// secretOf reads a cookie of 256 bits.
func (c *cookies) secretOf(r *http.Request, name string) ([]byte, bool) {
	value, n := c.read(r, name)
	if n != 1 {
		return nil, false
	}
	b, err := decode(value)
	return b, err == nil && len(b) == 32
}

// CookieNames are the names of every cookie of ours.
func (m *Manager) CookieNames() []string {
	return []string{m.cookies.session, m.cookies.browser, m.cookies.choice}
}

// HasCookie reports that the request names a session, whether there is one or not.
func (m *Manager) HasCookie(r *http.Request) bool {
	_, n := m.cookies.read(r, m.cookies.session)
	return n > 0
}

// ClearCookie has the browser forget the session.
func (m *Manager) ClearCookie(w http.ResponseWriter) { m.cookies.set(w, m.cookies.session, "", -1) }
