package proxy

import (
	"net/http"
	"strings"
	"testing"
)

// foreignLines are Authorization lines that a front proxy's own sign-in leaves behind,
// and the name that the client is told.
var foreignLines = map[string]string{
	"Basic YWxpY2U6c2VjcmV0":           "Basic",
	"basic YWxpY2U6c2VjcmV0":           "Basic",
	"Negotiate YIIJvwYGKwYBBQUC":       "Negotiate",
	"Negotiate":                        "Negotiate",
	"NTLM TlRMTVNTUAABAAAA":            "NTLM",
	`Digest username="a", realm="b c"`: "Digest",
	"sk-secret and more":               "of another kind",
}

func TestForeignSchemeBesideASession(t *testing.T) {
	for line := range foreignLines {
		l := newDesk(t, nil, &desk{title: "desk"})
		b := l.browser(t)
		b.signIn("alice")
		resp, text := b.send(http.MethodGet, "/memory/conversation_history", "", map[string]string{"Authorization": line, "Sec-Fetch-Site": "same-origin"})
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", line, resp.StatusCode, text)
		}
		if got := l.cat.last(t).Header; got.Get("User_id") != "desk:alice" || got.Get("Authorization") != "Bearer "+labKey {
			t.Errorf("%s: the Cat got %v", line, got)
		}
		resp, _ = b.send(http.MethodGet, "/_catflap/login", "", map[string]string{"Authorization": line})
		if resp.StatusCode >= 400 {
			t.Errorf("%s: the way in is answered %d", line, resp.StatusCode)
		}
	}
}

func TestForeignSchemeAlone(t *testing.T) {
	for line, name := range foreignLines {
		l := newDesk(t, nil, &desk{title: "desk"})
		b := l.browser(t)
		resp, text := b.send(http.MethodGet, "/memory/conversation_history", "", map[string]string{"Authorization": line})
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "Authorization is "+name) || !strings.Contains(text, "login_url") {
			t.Errorf("%s: %d %s", line, resp.StatusCode, text)
		}
		if _, secret, ok := strings.Cut(line, " "); ok && strings.Contains(text+l.record(t, 1).Err.Error(), secret) || strings.Contains(text, "sk-secret") {
			t.Errorf("%s: the credential is told: %s", line, text)
		}
		resp, _ = b.send(http.MethodGet, "/admin/", "", map[string]string{
			"Authorization": line, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none", "Accept": "text/html",
		})
		if resp.StatusCode != http.StatusFound || !strings.HasPrefix(resp.Header.Get("Location"), "/_catflap/login") {
			t.Errorf("%s: a person is answered %d %s", line, resp.StatusCode, resp.Header.Get("Location"))
		}
		if n := l.cat.count(); n != 0 {
			t.Errorf("%s: %d requests reached the Cat", line, n)
		}
		resp, _ = b.send(http.MethodGet, "/custom/public/page", "", map[string]string{"Authorization": line})
		if got := l.cat.last(t).Header; resp.StatusCode != http.StatusOK || got.Get("Authorization") != "" || got.Get("User_id") != "anonymous" {
			t.Errorf("%s: a public endpoint is answered %d, and the Cat got %v", line, resp.StatusCode, got)
		}
	}
}

// A token decides, also beside a foreign credential; a bad one is never passed over.
func TestForeignSchemeBesideAToken(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	for token, want := range map[string]int{"alice": 200, "forged": 401} {
		req := l.request(t, http.MethodGet, "/memory/conversation_history", "", "")
		req.Header["Authorization"] = []string{"Basic YWxpY2U6c2VjcmV0"}
		req.Header["Access_token"] = []string{token}
		if resp, text := l.send(t, req); resp.StatusCode != want {
			t.Errorf("%s: %d %s", token, resp.StatusCode, text)
		}
	}
}
