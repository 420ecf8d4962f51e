package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// edgeSecret is what nginx and Catflap share.
const edgeSecret = "edge-secret-1d5b0c1f7f2a4a0f9be1"

// edge is a Catflap behind a front proxy that signs people in: nginx, by Basic.
type edge struct {
	*flap
	cat   *catBehindTap
	nginx string // its address
}

// signsIn are the lines by which nginx signs people in and names them, as its manual has
// them. Nothing that a client sends under these names passes.
const signsIn = `auth_basic office; auth_basic_user_file people;
      proxy_set_header X-Forwarded-User $remote_user;
      proxy_set_header X-Forwarded-Groups "";
      proxy_set_header X-Catflap-Proxy-Secret ` + edgeSecret + `;
      proxy_set_header Authorization "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Host $http_host;
      `

func startEdge(t *testing.T, from, more string) edge {
	t.Helper()
	plant(edgeSecret)
	e := edge{cat: startCat(t)}
	e.flap = start(t, config{
		cat: e.cat.tap.addr, publicURL: "http://chat.example", env: []string{"EDGE_SECRET=" + edgeSecret}, websocket: "linger: 1s",
		permissions: "everyone: [base]\ngrants:\n  - {from: [edge], groups: [admins], allow: [admin]}",
		handlers: `  - name: edge
    type: forwarded
    from: [` + from + `]
    secrets: [{env: EDGE_SECRET}]
    user_header: X-Forwarded-User
    groups_header: X-Forwarded-Groups
` + indent(indent(more)) + fmt.Sprintf("  - {name: staff, type: jwt, issuer: %s, audiences: [catflap], algorithms: [EdDSA], keys: {jwks_file: staff.jwks.json}}\n", issuerName),
	})
	e.nginx = startNginx(t, e.flap, upgraded+signsIn)
	return e
}

// ofOffice is the Basic credential that nginx takes.
const ofOffice = "Authorization: Basic b2ZmaWNlOmRvb3I="

// TestForwarded: behind a real nginx people are those that it names, whatever they send; and
// past it nobody is anybody.
func TestForwarded(t *testing.T) {
	t.Parallel()
	e := startEdge(t, "127.0.0.1/32", "")
	const id = "edge:office"
	proven := "X-Catflap-Proxy-Secret: " + edgeSecret
	through := mode{host: "chat.example", id: id, lines: []string{ofOffice}, dial: func() *line { return dialQuietly(t, e.nginx) }}
	// dialQuietly is from 127.0.0.2, which from does not list.
	past := mode{host: "chat.example", dial: func() *line { return dialQuietly(t, e.addr) }}
	neighbour := mode{host: "chat.example", dial: func() *line { return dialAt(t, e.addr) }}
	for _, row := range []struct {
		name   string
		by     mode
		lines  []string
		status int
		id     string
	}{
		{"named by nginx", through, nil, 200, id},
		{"a header of the client's", through, []string{"X-Forwarded-User: root", "x-forwarded-user: root2"}, 200, id},
		{"its variants", through, []string{"X_Forwarded_User: root", "x.forwarded.user: root", "Remote-User: root"}, 200, id},
		{"groups of the client's", through, []string{"X-Forwarded-Groups: admins", "x_forwarded_groups: admins"}, 200, id},
		{"taken off by Connection", through, []string{"Connection: close, X-Forwarded-User, X-Catflap-Proxy-Secret"}, 200, id},
		{"a secret of the client's", through, []string{"X-Catflap-Proxy-Secret: x", "X_Catflap_Proxy_Secret: x"}, 200, id},
		{"a page of ours", through, []string{"Origin: http://chat.example"}, 200, id},
		{"another site's page", through, []string{"Origin: https://evil.example"}, 403, ""},
		{"another site's form", through, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, 403, ""},
		{"a token of the client's", through, []string{"access_token: " + alice()}, 200, idOf("alice")},
		{"a bad token of the client's", through, []string{"access_token: opaque"}, 401, ""},

		{"past it", past, []string{"X-Forwarded-User: office"}, 401, ""},
		{"past it, with the secret", past, []string{"X-Forwarded-User: office", proven}, 401, ""},
		{"past it, with its address", past, []string{"X-Forwarded-User: office", proven, "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1"}, 401, ""},

		{"beside it", neighbour, nil, 401, ""},
		{"beside it, with a name", neighbour, []string{"X-Forwarded-User: office"}, 401, ""},
		{"beside it, with another secret", neighbour, []string{"X-Forwarded-User: office", "X-Catflap-Proxy-Secret: " + strings.Repeat("x", 32)}, 401, ""},
		{"the secret", neighbour, []string{"X-Forwarded-User: office", proven}, 200, id},
		{"the secret, and a variant", neighbour, []string{"X_Forwarded_User: root", "X-FORWARDED-USER: office", proven}, 200, id},
		{"the secret, and two lines", neighbour, []string{"X-Forwarded-User: office", "X-Forwarded-User: root", proven}, 401, ""},
		{"the secret, and a list", neighbour, []string{"X-Forwarded-User: office, root", proven}, 401, ""},
		{"the secret, and nobody", neighbour, []string{"X-Forwarded-User:", proven}, 401, ""},
		{"the secret, taken off by Connection", neighbour, []string{"Connection: X-Forwarded-User, X-Catflap-Proxy-Secret", "X-Forwarded-User: office", proven}, 200, id},
	} {
		e.cat.tap.take()
		got := row.by.ask(t, "POST /message", `{"text":"hi"}`, row.lines...)
		if got.status != row.status {
			t.Errorf("%s: %d %s", row.name, got.status, clip(got.body, 300))
		}
		if arrived := e.cat.tap.take(); row.status != 200 {
			none(t, arrived)
		} else if a := exactlyOne(t, arrived, row.id); strings.Contains(strings.ToLower(string(a.raw)), "forwarded-user") || strings.Contains(string(a.raw), "admins") {
			t.Errorf("%s: the Cat got\n%s", row.name, a.raw)
		}
	}
	if got := through.ask(t, "GET /plugins/", "", "X-Forwarded-Groups: admins"); got.status != 403 {
		t.Errorf("groups of the client's make an administrator: %d", got.status)
	}
	noClientSecret(t, "all bytes to the Cat", e.cat.tap.bytes())
}

