package e2e

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"
)

// edgeHandlers take tokens of one issuer: from a header, from a cookie, and from the
// usual places. Their aliases tell which of them has decided.
const edgeHandlers = `- name: edge
  type: jwt
  issuer: ` + issuerName + `
  audiences: [catflap]
  algorithms: [EdDSA]
  keys: {jwks_file: staff.jwks.json}
  carrier: {header: X-Edge-Token}
- name: pages
  type: jwt
  issuer: ` + issuerName + `
  audiences: [catflap]
  algorithms: [EdDSA]
  keys: {jwks_file: staff.jwks.json}
  carrier: {cookie: edge_token}
- name: staff
  type: jwt
  issuer: ` + issuerName + `
  audiences: [catflap]
  algorithms: [EdDSA]
  keys: {jwks_file: staff.jwks.json}
`

// TestEdgeCarriers: one request has one credential, wherever a handler takes it from,
// and no page of a stranger's acts with it.
func TestEdgeCarriers(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: edgeHandlers, permissions: "everyone: [base]", websocket: "linger: 1s"})
	own := "Origin: " + publicURL(f.addr)
	_, port, _ := strings.Cut(f.addr, ":")
	host := "localhost:" + port
	for _, row := range []struct {
		name  string
		lines []string
		http  int
		ws    int
		alias string
	}{
		{"the header", []string{"X-Edge-Token: ME"}, 200, 101, "edge"},
		{"the header in lower case", []string{"x-edge-token: ME"}, 200, 101, "edge"},
		{"the cookie", []string{"Cookie: a=1; edge_token=ME; b=2"}, 200, 101, "pages"},
		{"the usual place", []string{"Authorization: Bearer ME"}, 200, 101, "staff"},
		{"both, the same", []string{"X-Edge-Token: ME", "Authorization: Bearer ME"}, 200, 101, "edge"},
		{"header and cookie, the same", []string{"Cookie: edge_token=ME", "X-Edge-Token: ME"}, 200, 101, "edge"},
		{"of two people", []string{"X-Edge-Token: ME", "Authorization: Bearer YOU"}, 400, 400, ""},
		{"of two people, the other way", []string{"X-Edge-Token: YOU", "access_token: ME"}, 400, 400, ""},
		{"two of one person", []string{"X-Edge-Token: ME", "Authorization: Bearer ME2"}, 400, 400, ""},
		{"header and cookie of two people", []string{"X-Edge-Token: ME", "Cookie: edge_token=YOU"}, 400, 400, ""},
		{"the header twice", []string{"X-Edge-Token: ME", "X-Edge-Token: ME"}, 400, 400, ""},
		{"the header twice, once empty", []string{"X-Edge-Token:", "X-Edge-Token: ME"}, 400, 400, ""},
		{"the header as a list", []string{"X-Edge-Token: ME, ME"}, 401, 401, ""},
		{"with a scheme", []string{"X-Edge-Token: Bearer ME"}, 401, 401, ""},
		{"an empty header", []string{"X-Edge-Token:"}, 401, 401, ""},
		{"the cookie twice", []string{"Cookie: edge_token=ME; edge_token=ME"}, 400, 400, ""},
		{"the cookie in two lines", []string{"Cookie: edge_token=ME", "Cookie: edge_token=YOU"}, 400, 400, ""},
		{"the cookie in quotes", []string{`Cookie: edge_token="ME"`}, 401, 401, ""},
		{"another spelling of the header", []string{"X_Edge_Token: ME"}, 401, 401, ""},
		{"another spelling of the cookie", []string{"Cookie: Edge_Token=ME"}, 401, 401, ""},
		{"forged", []string{"X-Edge-Token: FORGED"}, 401, 401, ""},
		{"forged, beside a good one", []string{"X-Edge-Token: FORGED", "Authorization: Bearer ME"}, 400, 400, ""},
		{"opaque", []string{"Cookie: edge_token=opaque"}, 401, 401, ""},
		{"Basic of a proxy beside it", []string{"X-Edge-Token: ME", "Authorization: Basic eA=="}, 200, 101, "edge"},
		{"our own page", []string{"X-Edge-Token: ME", own}, 200, 101, "edge"},
		{"our own page, by the cookie", []string{"Cookie: edge_token=ME", own}, 200, 101, "pages"},
		{"a stranger's page", []string{"X-Edge-Token: ME", "Origin: https://evil.example"}, 403, 403, ""},
		{"a stranger's page, by the cookie", []string{"Cookie: edge_token=ME", "Origin: https://evil.example"}, 403, 403, ""},
		{"a stranger's form", []string{"Cookie: edge_token=ME", "Sec-Fetch-Site: cross-site", "Origin: null"}, 403, 403, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			subject := "edge-" + fold(row.name)
			me := staff.token(subject)
			forged := me[:strings.LastIndexByte(me, '.')+1] + strings.Repeat("A", 86)
			fill := strings.NewReplacer("ME2", staff.token(subject), "ME", me, "YOU", staff.token("bob"), "FORGED", forged)
			lines := make([]string, len(row.lines))
			for i, l := range row.lines {
				lines[i] = fill.Replace(l)
			}
			c := carrying{name: row.name, http: row.http, socket: row.ws}
			cat.tap.take()
			id := row.alias + ":" + subject
			c.tryAs(t, cat, exchange(t, f.addr, "POST", request("POST /message", host, "", `{"text":"x"}`, lines...)), row.http, 200, id)
			handshake := append(lines, strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")...)
			c.tryAs(t, cat, exchange(t, f.addr, "GET", request("GET /ws/somebody", host, "", "", handshake...)), row.ws, 101, id)
		})
	}
	f.await("the audit log names the carriers", func() bool {
		return strings.Contains(f.log.String(), `"carrier":"header X-Edge-Token"`) && strings.Contains(f.log.String(), `"carrier":"cookie edge_token"`)
	})
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestIdentityHeadersBesideACarrier sends every row of the table with the token in a
// header of its own.
func TestIdentityHeadersBesideACarrier(t *testing.T) {
	t.Parallel()
	var table struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &table)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: edgeHandlers, permissions: "everyone: [base]"})
	for _, row := range table.Rows {
		t.Run(row.ID, func(t *testing.T) {
			cat.tap.take()
			person := staff.token("alice")
			if row.ID == "ih-054" {
				row.Expect = "strip" // another scheme stands beside a carrier
			}
			raw := row.request(f.addr, person)
			if usual := "\r\nAuthorization: Bearer " + person; row.has("authorization") {
				raw = strings.Replace(raw, "\r\n", "\r\nX-Edge-Token: "+person+"\r\n", 1)
			} else {
				raw = strings.Replace(raw, usual, "\r\nX-Edge-Token: "+person, 1)
			}
			row.judge(t, exchange(t, f.addr, "POST", raw), cat.tap.take(), "edge:alice")
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestPathsBesideACarrier sends every raw target of the table, the socket's too, with
// the token in a header of its own.
func TestPathsBesideACarrier(t *testing.T) {
	t.Parallel()
	var table pathTable
	loadRows(t, "paths.json", &table)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: edgeHandlers, permissions: "everyone: [base]", websocket: "linger: 1s", publicURL: "http://127.0.0.1"})
	alice := staff.token("alice")
	for _, row := range table.HTTP {
		t.Run(row.ID, func(t *testing.T) {
			cat.tap.take()
			raw := strings.Replace(row.request(alice), "\r\nAuthorization: Bearer ", "\r\nX-Edge-Token: ", 1)
			row.judge(t, row.Base, exchange(t, f.addr, row.Method, raw), cat.tap.take(), "edge:alice")
		})
	}
	for _, row := range table.WebSocket {
		if strings.Contains(row.Target, "token=") {
			continue // TestEdgeCarriers has two credentials
		}
		t.Run(row.ID, func(t *testing.T) {
			subject := "alice-" + row.ID
			cat.tap.take()
			raw := strings.Replace(row.handshake(subject, staff.token(subject)), "\r\nAuthorization: Bearer ", "\r\nX-Edge-Token: ", 1)
			raw = strings.ReplaceAll(raw, "staff:", "edge:")
			row.judgeHandshake(t, exchange(t, f.addr, "GET", raw), cat.tap.take(), "edge:"+subject)
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestAnEdgeTokensSocketEnds with the token, as every socket does.
func TestAnEdgeTokensSocketEnds(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: strings.ReplaceAll(edgeHandlers, "  carrier: {header", "  leeway: 0s\n  carrier: {header"), permissions: "everyone: [base]"})
	now := time.Now()
	token := staff.sign(map[string]any{
		"iss": issuerName, "aud": "catflap", "sub": "alice", "iat": now.Unix(), "exp": now.Add(2 * time.Second).Unix(), "jti": rand.Text(),
	})
	l := dial(t, f.addr)
	l.send(request("GET /ws", f.addr, "", "", append([]string{"X-Edge-Token: " + token}, strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")...)...))
	if got, err := l.receive("GET"); err != nil || got.status != 101 {
		t.Fatalf("%d %v", got.status, err)
	}
	f.await("the socket has ended", func() bool { return strings.Contains(f.log.String(), "4401") })
}
