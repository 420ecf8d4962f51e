package e2e

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// TestHandlersOfOneIssuer: people and programs come with tokens of one issuer, and each
// gets what the handler gives that the token is for, and no other.
func TestHandlersOfOneIssuer(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{
		cat:         cat.tap.addr,
		handlerMore: "clients: [web]",
		handlersMore: `- name: robots
  type: jwt
  issuer: ` + issuerName + `
  audiences: [catflap]
  clients: [report]
  keys: {jwks_file: staff.jwks.json}
  permissions: ["PLUGINS:LIST"]
- name: machines
  type: jwt
  issuer: ` + issuerName + `
  audiences: [machines]
  keys: {jwks_file: staff.jwks.json}
  permissions: ["STATUS:READ"]
`,
	})
	token := func(changes map[string]any) string {
		claims := map[string]any{"iss": issuerName, "aud": "catflap", "sub": "alice", "client_id": "web", "exp": time.Now().Add(time.Hour).Unix()}
		maps.Copy(claims, changes)
		return staff.sign(claims)
	}
	forged := func(good string) string {
		at := strings.LastIndexByte(good, '.') + 1
		return good[:at] + strings.Repeat("A", 86)
	}
	report, machine := map[string]any{"client_id": "report"}, map[string]any{"aud": "machines"}
	for _, row := range []struct {
		name, token            string
		chats, plugins, status int
	}{
		{"a person", token(nil), 200, 403, 200},
		{"a program", token(report), 403, 200, 403},
		{"a machine", token(machine), 403, 403, 200},
		{"another client", token(map[string]any{"client_id": "x"}), 401, 401, 401},
		{"another audience", token(map[string]any{"aud": "x"}), 401, 401, 401},
		{"a person, forged", forged(token(nil)), 401, 401, 401},
		{"a program, forged", forged(token(report)), 401, 401, 401},
		{"a program, expired", token(map[string]any{"client_id": "report", "exp": time.Now().Add(-time.Hour).Unix()}), 401, 401, 401},
	} {
		for range 2 { // remembered answers, too
			if got := asked(t, f, row.token); got != row.chats {
				t.Errorf("%s: chat %d, want %d", row.name, got, row.chats)
			}
			if got := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, row.token, "")).status; got != row.plugins {
				t.Errorf("%s: plugins %d, want %d", row.name, got, row.plugins)
			}
			if got := exchange(t, f.addr, "GET", request("GET /", f.addr, row.token, "")).status; got != row.status {
				t.Errorf("%s: status %d, want %d", row.name, got, row.status)
			}
		}
	}
}
