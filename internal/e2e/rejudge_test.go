package e2e

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// otherIssuer has the keys of the usual one, and other people.
const otherIssuer = "https://other-issuer.example.com"

// with is a token of alice's with further claims.
func (i *issuer) with(claims map[string]any) string {
	now := time.Now()
	all := map[string]any{
		"iss": issuerName, "aud": "catflap", "sub": "alice", "iat": now.Unix(), "exp": now.Add(15 * time.Minute).Unix(), "jti": rand.Text(),
	}
	maps.Copy(all, claims)
	return i.sign(all)
}

// rewrite replaces a text of the configuration and reloads.
func (f *flap) rewrite(old, new string) {
	f.t.Helper()
	text, err := os.ReadFile(f.configFile)
	if err != nil {
		f.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		f.t.Fatalf("no %q in the configuration", old)
	}
	if err := os.WriteFile(f.configFile, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if status, body := f.reload(); status != 200 {
		f.t.Fatalf("reload: %d %s", status, body)
	}
}

// slowly sends a message that the Cat takes long for, and tells how it is answered.
func slowly(t testing.TB, f *flap, token string) <-chan int {
	t.Helper()
	l := dialQuietly(t, f.addr)
	t.Cleanup(l.close)
	l.send(request("POST /message", f.addr, token, `{"text":"sleep 25"}`))
	status := make(chan int, 1)
	go func() {
		a, err := l.receive("POST")
		if err != nil {
			a.status = -1
		}
		status <- a.status
	}()
	return status
}

// TestReloadJudgesTokens: a reload after which a token is no longer accepted ends what
// is open with it, and nothing else.
func TestReloadJudgesTokens(t *testing.T) {
	t.Parallel()
	const fields = "    audiences: [catflap]\n"
	for _, c := range []struct{ name, old, new string }{
		{"issuer", "issuer: " + issuerName, "issuer: " + otherIssuer},
		{"audiences", "audiences: [catflap]", "audiences: [other, stays]"},
		{"clients", fields, fields + "    clients: [stays]\n"},
		{"alias", fields, "    alias: people\n" + fields},
		{"user_id", fields, fields + "    user_id: oid\n"},
		{"max_lifetime", fields, fields + "    max_lifetime: 5m\n"},
		{"handler", "name: staff", "name: people"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cat := startCat(t)
			f := start(t, config{cat: cat.tap.addr, permissions: "everyone: [base]"})
			goes := staff.with(map[string]any{"oid": "somebody", "azp": "goes"})
			socket, request := mustChat(t, f, goes), slowly(t, f, goes)
			stays := mustChat(t, f, staff.with(map[string]any{
				"sub": "bob", "oid": "bob", "aud": []string{"catflap", "stays"}, "azp": "stays", "exp": time.Now().Add(4 * time.Minute).Unix(),
			}))
			expectTurn(t, socket, "before", idOf("alice"))
			expectTurn(t, stays, "before", idOf("bob"))
			f.rewrite("listen:", "# nothing else\nlisten:")
			expectTurn(t, socket, "a reload changes nothing", idOf("alice"))

			f.rewrite(c.old, c.new)
			if e := closed(t, socket, patience); e.Code != 4401 && e.Code != 4403 {
				t.Errorf("closed with %v", e)
			}
			if got := <-request; got != 401 && got != 403 {
				t.Errorf("the request is answered %d", got)
			}
			switch c.name {
			case "audiences", "clients", "user_id", "max_lifetime":
				expectTurn(t, stays, "the other stays", idOf("bob"))
			}
		})
	}
}

// TestWithdrawnKey: what a key has vouched for ends when it is withdrawn, though nobody
// sends a request.
func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	keys := filepath.Join(filepath.Dir(f.configFile), "staff.jwks.json")
	c := mustChat(t, f, alice())
	expectTurn(t, c, "before", idOf("alice"))
	replaced := strings.Replace(staff.keySet(), `"e2e"`, `"later"`, 1)
	if err := os.WriteFile(keys, []byte(replaced), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := closed(t, c, 20*time.Second); e.Code != 4401 {
		t.Errorf("closed with %v", e)
	}
}

// TestAnotherAlice: after a change of the issuer the alice of before neither hears the
// new one nor speaks as her, and what waits for her is not the new one's.
func TestAnotherAlice(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	c := startCoupleOf(t, config{cat: cat.tap.addr, websocket: "linger: 1m"})
	old := staff.with(nil)
	young := staff.with(map[string]any{"iss": otherIssuer})
	at := map[string]*websocket.Conn{"a": mustChat(t, c.a, old), "b": mustChat(t, c.b, old)}
	expectTurn(t, at["a"], "before", idOf("alice"))
	if err := at["a"].WriteJSON(map[string]string{"text": "sleep 3.00001"}); err != nil {
		t.Fatal(err)
	}
	c.a.rewrite("issuer: "+issuerName, "issuer: "+otherIssuer)
	// The other Catflap is not reloaded yet: the two are not one person there, either.
	fresh := mustChat(t, c.a, young)
	said := make(chan string, 1)
	go func() {
		for {
			s, err := hear(fresh)
			if err != nil || strings.Contains(s.Text, "00001") {
				said <- fmt.Sprint(s, err)
				return
			}
			if strings.Contains(s.Text, "00002") {
				said <- ""
				return
			}
		}
	}()
	if e := closed(t, at["a"], patience); e.Code != 4401 {
		t.Errorf("closed with %v", e)
	}
	c.b.rewrite("issuer: "+issuerName, "issuer: "+otherIssuer)
	if e := closed(t, at["b"], patience); e.Code != 4401 {
		t.Errorf("closed with %v", e)
	}
	if err := fresh.WriteJSON(map[string]string{"text": "sleep 4.00002"}); err != nil {
		t.Fatal(err)
	}
	if got := <-said; got != "" {
		t.Errorf("the new one hears %s", got)
	}
	expectTurn(t, mustChat(t, c.b, young), "at the other Catflap", idOf("alice"))
	if status := asked(t, c.b, old); status != http.StatusUnauthorized {
		t.Errorf("the old token is answered %d", status)
	}
}
