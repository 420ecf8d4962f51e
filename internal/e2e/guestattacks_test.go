package e2e

import (
	"strings"
	"testing"
)

// TestGuestsNeverFromACredential: whatever carries a credential, good or bad, in any
// place, is no guest's, whatever cookie comes with it; nobody becomes one with it.
func TestGuestsNeverFromACredential(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: staffLines + manyGuests})
	g := f.mustBecome(t)
	for _, row := range []struct {
		name, query string
		lines       []string
		status      []int
	}{
		{"a token of nobody", "", []string{"Authorization: Bearer opaque"}, []int{401}},
		{"an expired token", "", []string{"Authorization: Bearer " + staff.tokenFor("alice", -1e12)}, []int{401}},
		{"a forged token", "", []string{"Authorization: Bearer " + alice()[:len(alice())-4] + "AAAA"}, []int{401}},
		{"an API key", "", []string{"Authorization: Bearer catflap_0123456789abcdef"}, []int{401}},
		{"the Cat's own key", "", []string{"Authorization: Bearer " + catKey}, []int{401}},
		{"Basic", "", []string{"Authorization: Basic dXNlcjpwdw=="}, []int{401}},
		{"Negotiate", "", []string{"Authorization: Negotiate dXNlcjpwdw=="}, []int{401}},
		{"no scheme", "", []string{"Authorization: secret"}, []int{400}},
		{"the legacy header", "", []string{"access_token: opaque"}, []int{401}},
		{"a token in the query", "?token=opaque", nil, []int{401}},
		{"a token in the query, escaped", "?%74oken=opaque", nil, []int{401}},
		{"the legacy header's name in the query", "?access_token=opaque", nil, []int{401}},
		{"a token among sub-protocols", "", []string{"Sec-WebSocket-Protocol: bearer, opaque"}, []int{401}},
		{"two credentials", "", []string{"Authorization: Bearer a", "access_token: b"}, []int{400}},
		{"the cookie twice", "", []string{"Cookie: " + g.cookie}, []int{401}},
		{"the cookie of another", "", []string{"Cookie: " + f.mustBecome(t).cookie}, []int{401}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cat.tap.take()
			cookie := "Cookie: " + g.cookie
			message := request("POST /message"+row.query, f.host(), "", `{"text":"x"}`, append(row.lines, cookie)...)
			handshake := append(append([]string{}, row.lines...), cookie)
			handshake = append(handshake, strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")...)
			for _, raw := range []string{message, request("GET /ws/user"+row.query, f.host(), "", "", handshake...)} {
				got := exchange(t, f.addr, "POST", raw)
				got.refusal(t, row.status...)
			}
			if !strings.Contains(row.name, "cookie") { // without one
				if next, got := f.become(t, row.lines...); next.cookie != "" && row.query == "" {
					t.Errorf("became a guest: %s", got.body)
				}
				got := exchange(t, f.addr, "POST", request("POST /_catflap/guest"+row.query, f.host(), "", "", append(row.lines, "Content-Length: 0")...))
				got.refusal(t, row.status...)
				if got.header.Get("Set-Cookie") != "" {
					t.Error("a refusal sets a cookie")
				}
			}
			none(t, cat.tap.take())
		})
	}
	if got := exchange(t, f.addr, "POST", request("POST /message", f.host(), alice(), `{"text":"x"}`, "Cookie: "+g.cookie)); got.status != 200 {
		t.Errorf("a person with a guest's cookie: %d", got.status)
	}
	exactlyOne(t, cat.tap.take(), idOf("alice"))
}

