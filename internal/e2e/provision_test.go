package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// theCatsUser is the Cat's user of a name, as an administrator sees it.
func (a *atCat) theCatsUser(t testing.TB, token, name string) (id string, permissions int) {
	t.Helper()
	status, body := a.ask(t, "GET /users/?limit=1000", token, "")
	var list []struct {
		ID, Username string
		Permissions  map[string][]string
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for _, u := range list {
		if u.Username == name {
			for _, actions := range u.Permissions {
				permissions += len(actions)
			}
			id += u.ID
		}
	}
	return id, permissions
}

// TestPeopleAppearAtTheCat: somebody of the identity provider gets a user of their own
// with what their groups give, goes out on it, and is out when it is deleted: after a
// restart, too.
func TestPeopleAppearAtTheCat(t *testing.T) {
	t.Parallel()
	for name, minted := range map[string]bool{"api_key": false, "minted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &atCat{}
			a.catBehindTap, a.accounts = startCatOfTokens(t)
			a.boss = a.AddAccount("boss", ownPassword, standin.FullPermissions())
			c := config{
				cat: a.tap.addr, permissions: rightsRules, handlerMore: "provision: true", handlersMore: strings.ReplaceAll(ownHandler, "login: true", "login: false"),
				env: []string{"OWN_SECRET=" + catSecret}, websocket: "linger: 1s",
			}
			if minted {
				c.catKeys = "credential: minted\n" + a.accounts
			}
			a.flap = start(t, c)
			boss, dora, anna := root(), staff.token("dora"), staff.token("anna", "cat-admins")
			if got := atEndpoint(t, a.flap, dora); got != "9 of staff:dora" {
				t.Errorf("at an endpoint: %s", got)
			}
			id, n := a.theCatsUser(t, boss, "staff:dora")
			if len(id) != 36 || n != 9 {
				t.Fatalf("the Cat has %q with %d permissions", id, n)
			}
			a.tap.take()
			chat := mustChat(t, a.flap, dora)
			if got := overSocket(t, chat); got != "9 of staff:dora" {
				t.Errorf("over the socket: %s", got)
			}
			atEndpoint(t, a.flap, dora)
			for _, got := range ownToKeys(t, a.ofPeople(), id, "staff:dora") {
				got.check(t, "staff:dora")
			}
			closed := ending(chat)
			if got := atEndpoint(t, a.flap, anna); got != "55 of staff:anna" {
				t.Errorf("an administrator at an endpoint: %s", got)
			}
			// The same person with fewer groups has fewer rights, there too.
			if got := atEndpoint(t, a.flap, staff.token("anna")); got != "9 of staff:anna" && minted {
				t.Errorf("with a token of fewer groups: %s", got)
			}
			if status, body := a.ask(t, "DELETE /users/"+id, boss, ""); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			a.within(t, "out", func() bool {
				status, body := a.ask(t, "GET /", dora, "")
				return status == 401 && strings.Contains(body, "user_gone") && closed() != 0
			})
			a.kill()
			a.again()
			if status, body := a.ask(t, "GET /", dora, ""); status != 401 || !strings.Contains(body, "user_gone") {
				t.Errorf("after a restart: %d %s", status, body)
			}
			if id, _ := a.theCatsUser(t, boss, "staff:dora"); id != "" {
				t.Error("the user is there again")
			}
		})
	}
}
