package e2e

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// freshRealm is a realm as Keycloak makes it, with nothing of the tests' own in it.
type freshRealm struct {
	*keycloak
	name string
}

func newFreshRealm(t testing.TB, name string) freshRealm {
	t.Helper()
	r := freshRealm{startKeycloak(t), name}
	r.ask(http.MethodPost, "", jsonObject{"realm": name, "enabled": true}, nil)
	r.server.admin.mu.Lock()
	r.server.admin.until = time.Time{} // the token of before knows nothing of the realm
	r.server.admin.mu.Unlock()
	return r
}

func (r freshRealm) issuer() string { return "http://" + r.server.addr + "/realms/" + r.name }

// ask asks the admin interface; a path stands below the realm, and "" is all realms.
func (r freshRealm) ask(method, path string, body, into any) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 3*patience)
	defer cancel()
	if path != "" {
		path = "/" + r.name + path
	}
	if err := r.server.askOf(ctx, method, path, body, into); err != nil {
		r.t.Fatalf("keycloak: %s %s: %v", method, path, err)
	}
}

// setUp does what the README says, as the admin console does it: each box that is not
// named there has the console's default.
func (r freshRealm) setUp(public, secret string) {
	r.t.Helper()
	on, off := "true", "false"
	r.ask(http.MethodPost, "/clients", jsonObject{
		"clientId": "catflap", "secret": secret, "protocol": "openid-connect", "publicClient": false, "standardFlowEnabled": true,
		"redirectUris": []string{public + "/_catflap/callback"},
		"attributes":   jsonObject{"post.logout.redirect.uris": public + "/_catflap/signed-out"},
		// The README needs no password grant: it gives the test a program's token.
		"directAccessGrantsEnabled": true,
		"protocolMappers": []jsonObject{
			{
				"name": "groups", "protocol": "openid-connect", "protocolMapper": "oidc-group-membership-mapper",
				"config": jsonObject{
					"claim.name": "groups", "full.path": on, "id.token.claim": on, "access.token.claim": on, "lightweight.claim": off,
					"userinfo.token.claim": on, "introspection.token.claim": on,
				},
			},
			{
				"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
				"config": jsonObject{
					"included.client.audience": "catflap", "id.token.claim": off, "access.token.claim": on, "lightweight.claim": off, "introspection.token.claim": on,
				},
			},
		},
	}, nil)
	r.ask(http.MethodPost, "/groups", jsonObject{"name": "cat-admins"}, nil)
	for _, name := range []string{"alice", "bob"} {
		var groups []string
		if name == "alice" {
			groups = []string{"cat-admins"}
		}
		r.ask(http.MethodPost, "/users", jsonObject{
			"username": name, "enabled": true, "emailVerified": true, "email": name + "@example.test", "firstName": name, "lastName": "Tester",
			"groups": groups, "credentials": []jsonObject{{"type": "password", "value": name + "-pw", "temporary": false}},
		}, nil)
	}
}

// access gets a person's access token, which holds what a program's would.
func (r freshRealm) access(user, secret string) string {
	r.t.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {user}, "password": {user + "-pw"}, "scope": {"openid"}}
	ctx, cancel := context.WithTimeout(r.t.Context(), 3*patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.issuer()+"/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("catflap", secret)
	var got tokens
	if err := decodeAnswer(req, &got); err != nil {
		r.t.Fatal(err)
	}
	plant(got.Access)
	return got.Access
}

// readmeSignIn is the README's block of type oidc: the lines of its handlers and of its
// permissions, in which nothing but the provider's address is another.
func readmeSignIn(t testing.TB, issuer string) (handlers, permissions string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(block, "type: oidc") {
			continue
		}
		_, block, _ = strings.Cut(block, "\nhandlers:\n")
		handlers, permissions, _ = strings.Cut(block, "permissions:\n")
		const address = "https://keycloak.example.com/realms/staff"
		if strings.Count(handlers, address) != 1 || permissions == "" {
			t.Fatalf("the README's block is another:\n%s", block)
		}
		return outdent(strings.Replace(handlers, address, issuer, 1)), outdent(permissions)
	}
	t.Fatal("the README has no block of type oidc")
	return "", ""
}

// outdent takes two spaces from the beginning of each line.
func outdent(lines string) string {
	return strings.TrimPrefix(strings.ReplaceAll(lines, "\n  ", "\n"), "  ")
}

// TestReadmeWithKeycloak: with a realm as Keycloak makes it and the README's own words,
// an administrator is one, in a browser and with a token, and nobody else is.
func TestReadmeWithKeycloak(t *testing.T) {
	t.Parallel()
	const secret = "the secret of the README's client"
	plant(secret)
	realm, cat := newFreshRealm(t, "staff"), startCat(t)
	c := config{cat: cat.tap.addr, env: []string{"KEYCLOAK_SECRET=" + secret}}
	c.handlers, c.permissions = readmeSignIn(t, realm.issuer())
	f := start(t, c)
	realm.setUp(f.public(), secret)
	for _, row := range []struct {
		user    string
		plugins int
		groups  string
	}{{"alice", 200, `"groups":1`}, {"bob", 403, `"groups":0`}} {
		v := newVisitor(t, f.public())
		v.signIn(realm, "staff", row.user)
		if status, text := v.send(f.addr, "GET", "/plugins/", ""); status != row.plugins {
			t.Errorf("%s in a browser: %d %s", row.user, status, text)
		}
		if status, text := v.send(f.addr, "POST", "/message", `{"text":"hello"}`); status != 200 {
			t.Errorf("%s in a browser says: %d %s", row.user, status, text)
		}
		token := realm.access(row.user, secret)
		if a := exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, token, "")); a.status != row.plugins {
			t.Errorf("%s with a token: %d %s", row.user, a.status, a.body)
		}
		if !auditHas(f.log.String(), `"event":"signed_in"`, row.groups) {
			t.Errorf("no line of %s's sign-in says %s", row.user, row.groups)
		}
	}
	if strings.Contains(f.log.String(), "no token has had a configured claim yet") {
		t.Error("alice has had the claim, and the log says that nobody has")
	}
}

// auditHas reports a line of the log that holds all of that.
func auditHas(log string, all ...string) bool {
next:
	for line := range strings.Lines(log) {
		for _, s := range all {
			if !strings.Contains(line, s) {
				continue next
			}
		}
		return true
	}
	return false
}