// TestGuestsCookieIsNotForged: what was not made here is nobody's.
func TestGuestsCookieIsNotForged(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f, elsewhere := start(t, config{cat: cat.tap.addr, handlers: manyGuests, permissions: "everyone: []"}), start(t, config{cat: cat.tap.addr, handlers: manyGuests, permissions: "everyone: []"})
	g := f.mustBecome(t)
	name, value, _ := strings.Cut(g.cookie, "=")
	_, foreign, _ := strings.Cut(elsewhere.mustBecome(t).cookie, "=")
	cat.tap.take()
	for what, forged := range map[string]string{
		"another Catflap's": foreign, "empty": "", "truncated": value[:len(value)/2], "longer": value + "A", "padded": value + "=", "a part of each": value[:50] + foreign[50:],
		"one letter changed": "B" + value[1:], "in quotes and more": `"` + value + `A"`, "an id": strings.TrimPrefix(g.id, "guests:"), "dots": "a.b.c",
	} {
		if got := (guest{cookie: name + "=" + forged}).says(t, f, "x"); got.status != 401 {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	for at := 0; at < len(value); at += 7 {
		swapped := []byte(value)
		swapped[at] = "AB"[swapped[at]&1^1]
		if string(swapped) == value {
			continue
		}
		if got := (guest{cookie: name + "=" + string(swapped)}).says(t, f, "x"); got.status != 401 {
			t.Errorf("changed at %d: %d", at, got.status)
		}
	}
	none(t, cat.tap.take())
	// Another site's page acts for nobody.
	for _, line := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Origin: null"} {
		if got := g.says(t, f, "x", line); got.status != 403 {
			t.Errorf("%s: %d", line, got.status)
		}
		if next, got := f.become(t, line); next.cookie != "" || got.status != 403 {
			t.Errorf("%s makes a guest: %d", line, got.status)
		}
	}
	none(t, cat.tap.take())
}

// TestAttackRowsAsGuest sends the rows of the tables with a guest's cookie.
func TestAttackRowsAsGuest(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: staffLines + manyGuests, websocket: "linger: 1s"})
	g := f.mustBecome(t)
	var headers struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &headers)
	var paths pathTable
	loadRows(t, "paths.json", &paths)
	withCookie := func(raw string, g guest) string {
		head, rest, _ := strings.Cut(raw, "\r\n")
		return head + "\r\n" + "Cookie: " + g.cookie + "\r\n" + rest
	}
	for _, row := range headers.Rows {
		raw := strings.Replace(row.request(f.addr, "opaque"), "\r\nAuthorization: Bearer opaque\r\nContent-Type", "\r\nContent-Type", 1)
		// The row's own lines come first, and the cookie last.
		raw = strings.Replace(raw, "\r\nContent-Type", "\r\nCookie: "+g.cookie+"\r\nContent-Type", 1)
		cat.tap.take()
		got := exchange(t, f.addr, "POST", raw)
		arrived := cat.tap.take()
		carries := false
		for _, line := range row.filled("opaque") {
			name, value, _ := strings.Cut(strings.ToLower(line), ":")
			carries = carries || (name == "authorization" || name == "access_token") && strings.Trim(value, " \t") != "" && strings.TrimSpace(value) != "bearer"
		}
		switch {
		case got.status == 200 && carries:
			t.Errorf("%s: a credential became a guest: %s", row.ID, row.Why)
		case got.status == 200:
			row.stripped(t, exactlyOne(t, arrived, g.id))
		case row.Expect == "strip" && !carries:
			t.Errorf("%s: %d, want 200: %s", row.ID, got.status, row.Why)
		default:
			none(t, arrived)
		}
	}
	for _, row := range paths.HTTP {
		cat.tap.take()
		got := exchange(t, f.addr, row.Method, withCookie(row.request(""), g))
		row.judge(t, row.Base, got, cat.tap.take(), g.id)
	}
	for _, row := range paths.WebSocket {
		if strings.Contains(row.Target, "token=") {
			continue // TestGuestsNeverFromACredential
		}
		one := f.mustBecome(t)
		cat.tap.take()
		got := exchange(t, f.addr, "GET", withCookie(strings.ReplaceAll(row.handshake("", ""), "ALICE_ID", one.id), one))
		row.judgeHandshake(t, got, cat.tap.take(), one.id)
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}
