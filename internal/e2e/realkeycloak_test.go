package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// TestRealKeycloak: the provider that many have signs people in with each algorithm,
// and what it gives to another application is refused.
func TestRealKeycloak(t *testing.T) {
	t.Parallel()
	k, cat := startKeycloak(t), startCat(t)
	f := start(t, k.config(cat.tap.addr))
	for _, row := range []struct {
		name, client, user, sub string
		plugins                 int
	}{
		{"RS256 admin", "catflap", "alice", aliceSub, 200},
		{"ES256", "catflap-es256", "bob", bobSub, 403},
		{"EdDSA", "catflap-eddsa", "alice", aliceSub, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := k.token(row.client, row.user).Access
			cat.tap.take()
			if got := asked(t, f, token); got != 200 {
				t.Fatalf("status %d", got)
			}
			exactlyOne(t, cat.tap.take(), idOf(row.sub))
			if got := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, token, "")).status; got != row.plugins {
				t.Errorf("status %d, want %d", got, row.plugins)
			}
		})
	}
	for _, row := range []struct {
		name  string
		token func() string
	}{
		{"wrong audience", func() string { return k.token("other-app", "alice").Access }},
		{"audience of another client", func() string { return k.token(k.clientID, "alice").Access }},
		{"algorithm that is not listed", func() string { return k.token("catflap-ps256", "alice").Access }},
		{"refresh token", func() string { return k.token("catflap", "alice").Refresh }},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := row.token()
			cat.tap.take()
			exchange(t, f.addr, "POST", message(f.addr, token)).refusal(t, 401)
			none(t, cat.tap.take())
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestKeycloakIsWhatTestsTakeItFor: the controls do at the provider what their names say.
func TestKeycloakIsWhatTestsTakeItFor(t *testing.T) {
	t.Parallel()
	k := startKeycloak(t)
	logouts := make(chan string, 4)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		logouts <- r.FormValue("logout_token")
	}))
	defer receiver.Close()
	k.setBackchannel(receiver.URL)
	user := k.newPerson("cat-users")

	refresh := func(held tokens) (tokens, error) {
		return k.grant(k.clientID, k.clientSecret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held.Refresh}})
	}
	held := k.token(k.clientID, user)
	before := keyID(t, held.Access)
	k.rotateKeys()
	held, err := refresh(held)
	if err != nil {
		t.Fatal(err)
	}
	if after := keyID(t, held.Access); after == before {
		t.Errorf("the key %s signs still", after)
	}
	k.disable(user)
	if _, err := refresh(held); err == nil {
		t.Error("somebody disabled has refreshed")
	}
	k.enable(user)
	k.token(k.clientID, user)
	k.logoutUser(user)
	select {
	case token := <-logouts:
		if claims := claimsOf(t, token); claims["sub"] != k.subject(user) || claims["aud"] != k.clientID || claims["sid"] == nil {
			t.Errorf("logout token: %v", claims)
		}
	case <-time.After(patience):
		t.Error("no logout token came")
	}
}
