package proxy

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// plantedToken is what the panel's script finds in its cookie, as Set-Cookie had it.
func plantedToken(t *testing.T, resp *http.Response) (token, line string) {
	t.Helper()
	for _, c := range resp.Cookies() {
		if c.Name == "ccat_user_token" {
			return c.Value, c.Raw
		}
	}
	t.Fatalf("nothing was planted: %v", resp.Header)
	return "", ""
}

func panelLab(t *testing.T) *lab {
	l := newDesk(t, nil, &desk{title: "desk"})
	l.cat.answers(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/admin") && !strings.Contains(r.URL.Path, "assets") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			http.SetCookie(w, &http.Cookie{Name: "ccat_user_token", Value: "the-cats-own"})
		}
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	return l
}

func TestPanel(t *testing.T) {
	l := panelLab(t)
	b := l.browser(t)
	b.signIn("admin")
	resp, _ := b.goTo("/admin/memory")
	token, line := plantedToken(t, resp)
	for _, want := range []string{"Path=/admin", "SameSite=Strict"} {
		if !strings.Contains(line, want) || strings.Contains(line, "HttpOnly") {
			t.Errorf("planted as %s", line)
		}
	}
	if len(resp.Header["Set-Cookie"]) != 1 || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "script-src 'self';") || resp.StatusCode != 200 {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if got := l.cat.last(t).Header.Get("Cookie"); got != "ccat_user_token="+labKey {
		t.Errorf("the Cat's page got the cookie %q", got)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims struct {
		Username    string
		Permissions map[string][]string
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Username != "ADMIN" || len(claims.Permissions["PLUGINS"]) != 5 {
		t.Errorf("%v %s", err, payload)
	}
	// What the panel sends with every call: the token three times over, and "user".
	asPanel := map[string]string{"Authorization": "Bearer " + token, "access_token": token, "user_id": "user", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
	if resp, text := b.send(http.MethodGet, "/plugins", "", asPanel); resp.StatusCode != 200 || l.cat.last(t).Header.Get("user_id") != "desk:admin" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if sent := l.cat.last(t); sent.Header.Get("Authorization") != "Bearer "+labKey || sent.Header.Get("access_token") != "" || sent.URL.Path != "/plugins/" {
		t.Errorf("%s %v", sent.URL, sent.Header)
	}
	// Assets plant nothing.
	if resp, _ := b.goTo("/admin/assets/x.js"); len(resp.Header["Set-Cookie"]) > 0 || resp.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("%v", resp.Header)
	}

	t.Run("worth nothing without the session", func(t *testing.T) {
		stranger := l.browser(t)
		for _, header := range []map[string]string{
			asPanel, {"Authorization": "Bearer " + token}, {"access_token": token},
		} {
			if resp, text := stranger.send(http.MethodGet, "/plugins/", "", header); resp.StatusCode != 401 || !strings.Contains(text, `"detail":{"error"`) {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
		}
		stranger.signIn("admin") // the same person in another browser
		if resp, _ := stranger.send(http.MethodGet, "/plugins/", "", asPanel); resp.StatusCode != 401 {
			t.Errorf("another session's: %d", resp.StatusCode)
		}
		other := l.browser(t)
		other.signIn("bob")
		if resp, _ := other.send(http.MethodGet, "/", "", asPanel); resp.StatusCode != 401 {
			t.Errorf("another person's: %d", resp.StatusCode)
		}
	})
	t.Run("tampered with", func(t *testing.T) {
		parts := strings.Split(token, ".")
		forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"catflap:display","sub":"x"}`)) + "." + parts[2]
		for _, bad := range []string{forged, token + "A", parts[0] + "." + parts[1], parts[0] + "..", parts[0] + "." + parts[1] + "."} {
			if resp, _ := b.send(http.MethodGet, "/plugins/", "", map[string]string{"Authorization": "Bearer " + bad, "Sec-Fetch-Site": "same-origin"}); resp.StatusCode != 401 {
				t.Errorf("%s: %d", bad, resp.StatusCode)
			}
		}
	})
	t.Run("a real token beside it is two credentials", func(t *testing.T) {
		if resp, _ := b.send(http.MethodGet, "/", "", map[string]string{"Authorization": "Bearer admin", "access_token": token}); resp.StatusCode != 400 {
			t.Errorf("%d", resp.StatusCode)
		}
	})
	t.Run("an older one of the same browser", func(t *testing.T) {
		b.signIn("admin")
		if resp, _ := b.send(http.MethodGet, "/plugins/", "", asPanel); resp.StatusCode != 200 {
			t.Errorf("signed in anew: %d", resp.StatusCode)
		}
		b.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
		if resp, _ := b.send(http.MethodGet, "/plugins/", "", asPanel); resp.StatusCode != 401 {
			t.Errorf("signed out: %d", resp.StatusCode)
		}
		b.signIn("admin")
		if resp, _ := b.send(http.MethodGet, "/plugins/", "", asPanel); resp.StatusCode != 200 {
			t.Errorf("out and in again: %d", resp.StatusCode)
		}
		b.signIn("bob")
		if resp, _ := b.send(http.MethodGet, "/", "", asPanel); resp.StatusCode != 401 {
			t.Errorf("somebody else now: %d", resp.StatusCode)
		}
	})
}

func TestPanelLogout(t *testing.T) {
	l := panelLab(t)
	b := l.browser(t)
	b.signIn("admin")
	before := l.cat.count()
	if resp, text := b.goTo("/auth/login"); resp.StatusCode != 200 || !strings.Contains(text, "/_catflap/logout") || b.is() == "" {
		t.Errorf("typed: %d %s", resp.StatusCode, text)
	}
	resp, _ := b.send(http.MethodGet, "/auth/login", "", map[string]string{
		"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html",
	})
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), "https://idp.example/desk/logout?") || b.is() != "" {
		t.Errorf("from the panel: %d %s %q", resp.StatusCode, resp.Header.Get("Location"), b.is())
	}
	for _, path := range []string{"/auth/login", "/auth/token", "/auth/login/"} {
		if resp, text := b.script(http.MethodPost, path, `{"username":"admin","password":"admin"}`); resp.StatusCode != 404 {
			t.Errorf("POST %s: %d %s", path, resp.StatusCode, text)
		}
	}
	if l.cat.count() != before {
		t.Error("the Cat's own login was reached")
	}
}

func TestPanelForSomebodyElse(t *testing.T) {
	l := panelLab(t)
	b := l.browser(t)
	b.signIn("bob")
	resp, text := b.goTo("/admin/")
	if resp.StatusCode != 403 || !strings.Contains(text, "BOB") || !strings.Contains(text, "switch=1") || strings.Contains(text, `"detail"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := b.script(http.MethodGet, "/plugins/", ""); resp.StatusCode != 403 || !json.Valid([]byte(text)) {
		t.Errorf("a program: %d %s", resp.StatusCode, text)
	}
}

// TestThePanelsPictures: the address of an injected picture could carry away what
// stands on the page.
func TestThePanelsPictures(t *testing.T) {
	for _, c := range []struct {
		images []string
		want   string
	}{
		{nil, "img-src 'self' data: blob:;"},
		{[]string{"https://raw.githubusercontent.com"}, "img-src 'self' data: blob: https://raw.githubusercontent.com;"},
	} {
		l := newDesk(t, func(o *Options) { o.PanelImages = c.images }, &desk{title: "desk"})
		b := l.browser(t)
		b.signIn("admin")
		for _, path := range []string{"/admin/", "/admin/memory", "/admin/assets/x.js"} {
			resp, _ := b.goTo(path)
			if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, c.want) || resp.Header.Get("X-Dns-Prefetch-Control") != "off" {
				t.Errorf("%s: %q", path, policy)
			}
		}
	}
}
