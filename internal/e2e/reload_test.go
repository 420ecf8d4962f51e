package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
)

// reload asks for a reload over the admin listener.
func (f *flap) reload() (int, string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.admin+"/-/reload", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	noSecret(f.t, "the answer to a reload", body)
	return res.StatusCode, string(body)
}

// configure writes another configuration for the same addresses.
func (f *flap) configure(c config) {
	f.t.Helper()
	c.listen, c.admin = f.addr, f.admin
	c.write(f.t, f.configFile)
}

// plugins is the status of an endpoint that is for admins in the usual permissions.
func plugins(t testing.TB, f *flap, token string) int {
	t.Helper()
	return exchange(t, f.addr, "GET", request("GET /plugins/", f.addr, token, "")).status
}

const (
	openPermissions   = "everyone: [base, \"PLUGINS:LIST\"]"
	closedPermissions = "everyone: [\"STATUS:READ\"]\ngrants:\n  - {users: [\"staff:alice\"], allow: [base]}"
)

// TestReload: new rules hold for the next request, and sockets live on.
func TestReload(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	usual := config{cat: cat.tap.addr}
	f := start(t, usual)
	c := mustChat(t, f, alice())
	expectTurn(t, c, "before", idOf("alice"))
	if got := plugins(t, f, bob()); got != 403 {
		t.Fatalf("status %d before the reload", got)
	}

	f.configure(config{cat: cat.tap.addr, permissions: openPermissions})
	if status, body := f.reload(); status != 200 {
		t.Fatalf("reload: %d %s", status, body)
	}
	if got := plugins(t, f, bob()); got != 200 {
		t.Errorf("status %d after the reload", got)
	}

	f.configure(usual)
	f.signal(syscall.SIGHUP)
	f.await("reloaded by signal", func() bool { return plugins(t, f, bob()) == 403 })
	expectTurn(t, c, "after two reloads", idOf("alice"))
	if n := len(handshakes(cat.tap.take(), "alice")); n != 1 {
		t.Errorf("%d sockets at the Cat for one person", n)
	}
}

func handshakes(l []arrival, subject string) []arrival {
	var found []arrival
	for _, a := range l {
		if strings.HasPrefix(a.target, "/ws/"+idOf(subject)+"?") {
			found = append(found, a)
		}
	}
	return found
}

// TestBadReload: a file that can't be used changes nothing, says why, and a good
// one heals it.
func TestBadReload(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	c := mustChat(t, f, alice())
	for _, row := range []struct{ name, text, says string }{
		{"no YAML", "version: 1\n  listen: [", ""},
		{"unknown field", config{listen: f.addr, admin: f.admin, cat: cat.tap.addr, more: "nonsense: 1\n"}.text(), "nonsense"},
		{"no audience", strings.Replace(config{listen: f.addr, admin: f.admin, cat: cat.tap.addr}.text(), "audiences: [catflap]", "audiences: []", 1), "audiences"},
		{"missing keys", strings.Replace(config{listen: f.addr, admin: f.admin, cat: cat.tap.addr}.text(), "staff.jwks.json", "nowhere.json", 1), "nowhere.json"},
		{"empty", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := os.WriteFile(f.configFile, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			status, body := f.reload()
			if status < 400 || !strings.Contains(body, row.says) {
				t.Errorf("reload: %d %s, want a refusal that names %q", status, body, row.says)
			}
			f.signal(syscall.SIGHUP)
			if got := asked(t, f, alice()); got != 200 {
				t.Errorf("after a bad reload, status %d", got)
			}
			if got := f.ready(); got != 200 {
				t.Errorf("after a bad reload, not ready: %d", got)
			}
			expectTurn(t, c, "still there", idOf("alice"))
		})
	}
	f.configure(config{cat: cat.tap.addr, permissions: openPermissions})
	if status, body := f.reload(); status != 200 {
		t.Fatalf("reload: %d %s", status, body)
	}
	if got := plugins(t, f, bob()); got != 200 {
		t.Errorf("status %d after the good reload", got)
	}
}

// TestReloadJudgesSockets: who may not chat any more is told so and let go; who
// still may does not notice.
func TestReloadJudgesSockets(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	stays, goes := mustChat(t, f, alice()), mustChat(t, f, bob())
	expectTurn(t, stays, "hello", idOf("alice"))
	expectTurn(t, goes, "hello", idOf("bob"))
	f.configure(config{cat: cat.tap.addr, permissions: closedPermissions})
	if status, body := f.reload(); status != 200 {
		t.Fatalf("reload: %d %s", status, body)
	}
	_, err := hear(goes)
	var closed *websocket.CloseError
	if !asClose(err, &closed) || closed.Code < 4000 && closed.Code != websocket.ClosePolicyViolation || closed.Text == "" {
		t.Errorf("a revoked person's socket ended with %v, want a close code and a reason", err)
	}
	expectTurn(t, stays, "still here", idOf("alice"))
	if _, status := openChat(t, f, "/ws", bob()); status != 403 {
		t.Errorf("handshake of a revoked person: %d", status)
	}
}
