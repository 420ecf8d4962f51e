package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAttacksInEachMode sends the tables of attacks, over HTTP and at handshakes, with a
// credential of each kind that stands in a header: nobody else ever reaches the Cat.
func TestAttacksInEachMode(t *testing.T) {
	t.Parallel()
	a, cat := startAccounts(t), startCat(t)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("token") == "opaque-token-of-olga" {
			_, _ = w.Write([]byte(`{"active": true, "sub": "olga", "aud": "cat", "client_id": "shop"}`))
			return
		}
		_, _ = w.Write([]byte(`{"active": false}`))
	}))
	t.Cleanup(provider.Close)
	f := start(t, config{
		cat: cat.tap.addr, permissions: "everyone: [base]",
		handlersMore: "- {name: bots, type: apikey, keys_file: keys.yaml}\n" + a.lines() + `- name: opaque
  type: introspection
  url: ` + provider.URL + `/introspection
  issuer: ` + provider.URL + `
  client_id: catflap
  client_secret: {env: CCAT_API_KEY}
  audiences: [cat]
`,
	})
	plant("opaque-token-of-olga")
	for _, m := range []struct{ id, line string }{
		{"bots:nightly", "Authorization: Bearer " + f.newKey("--owner", "nightly")},
		{"opaque:olga", "Authorization: Bearer opaque-token-of-olga"},
		{"legacy:lena", "X-Legacy-Session: " + a.set("session-of-lena-00003", "lena")},
	} {
		t.Run(strings.ReplaceAll(m.id, ":", "_"), func(t *testing.T) {
			mode{host: f.addr, id: m.id, lines: []string{m.line}, dial: func() *line { return dialQuietly(t, f.addr) }}.attack(t, cat)
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}
