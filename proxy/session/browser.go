package session

import (
	"crypto/sha256"
	"net/http"
	"regexp"
	"time"
)

// How long a browser is known by its name, and its choice remembered.
const browserLife = 365 * 24 * time.Hour

// Browser names the browser, and gives it a secret of its own if it has none: what
// is begun in one browser can't be finished in another.
func (m *Manager) Browser(w http.ResponseWriter, r *http.Request) string {
	if name, ok := m.KnownBrowser(r); ok {
		return name
	}
	own := secret()
	m.cookies.set(w, m.cookies.browser, encode(own), int(browserLife.Seconds()))
	return browserName(own)
}

// KnownBrowser names the browser if it has been given a secret.
func (m *Manager) KnownBrowser(r *http.Request) (string, bool) {
	own, ok := m.cookies.secretOf(r, m.cookies.browser)
	if !ok {
		return "", false
	}
	return browserName(own), true
}

func browserName(own []byte) string {
	sum := sha256.Sum256(append([]byte("catflap browser "), own...))
	return encode(sum[:])
}

var choiceForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,30}\z`)

// Choice is the handler through which somebody signed in last in this browser.
func (m *Manager) Choice(r *http.Request) string {
	if value, n := m.cookies.read(r, m.cookies.choice); n == 1 && choiceForm.MatchString(value) {
		return value
	}
	return ""
}

// RememberChoice keeps it.
func (m *Manager) RememberChoice(w http.ResponseWriter, handler string) {
	m.cookies.set(w, m.cookies.choice, handler, int(browserLife.Seconds()))
}

// Whoever is sent to the provider more often than that within loopTime goes in
// circles.
const (
	loopTries = 5
	loopTime  = time.Minute
)

// Loops notes that a browser was sent to the provider without anybody having asked
// for it, and reports whether that goes in circles.
func (m *Manager) Loops(browser string) bool {
	m.loopsMu.Lock()
	defer m.loopsMu.Unlock()
	now := m.o.Now()
	seen, _ := m.loops.Get(browser)
	recent := make([]time.Time, 0, loopTries+1)
	for _, t := range seen {
		if now.Sub(t) < loopTime {
			recent = append(recent, t)
		}
	}
	if len(recent) >= loopTries {
		m.loops.Add(browser, recent)
		return true
	}
	m.loops.Add(browser, append(recent, now))
	return false
}
