package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
)

// ownHandler lets in the Cat's own users, whose secret stands in a variable.
const ownHandler = "- {name: cat, type: catuser, jwt_secret: {env: OWN_SECRET}, login: true, title: People of the Cat}\n"

// atCat are the Cat's own users of the tests: carla, who has the Cat's base set,
// and boss, who may do everything.
type atCat struct {
	*catBehindTap
	*flap
	accounts    string
	carla, boss string // their ids
}

const ownPassword = "a-password-at-the-cat"

// startOwnUsers runs Catflap in front of a Cat with users of its own. The credentials
// are the Cat's keys, or minted tokens.
func startOwnUsers(t testing.TB, minted bool, permissions string) *atCat {
	t.Helper()
	plant(ownPassword)
	a := &atCat{}
	a.catBehindTap, a.accounts = startCatOfTokens(t)
	a.carla = a.AddAccount("carla", ownPassword, standin.BasePermissions())
	a.boss = a.AddAccount("boss", ownPassword, standin.FullPermissions())
	c := config{cat: a.tap.addr, permissions: permissions, handlersMore: ownHandler, env: []string{"OWN_SECRET=" + catSecret}, websocket: "linger: 1s"}
	if minted {
		c.catKeys = "credential: minted\n" + a.accounts
	}
	a.flap = start(t, c)
	return a
}

// login asks for a token by name and password.
func (a *atCat) login(t testing.TB, name, password string) answer {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"username": name, "password": password})
	l := dialQuietly(t, a.addr)
	defer l.close()
	l.send(request("POST /auth/token", a.addr, "", string(body)))
	got, err := l.receive("POST")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (a *atCat) token(t testing.TB, name string) string {
	t.Helper()
	got := a.login(t, name, ownPassword)
	var given struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
	}
	if err := json.Unmarshal(got.body, &given); err != nil || got.status != 200 || given.Token == "" || given.Type != "bearer" {
		t.Fatalf("the login of %s: %d %s", name, got.status, got.body)
	}
	plant(given.Token)
	return given.Token
}

// ask is the status of a request with a token.
func (a *atCat) ask(t testing.TB, what, token, body string) (int, string) {
	t.Helper()
	method, _, _ := strings.Cut(what, " ")
	got := exchange(t, a.addr, method, request(what, a.addr, token, body))
	return got.status, string(got.body)
}

// within asserts that something holds in the ten seconds that a change may take.
func (a *atCat) within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	a.await(what, holds)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("%s: after %s", what, took)
	}
}

// ending reads a socket to its end. The code of its close is kept when it has come.
func ending(c *websocket.Conn) func() int {
	done := make(chan int, 1)
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		for {
			_, _, err := c.ReadMessage()
			if e, ok := errors.AsType[*websocket.CloseError](err); ok {
				done <- e.Code
			}
			if err != nil {
				return
			}
		}
	}()
	code := 0
	return func() int {
		select {
		case code = <-done:
		default:
		}
		return code
	}
}

// TestCatUsers: people with an account at the Cat come in with the Cat's token, have
// what the Cat has stored for them, and go out on their own account.
func TestCatUsers(t *testing.T) {
	t.Parallel()
	for name, minted := range map[string]bool{"api_key": false, "minted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startOwnUsers(t, minted, rightsRules)
			carla, boss := a.token(t, "carla"), a.token(t, "boss")
			for _, c := range []struct{ who, token, id, sub, want string }{
				{"a base user", carla, "carla", a.carla, "9 of carla"}, {"an administrator", boss, "boss", a.boss, "55 of boss"},
			} {
				a.tap.take()
				if got := atEndpoint(t, a.flap, c.token); got != c.want {
					t.Errorf("%s at an endpoint: %s", c.who, got)
				}
				if got := inMessage(t, a.flap, c.token); got != c.want {
					t.Errorf("%s in POST /message: %s", c.who, got)
				}
				if got := overSocket(t, mustChat(t, a.flap, c.token)); got != c.want {
					t.Errorf("%s over the socket: %s", c.who, got)
				}
				for _, arrived := range ownToKeys(t, a.tap.take(), c.sub, c.id) {
					arrived.check(t, c.id)
				}
			}
			// The identity provider's person of the same name is somebody else.
			if got := atEndpoint(t, a.flap, staff.token("carla")); !strings.HasSuffix(got, " of staff:carla") {
				t.Errorf("carla of the provider is %s", got)
			}
			for _, c := range []struct {
				what, token string
				want        int
			}{
				{"GET /users/", carla, 403}, {"GET /memory/collections/episodic/points", carla, 403}, {"GET /memory/recall?text=x", carla, 200},
				{"DELETE /memory/conversation_history", carla, 200}, {"GET /admin/", carla, 403},
				{"GET /users/", boss, 200}, {"GET /auth/available-permissions", boss, 200},
			} {
				if got, body := a.ask(t, c.what, c.token, ""); got != c.want {
					t.Errorf("%s: %d %s", c.what, got, body)
				}
			}
		})
	}
}

