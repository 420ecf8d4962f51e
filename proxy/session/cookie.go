package session

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// browserLife is how long a browser is known by its cookie.
const browserLife = 365 * 24 * time.Hour

// cookies are the names and attributes that follow from the public URL.
type cookies struct {
	session, browser, choice string
	secure                   bool
}

// newCookies takes https, where the __Host- prefix keeps other hosts, other paths and
// plain HTTP from setting a cookie of ours (RFC 6265bis §4.1.3.2), and plain http on
// this machine alone. Cookies know no ports, so there the port is in the name: two
// Catflaps side by side keep apart.
func newCookies(public string) (*cookies, error) {
	u, err := url.Parse(public)
	if err != nil || u.Host == "" {
		return nil, errors.New("session: the public URL must be absolute")
	}
	switch {
	case u.Scheme == "https":
		return named("__Host-catflap", true), nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		port := u.Port()
		if port == "" {
			port = "80"
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("session: the public URL has no valid port")
		}
		return named("catflap-"+port, false), nil
	default:
		return nil, errors.New("session: the public URL must be https, or http on this machine: cookies need that")
	}
}

func named(name string, secure bool) *cookies {
	return &cookies{session: name, browser: name + "-browser", choice: name + "-choice", secure: secure}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// read returns the one value of a cookie. Two different ones are none: one may be
// planted, and which of them is ours can't be told (RFC 6265 §8.6).
func read(r *http.Request, name string) (string, bool) {
	value, found := "", false
	for _, c := range r.CookiesNamed(name) {
		if found && c.Value != value {
			return "", false
		}
		value, found = c.Value, true
	}
	return value, found
}

// set writes a cookie. Every one of ours has the same attributes, so that what clears
// it means the same cookie.
func (c *cookies) set(w http.ResponseWriter, name, value string, life time.Duration) {
	age := -1
	if seconds := int(life / time.Second); seconds > 0 {
		age = seconds
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // without Secure on http of this machine alone; see newCookies
		Name: name, Value: value, Path: "/", MaxAge: age,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// CookieNames returns the names of all our cookies: they are for us alone, and the
// proxy sends none of them on.
func (m *Manager) CookieNames() []string {
	return []string{m.cookies.session, m.cookies.browser, m.cookies.choice}
}

// HasCookie reports whether the request carries a session's cookie, of whatever worth.
func (m *Manager) HasCookie(r *http.Request) bool {
	return len(r.CookiesNamed(m.cookies.session)) > 0
}

// ClearCookie makes the browser forget the session's id.
func (m *Manager) ClearCookie(w http.ResponseWriter) { m.cookies.set(w, m.cookies.session, "", 0) }

// Browser names the browser by a hash of a secret that its cookie holds; a browser
// without one gets it. It is called once for each answer.
func (m *Manager) Browser(w http.ResponseWriter, r *http.Request) string {
	if name, ok := m.KnownBrowser(r); ok {
		return name
	}
	secret := newSecret()
	m.cookies.set(w, m.cookies.browser, secret, browserLife)
	return browserName(secret)
}

// KnownBrowser names the browser if its cookie does.
func (m *Manager) KnownBrowser(r *http.Request) (string, bool) {
	secret, ok := read(r, m.cookies.browser)
	if !ok || !isSecret(secret) {
		return "", false
	}
	return browserName(secret), true
}

func browserName(secret string) string { return hash("browser", secret) }

// Choice returns the name of the handler by which this browser signed in last, or "".
// The browser may say anything: the caller looks whether there is such a handler.
func (m *Manager) Choice(r *http.Request) string {
	name, _ := read(r, m.cookies.choice)
	if !handlerName(name) {
		return ""
	}
	return name
}

// RememberChoice keeps the name of the handler in the browser for a year.
func (m *Manager) RememberChoice(w http.ResponseWriter, handler string) {
	if handlerName(handler) {
		m.cookies.set(w, m.cookies.choice, handler, browserLife)
	}
}

func handlerName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 31
}
