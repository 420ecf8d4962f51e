package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
)

// catSecret signs the Cat's own tokens.
const catSecret = "what only the Cat and Catflap know"

// rightsRules are the usual ones, with plugins' endpoints that are for everyone.
const rightsRules = `everyone: [base]
grants:
  - {from: [staff], groups: [cat-admins], allow: [admin]}
  - {from: [staff], groups: [cat-editors], allow: ["UPLOAD:WRITE"]}
endpoints:
  - {match: "* /custom/**", needs: everyone}`

// startCatOfTokens is a Cat with service accounts, and the lines of cat that name them.
func startCatOfTokens(t testing.TB) (c *catBehindTap, accounts string) {
	t.Helper()
	plant(catSecret)
	c = serveCat(t, "127.0.0.1:0", standin.Options{APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: catSecret})
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(catSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := []string{"jwt_secret: {file: " + file + "}", "service_accounts:"}
	add := func(name, permissions string, p standin.Permissions) {
		lines = append(lines, fmt.Sprintf("  - {id: %s, permissions: [%s]}", c.AddAccount(name, "a long password", p), permissions))
	}
	chat := standin.Permissions{"STATUS": {"READ"}, "CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"}}
	add("chat", `"STATUS:READ", "CONVERSATION:*"`, chat)
	add("admin", `"*"`, standin.FullPermissions())
	add("base", `"STATUS:READ", "CONVERSATION:*", "MEMORY:READ", "MEMORY:LIST", "STATIC:READ"`, standin.BasePermissions())
	return c, strings.Join(lines, "\n")
}

// believed is what a plugin is told of a person.
type believed struct {
	User        string              `json:"user_id"`
	Permissions map[string][]string `json:"permissions"`
}

func (b believed) String() string {
	n := 0
	for _, actions := range b.Permissions {
		n += len(actions)
	}
	return fmt.Sprintf("%d of %s", n, b.User)
}

func readBelieved(t testing.TB, text string) (b believed) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Errorf("a plugin said %s", text)
	}
	return b
}

// atEndpoint, inMessage and overSocket are what an endpoint and the hooks are told.
func atEndpoint(t testing.TB, f *flap, token string) string {
	t.Helper()
	return readBelieved(t, string(exchange(t, f.addr, "GET", request("GET /custom/rights", f.addr, token, "")).body)).String()
}

func inMessage(t testing.TB, f *flap, token string) string {
	t.Helper()
	var s said
	body := exchange(t, f.addr, "POST", request("POST /message", f.addr, token, `{"text":"rights"}`)).body
	if err := json.Unmarshal(body, &s); err != nil {
		t.Errorf("POST /message: %s", body)
	}
	return readBelieved(t, s.Text).String()
}

func overSocket(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	s, err := turn(c, "rights")
	if err != nil || s.Type != "chat" {
		return fmt.Sprintf("%+v, %v", s, err)
	}
	return readBelieved(t, s.Text).String()
}

// hearAnswer reads the answer to what another client of the same person has said: one that
// nobody has read would be told to the client that comes next.
func hearAnswer(t testing.TB, c *websocket.Conn) {
	t.Helper()
	for {
		s, err := hear(c)
		if err != nil {
			t.Fatal(err)
		}
		if s.Type == "chat" {
			return
		}
	}
}

func guarded(t testing.TB, f *flap, token string) int {
	t.Helper()
	return exchange(t, f.addr, "GET", request("GET /custom/guarded", f.addr, token, "")).status
}

// TestPluginsBelieveWhatWasGranted: over HTTP and the socket, and with the keys as with
// tokens, a plugin is told of a person's rights what they were granted.
func TestPluginsBelieveWhatWasGranted(t *testing.T) {
	t.Parallel()
	cat, accounts := startCatOfTokens(t)
	for name, keys := range map[string]string{
		"minted":  "credential: minted\n" + accounts,
		"api_key": usualKeys + "\n" + accounts,
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, config{cat: cat.tap.addr, catKeys: keys, permissions: rightsRules})
			for _, c := range []struct {
				name, token, want string
				guarded           int
			}{
				{"bob", bob(), "9 of staff:bob", 403},
				{"an administrator", root(), "55 of staff:root", 200},
			} {
				if got := atEndpoint(t, f, c.token); got != c.want {
					t.Errorf("%s at an endpoint: %s", c.name, got)
				}
				if got := inMessage(t, f, c.token); got != c.want {
					t.Errorf("%s in POST /message: %s", c.name, got)
				}
				if got := overSocket(t, mustChat(t, f, c.token)); got != c.want {
					t.Errorf("%s over the socket: %s", c.name, got)
				}
				if got := guarded(t, f, c.token); got != c.guarded {
					t.Errorf("%s at an endpoint for SETTINGS:WRITE: %d", c.name, got)
				}
			}
			carol := staff.token("carol", "cat-editors")
			if got := atEndpoint(t, f, carol); got != "9 of staff:carol" {
				t.Errorf("whose own account is not there: %s", got)
			}
			a := exchange(t, f.addr, "GET", request("GET /rabbithole/allowed-mimetypes", f.addr, carol, ""))
			if a.status != 403 || !strings.Contains(string(a.body), "no_service_account") || !strings.Contains(string(a.body), "UPLOAD:WRITE") {
				t.Errorf("an upload with more rights than granted: %d %s", a.status, a.body)
			}
			if got := exchange(t, f.addr, "GET", request("GET /rabbithole/allowed-mimetypes", f.addr, root(), "")).status; got != 200 {
				t.Errorf("an administrator's upload: %d", got)
			}
			if got := exchange(t, f.addr, "GET", request("GET /users/", f.addr, root(), "")).status; got != 200 {
				t.Errorf("an administrator's list of users: %d", got)
			}
		})
	}
}

