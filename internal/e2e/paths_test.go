package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pathRow is a row of testdata/paths.json, of its HTTP or its WebSocket table.
type pathRow struct {
	ID        string `json:"id"`
	Method    string `json:"method"`
	Target    string `json:"target"`
	Base      string `json:"base_user"`
	Anonymous string `json:"anonymous"`
	Admin     string `json:"admin"`
	Alice     string `json:"signed_in_as_alice"`
	Why       string `json:"why"`
}

type pathTable struct {
	HTTP      []pathRow
	WebSocket []pathRow
}

// TestPaths sends every raw target of the table as three people.
func TestPaths(t *testing.T) {
	var table pathTable
	loadRows(t, "paths.json", &table)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	people := []struct {
		name, token, id string
		expect          func(pathRow) string
	}{
		{"base", alice(), idOf("alice"), func(r pathRow) string { return r.Base }},
		{"nobody", "", "", func(r pathRow) string { return r.Anonymous }},
		{"admin", root(), idOf("root"), func(r pathRow) string { return r.Admin }},
	}
	for _, row := range table.HTTP {
		for _, person := range people {
			t.Run(row.ID+"/"+person.name, func(t *testing.T) {
				cat.tap.take()
				got := exchange(t, f.addr, row.Method, row.request(person.token))
				row.judge(t, person.expect(row), got, cat.tap.take(), person.id)
			})
		}
	}
}

// request is the target as raw bytes. Host is the plain loopback address, as the
// absolute-form rows name it.
func (r pathRow) request(token string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", r.Method, latin1(r.Target))
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	if r.Method == "POST" || r.Method == "PUT" {
		b.WriteString("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	} else {
		b.WriteString("\r\n")
	}
	return b.String()
}

func (r pathRow) judge(t *testing.T, expect string, got answer, arrived []arrival, id string) {
	t.Helper()
	switch expect {
	case "allow":
		if r.Method == "TRACK" && got.status == 405 {
			none(t, arrived)
			return
		}
		exactlyOne(t, arrived, id)
		return
	case "configured":
		for _, a := range arrived {
			a.check(t, id)
		}
		return
	}
	none(t, arrived)
	allowed := map[string][]int{
		"400": {400, 404, 405, 501}, "401": {401, 405}, "403": {403, 404, 405},
		"401-or-cors": {401, 403, 405, 204, 200},
	}[expect]
	if r.Method == "OPTIONS" && r.Target == "*" {
		allowed = append(allowed, 200, 204) // answered by the server itself
	}
	if slices.Contains(allowed, got.status) {
		return
	}
	t.Errorf("%s: status %d, want %s: %s", r.Why, got.status, expect, clip(got.body, 300))
}

// TestWebSocketPaths does the same with handshakes; each row is a person of its
// own, since people share one socket at the Cat.
func TestWebSocketPaths(t *testing.T) {
	var table pathTable
	loadRows(t, "paths.json", &table)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, websocket: "linger: 1s"})
	for _, row := range table.WebSocket {
		t.Run(row.ID+"/alice", func(t *testing.T) {
			subject := "alice-" + row.ID
			token := staff.token(subject)
			cat.tap.take()
			got := exchange(t, f.addr, "GET", row.handshake(subject, token))
			row.judgeHandshake(t, got, cat.tap.take(), idOf(subject))
		})
		t.Run(row.ID+"/nobody", func(t *testing.T) {
			cat.tap.take()
			got := exchange(t, f.addr, "GET", row.handshake("", ""))
			row.judge(t, row.Anonymous, got, cat.tap.take(), "")
		})
	}
}

// handshake carries the token where the row says, or else in Authorization; the
// second token of a row is another person's.
func (r pathRow) handshake(subject, token string) string {
	target := latin1(r.Target)
	authorization := ""
	if token != "" {
		if !strings.Contains(target, "token=") {
			authorization = "Authorization: Bearer " + token + "\r\n"
		}
		target = strings.NewReplacer("token=T", "token="+token, "token=U", "token="+bob(), "ALICE_ID", idOf(subject)).Replace(target)
	}
	return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + authorization + upgradeLines + "\r\n"
}

const upgradeLines = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

func (r pathRow) judgeHandshake(t *testing.T, got answer, arrived []arrival, id string) {
	t.Helper()
	if strings.Contains(r.Alice, "rewrite") && got.status == 101 {
		exactlyOne(t, arrived, id)
		return
	}
	none(t, arrived)
	want := map[string][]int{
		"rewrite": {101}, "rewrite_or_403": {403, 404}, "403_or_rewrite": {403, 404}, "403": {403, 404}, "400": {400, 404},
	}[r.Alice]
	if slices.Contains(want, got.status) {
		return
	}
	t.Errorf("%s: status %d, want %s: %s", r.Why, got.status, r.Alice, clip(got.body, 300))
}
