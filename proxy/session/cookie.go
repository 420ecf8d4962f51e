package session

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/internal/loopback"
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
	case u.Scheme == "http" && loopback.Host(u.Hostname()):
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

// HasCookie reports whether the request carries a session's cookie, of whatever worth.
func (m *Manager) HasCookie(r *http.Request) bool {
	return len(r.CookiesNamed(m.cookies.session)) > 0
}

// ClearCookie makes the browser forget the session's id.
func (m *Manager) ClearCookie(w http.ResponseWriter) { m.cookies.set(w, m.cookies.session, "", 0) }

// Browser names the browser by a hash of a secret that its cookie holds. A browser
// without one gets it for the time of an attempt, in a cookie of its own name: the tabs
// that begin at once must not overwrite each other's. It is called once for each answer.
func (m *Manager) Browser(w http.ResponseWriter, r *http.Request) string {
	if known := m.KnownBrowser(r); len(known) > 0 {
		return known[0]
	}
	secret := newSecret()
	name := browserName(secret)
	m.cookies.set(w, m.cookies.ofAttempt(name), secret, attemptLife+attemptSkew)
	return name
}

// keepBrowser is Browser for one that is signed in now: it is known for a year.
func (m *Manager) keepBrowser(w http.ResponseWriter, r *http.Request) string {
	secrets := m.browserSecrets(r)
	if len(secrets) == 0 {
		secrets = []string{newSecret()}
	}
	m.cookies.set(w, m.cookies.browser, secrets[0], browserLife)
	for _, secret := range secrets {
		if name := m.cookies.ofAttempt(browserName(secret)); len(r.CookiesNamed(name)) > 0 {
			m.cookies.set(w, name, "", 0)
		}
	}
	return browserName(secrets[0])
}

// KnownBrowser returns the names that the browser's cookies give it: one, or several
// if it came by several tabs at once and has never signed in before.
func (m *Manager) KnownBrowser(r *http.Request) []string {
	names := m.browserSecrets(r)
	for i, secret := range names {
		names[i] = browserName(secret)
	}
	return names
}

// maxBrowsers bounds how many names one browser may have.
const maxBrowsers = 64

// browserSecrets reads the secret that is kept, and only without one those of attempts.
func (m *Manager) browserSecrets(r *http.Request) []string {
	if secret, ok := read(r, m.cookies.browser); ok && isSecret(secret) {
		return []string{secret}
	}
	var secrets []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, m.cookies.browser+"-") && isSecret(c.Value) &&
			c.Name == m.cookies.ofAttempt(browserName(c.Value)) && len(secrets) < maxBrowsers {
			secrets = append(secrets, c.Value)
		}
	}
	slices.Sort(secrets) // the same one is the first in every tab
	return slices.Compact(secrets)
}

// ofAttempt is the cookie of a browser that has not signed in yet.
func (c *cookies) ofAttempt(browser string) string { return c.browser + "-" + browser[:8] }

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
