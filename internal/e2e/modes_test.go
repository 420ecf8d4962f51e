package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// mode is a way in by which a person is known without a token: by the connection, or by
// lines that a front proxy adds to each request.
type mode struct {
	host  string
	dial  func() *line
	lines []string
	id    string
}

// ask sends one request of the mode's person, the given lines first, and returns the answer.
func (m mode) ask(t testing.TB, what, body string, lines ...string) answer {
	t.Helper()
	l := m.dial()
	defer l.close()
	raw := append([]string{what + " HTTP/1.1"}, lines...)
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(strings.ToLower(line), "host:") }) {
		raw = append(raw, "Host: "+m.host)
	}
	raw = append(raw, m.lines...)
	if body != "" {
		raw = append(raw, "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)))
	}
	l.send(strings.Join(append(raw, "", body), "\r\n"))
	method, _, _ := strings.Cut(what, " ")
	a, err := l.receive(method)
	if err != nil && a.status == 0 && !isHangUp(err) {
		t.Fatalf("no answer to %q: %v", clip([]byte(strings.Join(raw, "|")), 300), err)
	}
	noSecret(t, "an answer", l.all.Bytes())
	return a
}

// attack sends what the tables of attacks have: whatever comes beside the person's own
// credential, nobody else reaches the Cat.
func (m mode) attack(t *testing.T, cat *catBehindTap) {
	t.Helper()
	var headers struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &headers)
	passed, bobCame := 0, false
	for _, row := range headers.Rows {
		if len(row.Trailers) > 0 || row.has("transfer-encoding") || row.has("content-length") {
			continue // how a body ends is the same in each mode
		}
		lines := row.filled(bob())
		for _, socket := range []bool{false, true} {
			cat.tap.take()
			var got answer
			if socket {
				got = m.ask(t, "GET /ws/mallory", "", append(lines, strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")...)...)
			} else {
				got = m.ask(t, "POST /message", `{"text":"hello","user_id":"admin"}`, lines...)
			}
			arrived := cat.tap.take()
			if got.status == 200 {
				passed++
			}
			if got.status >= 400 {
				none(t, arrived)
			}
			bobCame = bobCame || carriesToken(lines)
			for _, a := range arrived {
				// A good token decides. That person's socket may be opened again a moment later.
				if carriesToken(lines) || bobCame && a.upgrades() && strings.HasPrefix(a.target, "/ws/"+idOf("bob")+"?") {
					a.check(t, idOf("bob"))
					continue
				}
				a.check(t, m.id)
				if !socket && !row.has("x-forwarded-proto") { // which may be true
					row.stripped(t, a)
				}
			}
		}
	}
	if passed < 20 {
		t.Errorf("only %d rows got as far as the Cat", passed)
	}
	var paths pathTable
	loadRows(t, "paths.json", &paths)
	for _, row := range paths.HTTP {
		if strings.ContainsAny(row.Target, "\r\n ") || row.Method == "CONNECT" {
			continue
		}
		cat.tap.take()
		got := m.ask(t, row.Method+" "+latin1(row.Target), "")
		arrived := cat.tap.take()
		for _, a := range arrived {
			a.check(t, m.id)
		}
		if row.Base != "allow" && !strings.Contains(row.Target, "://") && got.status == 200 && len(arrived) > 0 {
			t.Errorf("%s %q passed, which is %s", row.Method, row.Target, row.Base)
		}
	}
	m.attackIDs(t, cat)
}

// attackIDs opens sockets under the names of others.
func (m mode) attackIDs(t *testing.T, cat *catBehindTap) {
	t.Helper()
	var paths pathTable
	loadRows(t, "paths.json", &paths)
	for _, row := range paths.WebSocket {
		if strings.Contains(row.Target, "token=") || strings.ContainsAny(row.Target, "\r\n ") {
			continue
		}
		cat.tap.take()
		_ = m.ask(t, "GET "+latin1(strings.ReplaceAll(row.Target, "ALICE_ID", idOf("alice"))), "", strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")...)
		for _, a := range cat.tap.take() {
			a.check(t, m.id)
		}
	}
}

// carriesToken reports lines with bob's token where tokens are read.
func carriesToken(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		name, value, _ := strings.Cut(strings.ToLower(line), ":")
		value = strings.TrimPrefix(strings.TrimSpace(value), "bearer ")
		return (name == "authorization" || name == "access_token") && strings.HasPrefix(value, "eyj")
	})
}

// dialTLS is dial for a listener with TLS.
func dialTLS(t testing.TB, addr string, c *tls.Config) *line {
	t.Helper()
	l := dialQuietly(t, addr)
	conn := tls.Client(l.conn, c)
	l.conn = conn
	l.r = bufio.NewReader(io.TeeReader(conn, &l.all))
	return l
}
