package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// askedRows sends the tables of attacks as somebody whose credential stands in one header
// line: what reaches the Cat is theirs by that credential, or nothing does.
func askedRows(t *testing.T, f *flap, cat *catBehindTap, id, credential string) {
	t.Helper()
	const placeholder = "\r\nAuthorization: Bearer the-place-of-the-credential\r\n"
	put := func(raw string) string {
		return strings.Replace(raw, placeholder, "\r\n"+credential+"\r\n", 1)
	}
	_, token, _ := strings.Cut(strings.TrimSpace(placeholder), "Bearer ")
	var headers struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &headers)
	for _, row := range headers.Rows {
		raw := row.request(f.addr, token)
		beside := slices.ContainsFunc(row.Lines, isCredential)
		if beside {
			raw = strings.Replace(raw, "\r\nContent-Type:", "\r\n"+credential+"\r\nContent-Type:", 1)
		} else {
			raw = put(raw)
		}
		cat.tap.take()
		got := exchange(t, f.addr, "POST", raw)
		arrived := cat.tap.take()
		if !beside {
			t.Run(row.ID, func(t *testing.T) { row.judge(t, got, arrived, id) })
			continue
		}
		// Beside another credential: nobody, or the same person.
		if got.status != 200 {
			none(t, arrived)
			continue
		}
		exactlyOne(t, arrived, id)
	}
	var paths pathTable
	loadRows(t, "paths.json", &paths)
	for _, row := range paths.HTTP {
		t.Run(row.ID, func(t *testing.T) {
			cat.tap.take()
			got := exchange(t, f.addr, row.Method, put(row.request(token)))
			row.judge(t, row.Base, got, cat.tap.take(), id)
		})
	}
	for n, path := range []string{"/ws", "/ws/user", "/ws/admin", "/ws/mallory%2f..", "/ws/../ws/admin", "/ws/" + id + "x"} {
		cat.tap.take()
		got := exchange(t, f.addr, "GET", "GET "+path+" HTTP/1.1\r\nHost: "+f.addr+"\r\n"+credential+"\r\nuser_id: admin\r\nX-User: admin\r\n"+upgradeLines+"\r\n")
		for _, a := range cat.tap.take() {
			if a.upgrades() {
				a.check(t, id)
			}
		}
		if got.status != 101 && got.status < 400 {
			t.Errorf("handshake %d: status %d", n, got.status)
		}
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

func isCredential(line string) bool {
	name, _, _ := strings.Cut(fold(line), "__")
	return slices.ContainsFunc([]string{"authorization", "access_token", "sec_websocket_protocol"}, func(n string) bool { return name == n })
}

// opaqueLines is a handler that asks an issuer about tokens.
func opaqueLines(issuer, endpoint, client, secretVariable, more string) string {
	return fmt.Sprintf(`- name: opaque
  type: introspection
  url: %s
  issuer: %s
  client_id: %s
  client_secret: {env: %s}
  groups: groups
  cache: 2s
%s`, endpoint, issuer, client, secretVariable, indent(more))
}

const opaquePermissions = "everyone: [base]\ngrants:\n  - {from: [opaque], groups: [/cat-admins], allow: [admin]}"
