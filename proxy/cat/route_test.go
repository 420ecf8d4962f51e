package cat

import (
	"net/http"
	"strings"
	"testing"
)

func TestRoute(t *testing.T) {
	c := V1()
	for _, row := range []struct{ method, path, pattern, sent string }{
		{"GET", "/", "GET /", "/"},
		{"HEAD", "/llm/settings", "GET /llm/settings", "/llm/settings"},
		{"GET", "/plugins", "GET /plugins/", "/plugins/"},
		{"GET", "/plugins/", "GET /plugins/", "/plugins/"},
		{"GET", "/llm/settings/", "GET /llm/settings", "/llm/settings"},
		{"GET", "/users/1", "GET /users/{id}", "/users/1"},
		{"GET", "/users/1/", "GET /users/{id}", "/users/1"},
		{"GET", "/plugins/settings", "GET /plugins/settings", "/plugins/settings"},
		{"GET", "/plugins/upload", "GET /plugins/{id}", "/plugins/upload"},
		{"DELETE", "/plugins/settings", "DELETE /plugins/{id}", "/plugins/settings"},
		{"PUT", "/plugins/toggle/x", "PUT /plugins/toggle/{id}", "/plugins/toggle/x"},
		{"POST", "/rabbithole", "POST /rabbithole/", "/rabbithole/"},
		{"GET", "/memory/collections/a b/points", "GET /memory/collections/{collection}/points", "/memory/collections/a b/points"},
		{"GET", "/admin", "GET /admin/", "/admin/"},
		{"GET", "/admin/assets/x.js", "GET /admin/**", "/admin/assets/x.js"},
		{"GET", "/static/a/b.txt", "GET /static/**", "/static/a/b.txt"},
		{"GET", "/static", "GET /static/**", "/static"},
		{"GET", "/staticx", "", ""},
		{"POST", "/static/a", "", ""},
		{"get", "/llm/settings", "", ""},
		{"GET", "/LLM/settings", "", ""},
		{"GET", "/llm/settings;x", "", ""},
		{"GET", "/message", "", ""},
		{"POST", "/memory/conversation_history", "", ""},
		{"OPTIONS", "/message", "", ""},
		{"GET", "/custom/x", "", ""},
		{"GET", "/ws", "", ""},
		{"PUT", "/plugins/toggle/x/y", "", ""},
	} {
		r, ok := c.Route(row.method, row.path)
		if ok != (row.pattern != "") || r.Pattern != row.pattern || r.Path != row.sent {
			t.Errorf("%s %s: %q to %q (%v), want %q to %q", row.method, row.path, r.Pattern, r.Path, ok, row.pattern, row.sent)
		}
	}
}

func TestEveryRouteIsDecided(t *testing.T) {
	routes := V1().Routes()
	if len(routes) != 58 {
		t.Errorf("%d routes", len(routes))
	}
	for _, r := range routes {
		if r.Admin == (r.Needs != None) {
			t.Errorf("%s needs %s and admin is %v", r.Pattern, r.Needs, r.Admin)
		}
		if r.Admin && r.Own {
			t.Errorf("%s is for admin and for base", r.Pattern)
		}
	}
}

func TestChat(t *testing.T) {
	c := V1()
	for path, want := range map[string]bool{
		"/ws": true, "/ws/": true, "/ws/bob": true, "/ws/a b": true, "/ws/a/b": false, "/wsx": false, "/WS": false, "/": false, "/message": false,
	} {
		if r, ok := c.Chat(path); ok != want || ok && r.Needs.String() != "CONVERSATION:WRITE" {
			t.Errorf("%s: %v", path, ok)
		}
	}
}

func TestCheckIdentity(t *testing.T) {
	good := http.Header{"Accept": {"*/*"}}
	SetIdentity(good, "staff:alice")
	if err := CheckIdentity(good, "staff:alice"); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Header{
		"none":            {},
		"canonical":       {"User_id": {"staff:alice"}},
		"beside":          {"user_id": {"staff:alice"}, "User_id": {"admin"}},
		"dash":            {"user_id": {"staff:alice"}, "User-Id": {"admin"}},
		"two values":      {"user_id": {"staff:alice", "admin"}},
		"somebody else":   {"user_id": {"admin"}},
		"no value":        {"user_id": {}},
		"dotted spelling": {"user_id": {"staff:alice"}, "user.ID": {"admin"}},
	} {
		if err := CheckIdentity(h, "staff:alice"); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	empty := http.Header{}
	SetIdentity(empty, "")
	if err := CheckIdentity(empty, ""); err == nil {
		t.Error("the empty id passes")
	}
}

func TestChatURLNeedsNoEscape(t *testing.T) {
	base := mustURL(t, "http://127.0.0.1:1865")
	if got := ChatURL(base, "kc:jos~c3~a9@x", "k&y=1"); got != "ws://127.0.0.1:1865/ws/kc:jos~c3~a9@x?token=k%26y%3D1" {
		t.Error(got)
	}
	if got := ChatURL(mustURL(t, "https://cat"), "a", ""); !strings.HasPrefix(got, "wss://cat/ws/a") || strings.Contains(got, "?") {
		t.Error(got)
	}
}
