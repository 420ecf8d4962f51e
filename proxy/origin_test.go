package proxy

import (
	"net/http"
	"strings"
	"testing"
)

func TestCORS(t *testing.T) {
	l := newLab(t, nil)
	own := l.front.URL
	for _, c := range []struct {
		name, origin, method string
		preflight            bool
		status               int
		allowed              bool
	}{
		{"preflight, listed", "https://app.example.com", "OPTIONS", true, 204, true},
		{"preflight, an app's", "capacitor://localhost", "OPTIONS", true, 204, true},
		{"preflight, another app's", "tauri://localhost", "OPTIONS", true, 403, false},
		{"preflight, an app's host by another scheme", "https://localhost", "OPTIONS", true, 403, false},
		{"call, an app's", "capacitor://localhost", "POST", false, 200, true},
		{"preflight, our own", own, "OPTIONS", true, 204, true},
		{"preflight, other", "https://evil.example", "OPTIONS", true, 403, false},
		{"preflight, null", "null", "OPTIONS", true, 403, false},
		{"preflight, other port", "https://app.example.com:8443", "OPTIONS", true, 403, false},
		{"preflight, other scheme", "http://app.example.com", "OPTIONS", true, 403, false},
		{"preflight, longer host", "https://app.example.com.evil.example", "OPTIONS", true, 403, false},
		{"call, listed", "https://app.example.com", "POST", false, 200, true},
		{"call, other", "https://evil.example", "POST", false, 200, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := "alice"
			if c.preflight {
				token = ""
			}
			seen := l.cat.count()
			req := l.request(t, c.method, "/message", token, "")
			req.Header.Set("Origin", c.origin)
			if c.preflight {
				req.Header.Set("Access-Control-Request-Method", "POST")
			}
			resp, _ := l.send(t, req)
			if resp.StatusCode != c.status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.status)
			}
			got := resp.Header.Get("Access-Control-Allow-Origin")
			if c.allowed != (got == c.origin) || !c.allowed && got != "" {
				t.Errorf("allowed origin %q", got)
			}
			if resp.Header.Get("Vary") == "" {
				t.Error("no Vary")
			}
			if c.preflight && l.cat.count() != seen {
				t.Error("a preflight reached the Cat")
			}
		})
	}
}

func TestRefusalsCanBeReadByAllowedPages(t *testing.T) {
	l := newLab(t, nil)
	req := l.request(t, "GET", "/users/", "base", "")
	req.Header.Set("Origin", "https://app.example.com")
	if resp, _ := l.send(t, req); resp.StatusCode != http.StatusForbidden || resp.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

// A front proxy says in its own words how a page was reached; the page's socket opens
// all the same, and a page of another origin is refused.
func TestOwnOriginBehindAFrontProxy(t *testing.T) {
	for _, c := range []struct {
		name    string
		h       http.Header
		origin  string
		allowed bool
	}{
		{"Traefik", http.Header{"X-Forwarded-Proto": {"wss"}, "X-Forwarded-Host": {"chat.example"}}, "https://chat.example", true},
		{"Traefik without TLS", http.Header{"X-Forwarded-Proto": {"ws"}, "X-Forwarded-Host": {"chat.example"}}, "http://chat.example", true},
		{"capitals", http.Header{"X-Forwarded-Proto": {"HTTPS"}, "X-Forwarded-Host": {"Chat.Example"}}, "https://chat.example", true},
		{"the scheme's own port", http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"chat.example:443"}}, "https://chat.example", true},
		{"another port", http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"chat.example:8443"}}, "https://chat.example:8443", true},
		{"another port's page", http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"chat.example:8443"}}, "https://chat.example", false},
		{"no scheme", http.Header{"X-Forwarded-Host": {"chat.example"}}, "https://chat.example", false},
		{"another site's page", http.Header{"X-Forwarded-Proto": {"wss"}, "X-Forwarded-Host": {"chat.example"}}, "https://evil.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, func(o *Options) { o.TrustedProxies = prefixes(t, "127.0.0.0/8") })
			req := l.request(t, http.MethodOptions, "/message", "", "")
			req.Header = c.h
			req.Header.Set("Origin", c.origin)
			req.Header.Set("Access-Control-Request-Method", "POST")
			resp, _ := l.send(t, req)
			if got := resp.Header.Get("Access-Control-Allow-Origin") == c.origin; got != c.allowed {
				t.Errorf("%d, allowed: %v", resp.StatusCode, got)
			}
			if c.allowed {
				return
			}
			if err := l.record(t, 1).Err; err == nil || !strings.Contains(err.Error(), `"`+c.origin+`"`) || !strings.Contains(err.Error(), "chat.example") {
				t.Errorf("the log says %v: neither the origin that came nor the expected one", err)
			}
		})
	}
}
