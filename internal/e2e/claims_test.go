package e2e

import (
	"crypto/rand"
	"maps"
	"strings"
	"testing"
	"time"
)

// TestClaimsAsProvidersWriteThem: roles as the names of an object grant what they are
// to grant, and one person at two issuers of one provider has one id at the Cat.
func TestClaimsAsProvidersWriteThem(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	const v1, v2 = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/", "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
	f := start(t, config{
		cat: cat.tap.addr, handlers: `- name: entra
  type: jwt
  issuer: ` + v2 + `
  audiences: [catflap]
  keys: {jwks_file: staff.jwks.json}
  user_id: oid
  groups: ["urn:zitadel:iam:org:project:roles", memberOf, role]
  groups_separator: comma
  groups_object: keys
- name: entra-v1
  alias: entra
  type: jwt
  issuer: ` + v1 + `
  audiences: [catflap]
  keys: {jwks_file: staff.jwks.json}
  user_id: oid
  same_people_as: ` + v2 + `
`,
		permissions: "everyone: [base]\ngrants:\n  - {from: [entra], groups: [plugins], allow: [\"PLUGINS:LIST\"]}",
	})
	token := func(issuer, oid string, more map[string]any) string {
		claims := map[string]any{"iss": issuer, "aud": "catflap", "sub": rand.Text(), "oid": oid, "exp": time.Now().Add(time.Hour).Unix(), "jti": rand.Text()}
		maps.Copy(claims, more)
		return staff.sign(claims)
	}
	for name, row := range map[string]struct {
		token   string
		id      string
		plugins int
	}{
		"no groups":         {token(v2, "alice", nil), "entra:alice", 403},
		"an object":         {token(v2, "alice", map[string]any{"urn:zitadel:iam:org:project:roles": map[string]any{"plugins": map[string]string{"1": "x"}}}), "entra:alice", 200},
		"a comma list":      {token(v2, "alice", map[string]any{"memberOf": "a, plugins"}), "entra:alice", 200},
		"one text":          {token(v2, "alice", map[string]any{"role": "plugins"}), "entra:alice", 200},
		"a role taken away": {token(v2, "alice", map[string]any{"urn:zitadel:iam:org:project:roles": map[string]any{"plugins": false}}), "entra:alice", 403},
		"words":             {token(v2, "alice", map[string]any{"memberOf": "a plugins"}), "entra:alice", 403},
		"the other issuer":  {token(v1, "alice", map[string]any{"role": "plugins"}), "entra:alice", 403},
		"somebody else":     {token(v1, "bob", nil), "entra:bob", 403},
	} {
		cat.tap.take()
		if got := exchange(t, f.addr, "GET", request("GET /", f.addr, row.token, "")); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, clip(got.body, 200))
			continue
		}
		exactlyOne(t, cat.tap.take(), row.id)
		if got := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, row.token, "")).status; got != row.plugins {
			t.Errorf("%s: plugins %d, want %d", name, got, row.plugins)
		}
	}
	third := token(strings.Replace(v1, "1111-", "2222-", 1), "alice", nil)
	if got := exchange(t, f.addr, "GET", request("GET /", f.addr, third, "")).status; got != 401 {
		t.Errorf("another tenant: %d", got)
	}
}
