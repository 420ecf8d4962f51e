package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// accounts is somebody's own system, which knows its people by a session.
type accounts struct {
	*httptest.Server
	mu       sync.Mutex
	sessions map[string]string // name by session
	asked    []http.Header
	down     bool
}

func startAccounts(t testing.TB) *accounts {
	t.Helper()
	a := &accounts{sessions: map[string]string{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *accounts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r.Header.Clone())
	session := r.Header.Get("X-Legacy-Session")
	if c, err := r.Cookie("PHPSESSID"); err == nil {
		session = c.Value
	}
	name, ok := a.sessions[session]
	switch {
	case a.down:
		w.WriteHeader(http.StatusBadGateway)
	case !ok:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"user_id":%q,"name":"N","groups":["/%s"]}`, name, name)
	}
}

func (a *accounts) set(session, name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name == "" {
		delete(a.sessions, session)
	} else {
		a.sessions[session] = name
		plant(session)
	}
	return session
}

func (a *accounts) lines() string {
	return fmt.Sprintf(`- name: legacy
  type: webhook
  url: %s/whoami
  send_headers: [X-Legacy-Session]
  send_cookies: [PHPSESSID]
  groups: groups
  cache: 2s
`, a.URL)
}

// TestWebhook: people of somebody's own system come in by what it knows them by, and are
// out when it knows them no more.
func TestWebhook(t *testing.T) {
	t.Parallel()
	a, cat := startAccounts(t), startCat(t)
	f := start(t, config{
		cat: cat.tap.addr, handlersMore: a.lines(), websocket: "linger: 1s",
		permissions: "everyone: [base]\ngrants:\n  - {from: [legacy], groups: [/boss], allow: [admin]}",
	})
	alice, boss := a.set("session-of-alice-0001", "alice"), a.set("session-of-boss-00002", "boss")
	ask := func(what, body string, lines ...string) answer {
		return exchange(t, f.addr, strings.Fields(what)[0], request(what, f.addr, "", body, lines...))
	}
	for _, row := range []struct {
		name   string
		lines  []string
		status int
		id     string
	}{
		{"by a header", []string{"X-Legacy-Session: " + alice}, 200, "legacy:alice"},
		{"by a cookie", []string{"Cookie: a=b; PHPSESSID=" + alice}, 200, "legacy:alice"},
		{"unknown", []string{"X-Legacy-Session: nobodys"}, 401, ""},
		{"another cookie", []string{"Cookie: SESSID=" + alice}, 401, ""},
		{"nothing", nil, 401, ""},
		{"twice", []string{"X-Legacy-Session: " + alice, "X-Legacy-Session: " + boss}, 401, ""},
		{"another site's page, by cookie", []string{"Cookie: PHPSESSID=" + alice, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403, ""},
		{"our own token decides over a cookie", []string{"Cookie: PHPSESSID=" + boss, "Authorization: Bearer " + staff.token("bob")}, 200, idOf("bob")},
		{"a bad token is no guest of the cookie", []string{"Cookie: PHPSESSID=" + boss, "Authorization: Bearer opaque"}, 401, ""},
	} {
		cat.tap.take()
		got := ask("POST /message", `{"text":"hello"}`, row.lines...)
		if got.status != row.status && (row.name != "twice" || got.status != 400) {
			t.Errorf("%s: status %d %s", row.name, got.status, clip(got.body, 200))
		}
		if arrived := cat.tap.take(); row.id == "" {
			none(t, arrived)
		} else {
			exactlyOne(t, arrived, row.id)
		}
	}
	if got := ask("GET /plugins/", "", "X-Legacy-Session: "+boss).status; got != 200 {
		t.Errorf("the boss may not: %d", got)
	}
	if got := ask("GET /plugins/", "", "X-Legacy-Session: "+alice).status; got != 403 {
		t.Errorf("alice may: %d", got)
	}
	t.Run("attacks", func(t *testing.T) { askedRows(t, f, cat, "legacy:alice", "X-Legacy-Session: "+alice) })

	d := websocket.Dialer{HandshakeTimeout: patience}
	c, _, err := d.Dial("ws://"+f.addr+"/ws/user", http.Header{"Cookie": {"PHPSESSID=" + alice}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	expectTurn(t, c, "before", "legacy:alice")
	if _, resp, err := d.Dial("ws://"+f.addr+"/ws", http.Header{"Cookie": {"PHPSESSID=" + alice}, "Origin": {"https://evil.example"}}); err == nil || resp.StatusCode != 403 {
		t.Errorf("another site's page: %v", err)
	}
	a.set(alice, "")
	if e := closed(t, c, patience); !strings.Contains(e.Text, "no longer accepted") {
		t.Errorf("closed with %d %s", e.Code, e.Text)
	}
	a.mu.Lock()
	a.down = true
	for _, h := range a.asked {
		for name := range h {
			switch name {
			case "Accept", "Accept-Encoding", "User-Agent", "X-Legacy-Session":
			case "Cookie":
				if !strings.HasPrefix(h.Get(name), "PHPSESSID=") {
					t.Errorf("the service was shown the cookies %q", h[name])
				}
			default:
				t.Errorf("the service was shown %s", name)
			}
		}
	}
	a.mu.Unlock()
	ask("POST /message", `{"text":"x"}`, "X-Legacy-Session: somebody-new").refusal(t, 503)
	f.await("not ready", func() bool { _, reason := f.readiness(); return strings.Contains(reason, "legacy") })
}
