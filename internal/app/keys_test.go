package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/builtin"
)

// TestTicketsComeBeforeSessions: a reload brings tickets with API keys, and the next one
// sessions with a provider; each works then, and nothing needs a restart.
func TestTicketsComeBeforeSessions(t *testing.T) {
	f := startFlap(t, "")
	expect := func(what, method, path string, want int) {
		t.Helper()
		if status, body := ask(t, plain(), method, "http://"+f.public+path, http.Header{"Accept": {"text/html"}}); status != want {
			t.Errorf("%s: %d, want %d: %s", what, status, want, body)
		}
	}
	reload := func() {
		t.Helper()
		if status, body := f.adminAsk(t, "POST", "/-/reload", nil); status != 200 {
			t.Fatalf("reload: %d %s", status, body)
		}
	}
	expect("no tickets yet", "POST", "/_catflap/ticket", 404)
	f.change(t, "handlers:", "handlers:\n  - {name: bots, type: apikey, keys_file: keys.yaml}")
	reload()
	expect("a ticket needs a credential", "POST", "/_catflap/ticket", 401)
	expect("nobody signs in", "GET", "/_catflap/login", 404)
	if !strings.Contains(f.log.String(), "keys.yaml is not there") {
		t.Error("the log does not warn of a missing file")
	}
	f.change(t, "handlers:", "public_url: http://localhost:8080\nhandlers:\n  - {name: desk, type: oidc, issuer: \"http://127.0.0.1:1\", client_id: catflap}")
	reload()
	if status, body := ask(t, plain(), "GET", "http://"+f.public+"/_catflap/session", nil); status != 200 || !strings.Contains(body, "login_url") {
		t.Errorf("people can't sign in: %d %s", status, body)
	}
	expect("a ticket needs a credential", "POST", "/_catflap/ticket", 401)
	f.change(t, "public_url: http://localhost:8080", "public_url: http://localhost:8081")
	if status, body := f.adminAsk(t, "POST", "/-/reload", nil); status != 409 || !strings.Contains(body, "public_url") {
		t.Errorf("another public_url: %d %s", status, body)
	}
}

// TestKeysWithUnknownPermissions: a key whose permissions nobody knows is worth a
// warning, and what keys may do counts for the accounts at the Cat.
func TestKeysWithUnknownPermissions(t *testing.T) {
	f := startFlap(t, "")
	f.write(t, "keys.yaml", `version: 1
keys:
  - {id: aaaaaaaa, owner: a, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, permissions: [nobody-knows]}
  - {id: bbbbbbbb, owner: b, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, permissions: ["LLM:READ"]}
  - {id: cccccccc, owner: c, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, permissions: ["EMBEDDER:READ"], revoked: 2026-01-01T00:00:00Z}
`)
	f.change(t, "handlers:", "handlers:\n  - {name: bots, type: apikey, keys_file: keys.yaml}")
	c, warnings, err := Load(f.dir+"/catflap.yaml", builtin.Registry())
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, w := range warnings {
		said.WriteString(w.String() + "\n")
	}
	if text := said.String(); !strings.Contains(text, "the API key aaaaaaaa of bots may do nothing") || strings.Contains(text, "bbbbbbbb") {
		t.Errorf("%s", text)
	}
	holdings, err := Holdings(c)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range holdings {
		names = append(names, h.Names()...)
	}
	if all := strings.Join(names, " "); !strings.Contains(all, "LLM:READ") || strings.Contains(all, "EMBEDDER") {
		t.Errorf("the accounts are for %s", all)
	}
}
