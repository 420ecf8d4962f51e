package e2e

import (
	"net/url"
	"testing"
)

const (
	aliceSub = "a11ce000-0000-4000-8000-000000000001"
	bobSub   = "b0b00000-0000-4000-8000-000000000002"
)

// asked is the status of a chat message with the token.
func asked(t testing.TB, f *flap, token string) int {
	t.Helper()
	return exchange(t, f.addr, "POST", message(f.addr, token)).status
}

// TestRealProvider: people of a certified provider sign in over HTTP and
// WebSocket, with what its access tokens are, and with nothing else it gives out.
func TestRealProvider(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))

	for _, row := range []struct {
		name, client, user, sub string
		plugins                 int // the status of an endpoint that needs more than base
	}{
		{"RS256 admin", "catflap", "alice", aliceSub, 200},
		{"RS256 user", "catflap", "bob", bobSub, 403},
		{"ES256", "catflap-es256", "bob", bobSub, 403},
		{"EdDSA", "catflap-eddsa", "alice", aliceSub, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := idp.signIn(row.client, row.user).Access
			cat.tap.take()
			if got := asked(t, f, token); got != 200 {
				t.Fatalf("status %d", got)
			}
			exactlyOne(t, cat.tap.take(), idOf(row.sub))
			if got := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, token, "")).status; got != row.plugins {
				t.Errorf("status %d, want %d", got, row.plugins)
			}
			c := mustChat(t, f, token)
			expectTurn(t, c, "hello from "+row.name, idOf(row.sub))
		})
	}

	for _, row := range []struct {
		name  string
		token func() string
	}{
		{"wrong audience", func() string { return idp.signIn("other-app", "alice").Access }},
		{"algorithm that is not listed", func() string { return idp.signIn("catflap-ps256", "alice").Access }},
		{"ID token", func() string { return idp.signIn("catflap", "alice").ID }},
		{"opaque token", func() string { return idp.signIn("catflap-opaque", "alice").Access }},
		{"token of another provider", alice},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := row.token()
			cat.tap.take()
			exchange(t, f.addr, "POST", message(f.addr, token)).refusal(t, 401)
			if c, status := openChat(t, f, "/ws", token); c != nil || status != 401 {
				t.Errorf("handshake was answered %d", status)
			}
			none(t, cat.tap.take())
		})
	}

	t.Run("a client without a person is somebody of its own", func(t *testing.T) {
		token := idp.grant("cat-bot", url.Values{"grant_type": {"client_credentials"}, "scope": {"groups"}}).Access
		cat.tap.take()
		if asked(t, f, token) == 200 {
			exactlyOne(t, cat.tap.take(), idOf("cat-bot"))
		}
	})
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}
