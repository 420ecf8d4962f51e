package e2e

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// revoke ends a token at the provider (RFC 7009).
func (p *provider) revoke(client, token string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.issuer()+"/token/revocation", strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(client, client+"-secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
}

// TestIntrospection: opaque tokens of a certified provider, however people and programs
// have got them, let in until they are revoked, and nothing else of the provider's does.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, config{
		cat: cat.tap.addr, permissions: opaquePermissions, websocket: "linger: 1s",
		env: []string{"OPAQUE_SECRET=catflap-opaque-secret"},
		handlersMore: opaqueLines(idp.issuer(), idp.issuer()+"/token/introspection", "catflap-opaque", "OPAQUE_SECRET",
			"audiences: [catflap-opaque]\nrequire_token_type: true"),
	})
	id := "opaque:" + aliceSub
	token := idp.signIn("catflap-opaque", "alice").Access
	if strings.Count(token, ".") > 0 {
		t.Fatal("the token is not opaque")
	}
	t.Run("a person", func(t *testing.T) {
		if got := asked(t, f, token); got != 200 {
			t.Fatalf("status %d", got)
		}
		exactlyOne(t, cat.tap.take(), id)
		if got := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, token, "")).status; got != 200 {
			t.Errorf("an administrator's: %d", got)
		}
		if got := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, idp.signIn("catflap-opaque", "bob").Access, "")).status; got != 403 {
			t.Errorf("somebody else's: %d", got)
		}
	})
	t.Run("by the code flow", func(t *testing.T) {
		a := startApplication(t, idp, "catflap-opaque")
		shows(t, signInAt(t, idp, newClient(t), a.url, "carol"), "")
		plant(a.access)
		cat.tap.take()
		if got := asked(t, f, a.access); got != 200 {
			t.Fatalf("status %d", got)
		}
		if len(cat.tap.take()) != 1 {
			t.Error("it did not arrive once")
		}
	})
	for _, row := range []struct{ name, token string }{
		{"refresh token", idp.signIn("catflap-opaque", "alice").Refresh},
		{"signed token", idp.signIn("catflap", "alice").Access},
		{"ID token", idp.signIn("catflap-opaque", "alice").ID},
		{"of a program, without a person", idp.grant("cat-bot", url.Values{"grant_type": {"client_credentials"}, "resource": {"urn:cat:opaque"}}).Access},
		{"made up", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{"an API key", "catflap_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	} {
		cat.tap.take()
		exchange(t, f.addr, "POST", message(f.addr, row.token)).refusal(t, 401)
		if c, status := openChat(t, f, "/ws", row.token); c != nil || status != 401 {
			t.Errorf("%s: the handshake was answered %d", row.name, status)
		}
		none(t, cat.tap.take())
	}
	t.Run("attacks", func(t *testing.T) {
		askedRows(t, f, cat, "opaque:"+bobSub, "Authorization: Bearer "+idp.signIn("catflap-opaque", "bob").Access)
	})
	t.Run("revoked", func(t *testing.T) {
		other := idp.signIn("catflap-opaque", "alice").Access
		c, stays := mustChat(t, f, token), mustChat(t, f, other)
		expectTurn(t, c, "before", id)
		for s, err := hear(stays); s.Type != "chat"; s, err = hear(stays) { // people share their chat
			if err != nil {
				t.Fatal(err)
			}
		}
		idp.revoke("catflap-opaque", token)
		if e := closed(t, c, patience); !strings.Contains(e.Text, "no longer accepted") {
			t.Errorf("closed with %d %s", e.Code, e.Text)
		}
		if got := asked(t, f, token); got != 401 {
			t.Errorf("status %d", got)
		}
		expectTurn(t, stays, "after", id)
	})
}

// TestIntrospectionOfPrograms: the client credentials grant, where the client is meant.
func TestIntrospectionOfPrograms(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, config{
		cat: cat.tap.addr, permissions: opaquePermissions, env: []string{"OPAQUE_SECRET=catflap-post-secret"},
		handlersMore: opaqueLines(idp.issuer(), idp.issuer()+"/token/introspection", "catflap-post", "OPAQUE_SECRET",
			"token_auth: post\nclients: [cat-bot]\nuser_id: client_id"),
	})
	token := idp.grant("cat-bot", url.Values{"grant_type": {"client_credentials"}, "resource": {"urn:cat:opaque"}}).Access
	if got := asked(t, f, token); got != 200 {
		t.Fatalf("status %d", got)
	}
	exactlyOne(t, cat.tap.take(), "opaque:cat-bot")
	exchange(t, f.addr, "POST", message(f.addr, idp.signIn("catflap-opaque", "alice").Access)).refusal(t, 401)
	none(t, cat.tap.take())
	idp.control("outage?paths=/token/introspection&ms=60000")
	f.await("not ready", func() bool {
		exchange(t, f.addr, "POST", message(f.addr, "somebody-new"))
		_, reason := f.readiness()
		return strings.Contains(reason, "opaque") && strings.Contains(reason, "503")
	})
	exchange(t, f.addr, "POST", message(f.addr, "somebody-else")).refusal(t, 503)
	none(t, cat.tap.take())
}

// TestIntrospectionAtKeycloak, whose tokens are signed: they are asked about where that is
// wanted, and end with the session.
func TestIntrospectionAtKeycloak(t *testing.T) {
	t.Parallel()
	k, cat := startKeycloak(t), startCat(t)
	f := start(t, config{
		cat: cat.tap.addr, permissions: opaquePermissions, env: []string{"OPAQUE_SECRET=" + k.clientSecret},
		handlersMore: opaqueLines(k.issuer(), k.issuer()+"/protocol/openid-connect/token/introspect", k.clientID, "OPAQUE_SECRET",
			"audiences: ["+k.clientID+"]\naccept_jwts: true\nrequire_token_type: true"),
	})
	user := k.newPerson("cat-users")
	id := "opaque:" + k.subject(user)
	held := k.token(k.clientID, user)
	if got := asked(t, f, held.Access); got != 200 {
		t.Fatalf("status %d", got)
	}
	exactlyOne(t, cat.tap.take(), id)
	for name, token := range map[string]string{"refresh": held.Refresh, "ID": held.ID, "another audience": k.token("other-app", "alice").Access} {
		if got := asked(t, f, token); got != 401 {
			t.Errorf("%s token: %d", name, got)
		}
	}
	none(t, cat.tap.take())
	c := mustChat(t, f, held.Access)
	expectTurn(t, c, "before", id)
	k.logoutUser(user)
	if e := closed(t, c, patience); !strings.Contains(e.Text, "no longer accepted") {
		t.Errorf("closed with %d %s", e.Code, e.Text)
	}
	if got := asked(t, f, held.Access); got != 401 {
		t.Errorf("status %d", got)
	}
}
