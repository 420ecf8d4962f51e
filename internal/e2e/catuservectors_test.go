package e2e

import (
	"strings"
	"testing"
	"time"
)

// startOwnVectors runs Catflap for the tables of attacks: carla is who sends them.
func startOwnVectors(t testing.TB) (a *atCat, carla string) {
	t.Helper()
	a = startOwnUsers(t, false, "")
	return a, a.token(t, "carla")
}

// ofPeople leaves out the questions that Catflap asks the Cat for itself.
func (a *atCat) ofPeople() []arrival {
	var l []arrival
	for _, got := range a.tap.take() {
		if !got.isProbe() {
			l = append(l, got)
		}
	}
	return l
}

// TestIdentityHeadersOfCatUsers sends every row of the table as one of the Cat's own
// users, over HTTP and with a handshake.
func TestIdentityHeadersOfCatUsers(t *testing.T) {
	t.Parallel()
	var table struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &table)
	a, carla := startOwnVectors(t)
	for _, row := range table.Rows {
		t.Run(row.ID, func(t *testing.T) {
			a.ofPeople()
			got := exchange(t, a.addr, "POST", row.request(a.addr, carla))
			row.judge(t, got, ownToKeys(t, a.ofPeople(), a.carla, "carla"), "carla")
			if len(row.Trailers) > 0 || row.ID == "ih-045" {
				return
			}
			l := dial(t, a.addr)
			l.send(row.handshake(a.addr, carla))
			if got, err := l.receive("GET"); err != nil && !isHangUp(err) {
				t.Fatal(err)
			} else if got.status != 101 && (row.Expect == "strip" && !strings.HasPrefix(strings.ToLower(row.Lines[0]), "connection: close")) {
				t.Errorf("a handshake is answered %d", got.status)
			}
			for _, arrived := range ownToKeys(t, a.ofPeople(), a.carla, "carla") {
				arrived.check(t, "carla")
			}
			l.close()
		})
	}
}

// TestPathsOfCatUsers sends every raw target of the table as a base user of the Cat.
func TestPathsOfCatUsers(t *testing.T) {
	t.Parallel()
	var table pathTable
	loadRows(t, "paths.json", &table)
	a, carla := startOwnVectors(t)
	for _, row := range table.HTTP {
		t.Run(row.ID, func(t *testing.T) {
			a.ofPeople()
			got := exchange(t, a.addr, row.Method, row.request(carla))
			arrived := a.ofPeople()
			if row.ofLogin() {
				none(t, arrived)
				return
			}
			if row.Method == "DELETE" && strings.Contains(row.Target, "conversation_history") {
				return // it goes out with the key: see the tests of package cat
			}
			row.judge(t, row.Base, got, ownToKeys(t, arrived, a.carla, "carla"), "carla")
		})
	}
}

// ofLogin reports a row about the Cat's own login, which Catflap answers itself here.
func (r pathRow) ofLogin() bool {
	return strings.Contains(strings.ToLower(r.Target), "auth") && !strings.Contains(r.Target, "handler") && !strings.Contains(r.Target, "available")
}

// TestTokensThatAreNotTheCatsWord: of all that the Cat's secret can sign, only what the
// Cat has given to a person lets that person in.
func TestTokensThatAreNotTheCatsWord(t *testing.T) {
	t.Parallel()
	a := startOwnUsers(t, true, rightsRules)
	exp := time.Now().Add(time.Hour).Unix()
	all := map[string]any{"USERS": []string{"LIST"}}
	for name, claims := range map[string]map[string]any{
		"as Catflap mints":       {"iss": "catflap", "sub": a.boss, "username": "boss", "exp": exp},
		"as it did":              {"sub": a.boss, "username": "boss", "exp": exp},
		"as a person of the IdP": {"sub": a.boss, "username": "staff:alice", "permissions": all, "exp": exp},
		"with another's name":    {"sub": a.boss, "username": "carla", "permissions": all, "exp": exp},
		"of the IdP's issuer":    {"iss": issuerName, "aud": "catflap", "sub": a.boss, "username": "boss", "permissions": all, "exp": exp},
		"without end":            {"sub": a.boss, "username": "boss", "permissions": all},
		"of a service account":   {"sub": a.serviceAccount(), "username": "chat", "permissions": all, "exp": exp},
	} {
		token := signWith(catSecret, claims)
		if got, body := a.ask(t, "GET /users/", token, ""); got != 401 {
			t.Errorf("%s: %d %s", name, got, body)
		}
		if c, status := openChat(t, a.flap, "/ws", token); c != nil || status != 401 {
			t.Errorf("%s: a socket, %d", name, status)
		}
	}
	token := signWith(catSecret, map[string]any{"sub": a.carla, "username": "carla", "permissions": all, "exp": exp})
	if got, body := a.ask(t, "GET /users/", token, ""); got != 403 {
		t.Errorf("the token's own permissions count: %d %s", got, body)
	}
	cookie := "Cookie: ccat_user_token=" + token
	if got := exchange(t, a.addr, "GET", request("GET /admin/", a.addr, "", "", cookie)); got.status == 200 {
		t.Error("the Cat's cookie lets somebody in")
	}
	if got := exchange(t, a.addr, "GET", request("GET /memory/recall?text=x", a.addr, "", "", cookie)); got.status != 401 {
		t.Errorf("the Cat's cookie: %d", got.status)
	}
}
