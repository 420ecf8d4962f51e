package cattest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// endpoint is one of the Cat's and the permission that it needs.
type endpoint struct {
	method, path   string
	resource, verb string
	body           string
}

// endpoints are all that need a credential. An id that is not there does no harm.
func allEndpoints() []endpoint {
	const id = "00000000000040008000000000000000"
	return []endpoint{
		{"GET", "/", "STATUS", "READ", ""},
		{"POST", "/message", "CONVERSATION", "WRITE", text("hello")},
		{"GET", "/memory/conversation_history", "MEMORY", "READ", ""},
		{"DELETE", "/memory/conversation_history", "MEMORY", "DELETE", ""},
		{"GET", "/memory/recall?text=x", "MEMORY", "READ", ""},
		{"POST", "/memory/recall", "MEMORY", "READ", text("x")},
		{"GET", "/memory/collections", "MEMORY", "READ", ""},
		{"DELETE", "/memory/collections", "MEMORY", "DELETE", ""},
		{"DELETE", "/memory/collections/none", "MEMORY", "DELETE", ""},
		{"GET", "/memory/collections/episodic/points", "MEMORY", "READ", ""},
		{"POST", "/memory/collections/none/points", "MEMORY", "WRITE", `{"content":"x"}`},
		{"PUT", "/memory/collections/episodic/points/" + id, "MEMORY", "EDIT", `{"content":"x"}`},
		{"DELETE", "/memory/collections/episodic/points/" + id, "MEMORY", "DELETE", ""},
		{"DELETE", "/memory/collections/episodic/points", "MEMORY", "DELETE", `{"source":"nobody at all"}`},
		{"POST", "/rabbithole/", "UPLOAD", "WRITE", ""},
		{"POST", "/rabbithole/batch", "UPLOAD", "WRITE", ""},
		{"POST", "/rabbithole/web", "UPLOAD", "WRITE", `{}`},
		{"POST", "/rabbithole/memory", "MEMORY", "WRITE", ""},
		{"GET", "/rabbithole/allowed-mimetypes", "UPLOAD", "WRITE", ""},
		{"GET", "/plugins/", "PLUGINS", "LIST", ""},
		{"POST", "/plugins/upload", "PLUGINS", "WRITE", ""},
		{"POST", "/plugins/upload/registry", "PLUGINS", "WRITE", `[]`},
		{"PUT", "/plugins/toggle/none", "PLUGINS", "WRITE", ""},
		{"GET", "/plugins/settings", "PLUGINS", "READ", ""},
		{"GET", "/plugins/settings/none", "PLUGINS", "READ", ""},
		{"PUT", "/plugins/settings/none", "PLUGINS", "EDIT", `{}`},
		{"GET", "/plugins/none", "PLUGINS", "READ", ""},
		{"DELETE", "/plugins/none", "PLUGINS", "DELETE", ""},
		{"GET", "/settings/", "SETTINGS", "LIST", ""},
		{"POST", "/settings/", "SETTINGS", "WRITE", `{}`},
		{"GET", "/settings/none", "SETTINGS", "READ", ""},
		{"PUT", "/settings/none", "SETTINGS", "EDIT", `{}`},
		{"DELETE", "/settings/none", "SETTINGS", "DELETE", ""},
		{"GET", "/llm/settings", "LLM", "LIST", ""},
		{"GET", "/llm/settings/none", "LLM", "READ", ""},
		{"PUT", "/llm/settings/none", "LLM", "EDIT", `{}`},
		{"GET", "/embedder/settings", "EMBEDDER", "LIST", ""},
		{"GET", "/embedder/settings/none", "EMBEDDER", "READ", ""},
		{"PUT", "/embedder/settings/none", "EMBEDDER", "EDIT", `{}`},
		{"GET", "/auth_handler/settings", "AUTH_HANDLER", "LIST", ""},
		{"GET", "/auth_handler/settings/none", "AUTH_HANDLER", "READ", ""},
		{"PUT", "/auth_handler/settings/none", "AUTH_HANDLER", "EDIT", `{}`},
		{"GET", "/users/", "USERS", "LIST", ""},
		{"POST", "/users/", "USERS", "WRITE", `{}`},
		{"GET", "/users/none", "USERS", "READ", ""},
		{"PUT", "/users/none", "USERS", "EDIT", `{}`},
		{"DELETE", "/users/none", "USERS", "DELETE", ""},
		{"GET", "/auth/available-permissions", "USERS", "LIST", ""},
	}
}

// base is what a new account may do.
func base() map[string][]string {
	return map[string][]string{
		"STATUS": {"READ"}, "MEMORY": {"READ", "LIST"}, "STATIC": {"READ"},
		"CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"},
	}
}

func everything() map[string][]string {
	all := map[string][]string{}
	for _, r := range []string{"STATUS", "MEMORY", "CONVERSATION", "SETTINGS", "LLM", "EMBEDDER", "AUTH_HANDLER", "USERS", "UPLOAD", "PLUGINS", "STATIC"} {
		all[r] = []string{"WRITE", "EDIT", "LIST", "READ", "DELETE"}
	}
	return all
}