// make has an administrator make a user.
func (a *atCat) make(t testing.TB, boss, name string) (id string) {
	t.Helper()
	status, body := a.ask(t, "POST /users/", boss, fmt.Sprintf(`{"username":%q,"password":%q}`, name, ownPassword))
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	return made.ID
}

// TestCatUsersAreManaged: an administrator makes, changes and deletes users by /users,
// and each change holds within ten seconds, for what is open too.
func TestCatUsersAreManaged(t *testing.T) {
	t.Parallel()
	a := startOwnUsers(t, false, rightsRules)
	boss := a.token(t, "boss")
	nora, otto := a.make(t, boss, "nora"), a.make(t, boss, "otto")
	noras, ottos := a.token(t, "nora"), a.token(t, "otto")
	hers, his := mustChat(t, a.flap, noras), mustChat(t, a.flap, ottos)
	for want, c := range map[string]*websocket.Conn{"9 of nora": hers, "9 of otto": his} {
		if got := overSocket(t, c); got != want {
			t.Errorf("over the socket: %s", got)
		}
	}
	closedHers, closedHis := ending(hers), ending(his)
	if status, body := a.ask(t, "PUT /users/"+nora, boss, `{"permissions":{"STATUS":["READ"],"USERS":["LIST"]}}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := a.ask(t, "DELETE /users/"+otto, boss, ""); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	a.within(t, "a change that holds", func() bool {
		lists, _ := a.ask(t, "GET /users/", noras, "")
		chats, _ := a.ask(t, "POST /message", noras, `{"text":"hi"}`)
		gone, why := a.ask(t, "GET /", ottos, "")
		return lists == 200 && chats == 403 && closedHers() == 4403 && gone == 401 && strings.Contains(why, "user_gone") && closedHis() == 4401
	})
}

// ownToKeys holds that each request went out on a fresh token of the account, and writes
// the Cat's keys in its place, for the checks that hold everything else.
func ownToKeys(t testing.TB, got []arrival, account, id string) []arrival {
	t.Helper()
	for i := range got {
		a := &got[i]
		token := strings.TrimPrefix(strings.Join(a.values("authorization"), ","), "Bearer ")
		path, query, _ := strings.Cut(a.target, "?")
		if a.upgrades() {
			token = strings.TrimPrefix(query, "token=")
			a.target = path + "?token=" + catKeyWS
		}
		var claims map[string]any
		if parts := strings.Split(token, "."); len(parts) == 3 {
			text, _ := base64.RawURLEncoding.DecodeString(parts[1])
			_ = json.Unmarshal(text, &claims)
		}
		exp, _ := claims["exp"].(float64)
		if claims["iss"] != "catflap" || claims["sub"] != account || claims["username"] != id || len(claims) != 4 || exp > float64(time.Now().Add(3*time.Minute).Unix()) {
			t.Errorf("%s %s went out with %v", a.method, path, claims)
		}
		for j := range a.fields {
			if strings.EqualFold(a.fields[j].name, "authorization") && a.fields[j].value == "Bearer "+token {
				a.fields[j].value = "Bearer " + catKey
			}
		}
	}
	return got
}

// serviceAccount is the id of an account of Catflap's own.
func (a *atCat) serviceAccount() string {
	_, rest, _ := strings.Cut(a.accounts, "{id: ")
	id, _, _ := strings.Cut(rest, ",")
	return id
}

// signWith makes a token with a secret, as the Cat does.
func signWith(secret string, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // the claims are written in this package
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	token := signed + "." + encode(mac.Sum(nil))
	plant(token)
	return token
}