// TestForwardedAttacks: the tables of attacks, through a proxy that passes on all that a
// client sends, and adds its own headers.
func TestForwardedAttacks(t *testing.T) {
	t.Parallel()
	e := startEdge(t, "127.0.0.2/32", "")
	mode{
		host: "chat.example", id: "edge:carol", lines: []string{"X-Forwarded-User: carol", "X-Catflap-Proxy-Secret: " + edgeSecret},
		dial: func() *line { return dialQuietly(t, e.addr) },
	}.attack(t, e.cat)
	noClientSecret(t, "all bytes to the Cat", e.cat.tap.bytes())
}

// TestForwardedSocket: the chat works behind nginx, ends after max_life, and ends with the
// secret by which it was opened.
func TestForwardedSocket(t *testing.T) {
	t.Parallel()
	e := startEdge(t, "127.0.0.1/32", "max_life: 2s")
	open := func() *websocket.Conn {
		c, resp, err := (&websocket.Dialer{HandshakeTimeout: patience}).Dial("ws://"+e.nginx+"/ws/root", http.Header{
			"Authorization": {strings.TrimPrefix(ofOffice, "Authorization: ")}, "X-Forwarded-User": {"root"}, "Origin": {"http://chat.example"}, "Host": {"chat.example"},
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ends := func(what string, c *websocket.Conn) {
		t.Helper()
		_ = c.SetReadDeadline(time.Now().Add(patience))
		var err error
		for err == nil {
			_, _, err = c.ReadMessage()
		}
		if !websocket.IsCloseError(err, 4401) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ends("after max_life", open())

	text, err := os.ReadFile(e.configFile)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(e.configFile), "other.secret")
	if err := os.WriteFile(other, []byte(strings.Repeat("n", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	change := func(replacements ...string) {
		t.Helper()
		if err := os.WriteFile(e.configFile, []byte(strings.NewReplacer(replacements...).Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, body := e.reload(); status != 200 {
			t.Fatalf("reload: %d %s", status, body)
		}
	}
	change("max_life: 2s", "max_life: 8h")
	c := open()
	expectTurn(t, c, "hello", "edge:office")
	change("max_life: 2s", "max_life: 8h", "{env: EDGE_SECRET}", "{file: other.secret}")
	ends("when the secret was replaced", c)
}

// dialAt is dialQuietly from 127.0.0.1, where nginx is.
func dialAt(t testing.TB, addr string) *line {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, conn: conn}
	l.r = bufio.NewReader(io.TeeReader(l.conn, &l.all))
	return l
}