// endpoints: each is refused without a credential and without its permission, and
// let in with that one permission alone.
func (s *suite) endpoints(t *testing.T) {
	ask := func(t *testing.T, e endpoint, lines []string) answer {
		t.Helper()
		if e.body == "" {
			return s.ask(t, e.method, e.path, lines, "")
		}
		return s.askJSON(t, e.method, e.path, lines, e.body)
	}
	t.Run("without a credential", func(t *testing.T) {
		if s.APIKey == "" {
			t.Skip("the Cat has no API key")
		}
		for _, e := range allEndpoints() {
			t.Run(e.method+" "+e.path, func(t *testing.T) { ask(t, e, nil).refused(t) })
		}
	})
	t.Run("with all other permissions", func(t *testing.T) {
		s.secret(t)
		for _, e := range allEndpoints() {
			t.Run(e.method+" "+e.path, func(t *testing.T) {
				p := everything()
				p[e.resource] = slices.DeleteFunc(p[e.resource], func(v string) bool { return v == e.verb })
				id := s.account(t, s.name("all but one"), p)
				ask(t, e, bearer(s.minted(t, id, s.name("alice")))).refused(t)
			})
		}
	})
	t.Run("with its permission alone", func(t *testing.T) {
		s.secret(t)
		for _, e := range allEndpoints() {
			if e.method == "DELETE" && e.path == "/memory/collections" && !s.MayWipe {
				continue
			}
			t.Run(e.method+" "+e.path, func(t *testing.T) {
				id := s.account(t, s.name("only one"), map[string][]string{e.resource: {e.verb}})
				a := ask(t, e, bearer(s.minted(t, id, s.name("alice"))))
				if a.StatusCode == forbidden || a.StatusCode == http.StatusMethodNotAllowed || a.StatusCode >= fault {
					t.Errorf("%d %s", a.StatusCode, short(a.body))
				}
			})
		}
	})
	t.Run("with the permissions of a new account", func(t *testing.T) {
		s.secret(t)
		id := s.account(t, s.name("new"), nil)
		for _, e := range allEndpoints() {
			t.Run(e.method+" "+e.path, func(t *testing.T) {
				a := ask(t, e, bearer(s.minted(t, id, s.name("alice"))))
				if slices.Contains(base()[e.resource], e.verb) {
					a.want(t, ok)
				} else {
					a.refused(t)
				}
			})
		}
	})
	t.Run("sockets need CONVERSATION WRITE", func(t *testing.T) {
		s.secret(t)
		p := everything()
		p["CONVERSATION"] = []string{"EDIT", "LIST", "READ", "DELETE"}
		id := s.account(t, s.name("mute"), p)
		s.wantSocket(t, "/ws/x?token="+s.minted(t, id, s.name("alice")), false)
	})
	t.Run("accounts", func(t *testing.T) {
		id := s.account(t, s.name("twin"), nil)
		s.askJSON(t, "POST", "/users/", s.key(), fmt.Sprintf(`{"username":%q,"password":"a long password"}`, s.name("twin"))).
			wantBody(t, forbidden, `{"detail":{"error":"Cannot duplicate user"}}`)
		s.ask(t, "GET", "/users/"+id, s.key(), "").wantBody(t, ok, fmt.Sprintf(
			`{"username":%q,"permissions":{"STATUS":["READ"],"MEMORY":["READ","LIST"],"CONVERSATION":["WRITE","EDIT","LIST","READ","DELETE"],"STATIC":["READ"]},"id":%q}`,
			s.name("twin"), id))
		s.ask(t, "GET", "/users/none", s.key(), "").wantBody(t, http.StatusNotFound, `{"detail":{"error":"User not found"}}`)
		s.askJSON(t, "POST", "/users/", s.key(), `{"username":"x","password":"y"}`).want(t, http.StatusBadRequest)
	})
	t.Run("settings", func(t *testing.T) {
		var made struct {
			Setting struct {
				ID string `json:"setting_id"`
			}
		}
		s.askJSON(t, "POST", "/settings/", s.key(), fmt.Sprintf(`{"name":%q,"value":{"a":1}}`, s.name("setting"))).want(t, ok).into(t, &made)
		s.ask(t, "GET", "/settings/"+made.Setting.ID, s.key(), "").want(t, ok)
		s.ask(t, "DELETE", "/settings/"+made.Setting.ID, s.key(), "").wantBody(t, ok, fmt.Sprintf(`{"deleted":%q}`, made.Setting.ID))
		s.ask(t, "GET", "/settings/"+made.Setting.ID, s.key(), "").want(t, http.StatusNotFound)
	})
}

// forgetting: other people's requests make the Cat forget a conversation.
func (s *suite) forgetting(t *testing.T) {
	s.once(t)
	user := s.name("forgotten")
	s.say(t, s.as(user), "do not forget me")
	if len(s.history(t, s.as(user))) != 2 {
		t.Fatal("no history")
	}
	for i := range 130 {
		s.ask(t, "GET", "/", s.as(fmt.Sprintf("%s-%d", s.name("crowd"), i)), "").want(t, ok)
	}
	if h := s.history(t, s.as(user)); len(h) != 0 {
		t.Errorf("history %q", h)
	}
	if !s.MayWipe {
		return
	}
	s.say(t, s.as(user), "remember "+s.tag)
	s.ask(t, "DELETE", "/memory/collections", s.as(s.name("alice")), "").
		wantBody(t, ok, `{"deleted":{"episodic":true,"declarative":true,"procedural":true}}`)
	if got := s.recall(t, "GET", s.as(user), "remember "+s.tag, ""); got["episodic"] != "" {
		t.Errorf("recalled %q", got["episodic"])
	}
}