// TestPluginsBehindTheKeys: with the keys alone nothing can be told to plugins; that is
// said when Catflap starts.
func TestPluginsBehindTheKeys(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, permissions: rightsRules})
	if !strings.Contains(f.log.String(), "its plugins believe that each person may do everything over HTTP") {
		t.Error("it is not said what plugins believe")
	}
	if got := overSocket(t, mustChat(t, f, root())); got != "9 of staff:root" {
		t.Errorf("over the socket: %s", got)
	}
}

// TestRightsFallAtALiveSocket: after a reload that takes rights away, an open socket has
// no more than the person.
func TestRightsFallAtALiveSocket(t *testing.T) {
	t.Parallel()
	cat, accounts := startCatOfTokens(t)
	for _, mode := range []string{"shared", "separate"} {
		t.Run(mode, func(t *testing.T) {
			usual := config{cat: cat.tap.addr, catKeys: "credential: minted\n" + accounts, permissions: rightsRules, websocket: "session: " + mode}
			f := start(t, usual)
			id := mode + "-root"
			token := staff.token(id, "cat-admins")
			c := mustChat(t, f, token)
			if got := overSocket(t, c); got != "55 of staff:"+id {
				t.Fatalf("before: %s", got)
			}
			less := usual
			less.permissions = strings.Replace(rightsRules, "cat-admins", "nobody", 1)
			f.configure(less)
			if status, body := f.reload(); status != 200 {
				t.Fatalf("reload: %d %s", status, body)
			}
			if got := overSocket(t, c); mode == "shared" && got != "9 of staff:"+id || strings.HasPrefix(got, "55") {
				t.Errorf("at the socket of before: %s", got)
			}
			if got := overSocket(t, mustChat(t, f, token)); got != "9 of staff:"+id {
				t.Errorf("at the next socket: %s", got)
			}
		})
	}
}

// awaitNoSocket waits until no client is left.
func (f *flap) awaitNoSocket() {
	f.t.Helper()
	f.await("alone", func() bool {
		_, page := get(f.t.Context(), "http://"+f.admin+"/metrics")
		return strings.Contains(page, "catflap_sockets_open 0")
	})
}

// TestAClientWithFewerRights: a person's clients share one socket at the Cat, and none
// speaks there with rights that it does not have itself.
func TestAClientWithFewerRights(t *testing.T) {
	t.Parallel()
	cat, accounts := startCatOfTokens(t)
	keys := "credential: minted\n" + accounts
	one := start(t, config{cat: cat.tap.addr, catKeys: keys, permissions: rightsRules})
	two := startCoupleOf(t, config{cat: cat.tap.addr, catKeys: keys, permissions: rightsRules})
	for _, c := range []struct {
		name          string
		first, second *flap
	}{{"one", one, one}, {"two Catflaps", two.a, two.b}, {"and the other way", two.b, two.a}} {
		t.Run(c.name, func(t *testing.T) {
			id := "root-of-" + strings.ReplaceAll(c.name, " ", "-")
			high := mustChat(t, c.first, staff.token(id, "cat-admins"))
			if got := overSocket(t, high); got != "55 of staff:"+id {
				t.Fatalf("an administrator alone: %s", got)
			}
			low := mustChat(t, c.second, staff.token(id))
			if got := overSocket(t, low); got != "9 of staff:"+id {
				t.Errorf("with a token of fewer groups: %s", got)
			}
			hearAnswer(t, high)
			for _, client := range []*websocket.Conn{high, low} {
				_ = client.Close()
			}
			c.first.awaitNoSocket()
			c.second.awaitNoSocket()
			if got := overSocket(t, mustChat(t, c.first, staff.token(id, "cat-admins"))); got != "55 of staff:"+id {
				t.Errorf("an administrator alone again: %s", got)
			}
		})
	}
}

// TestAClientWithMoreRights: who comes with more shares what there is, and has their own
// when nobody else uses it.
func TestAClientWithMoreRights(t *testing.T) {
	t.Parallel()
	cat, accounts := startCatOfTokens(t)
	f := start(t, config{cat: cat.tap.addr, catKeys: "credential: minted\n" + accounts, permissions: rightsRules})
	low := mustChat(t, f, staff.token("root"))
	if got := overSocket(t, low); got != "9 of staff:root" {
		t.Fatalf("without groups: %s", got)
	}
	high := mustChat(t, f, root())
	if got := overSocket(t, high); got != "9 of staff:root" {
		t.Errorf("while both are there: %s", got)
	}
	hearAnswer(t, low)
	for _, c := range []*websocket.Conn{low, high} {
		_ = c.Close()
	}
	f.awaitNoSocket()
	if got := overSocket(t, mustChat(t, f, root())); got != "55 of staff:root" {
		t.Errorf("alone: %s", got)
	}
}
