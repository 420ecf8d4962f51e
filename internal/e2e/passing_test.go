package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// foreignHeaders are headers by which other servers and proxies tell who somebody is,
// what they may, or where they came from, and some that nobody knows.
func foreignHeaders() []string {
	return []string{
		"X-Authentik-Username", "X-Authentik-Groups", "OIDC_CLAIM_sub", "OIDC-CLAIM-email", "X-Consumer-ID", "X-Consumer-Username", "X-Consumer-Groups",
		"Tailscale-User-Login", "Tailscale-User-Name", "X-Vouch-User", "X-Vouch-IdP-Claims-Groups", "X-Userinfo", "Id-Token", "X-ID-Token", "Apikey",
		"Api-Key", "X-Apikey", "Client-Cert", "Client-Cert-Chain", "DPoP", "X-Webauth-User", "X-Goog-Iap-Jwt-Assertion", "X-Amzn-Oidc-Identity",
		"Cf-Access-Authenticated-User-Email", "X-Azure-ClientIP", "X-Envoy-External-Address", "X-SSL-Client-Verify", "Remote-Groups", "X-Grafana-User",
		"X-Account-Id", "X-Email", "X-Roles", "X-Is-Admin", "X-Tenant-Id", "Baggage", "X-Csrf-Token", "X-Nobody-Knows", "Sec-CH-UA", "Via", "Early-Data",
	}
}

// TestOnlyListedHeadersPass: of a request's headers the usual ones reach the Cat and
// those that the operator names, spelt exactly so; of a handshake's none does.
func TestOnlyListedHeadersPass(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, catMore: "forward_headers: [X-Conversation-Id, hx-request]", websocket: "linger: 1s"})
	lines := []string{
		"Accept: text/html", "Accept-Language: it", "User-Agent: planted", "X-Requested-With: XMLHttpRequest", "X-Request-Id: r1", "Last-Event-ID: 7",
		"If-None-Match: \"e\"", "Cache-Control: no-cache", "Traceparent: 00-1-2-01", "Sec-Fetch-Site: same-origin", "X-Conversation-Id: c1", "HX-Request: true",
	}
	usual := len(lines)
	for _, name := range foreignHeaders() {
		lines = append(lines, name+": planted-"+name)
	}
	lines = append(lines, "X_Conversation_Id: planted-twin", "Connection: X-Conversation-Twin", "X-Conversation-Twin: planted-hop")
	cat.tap.take()
	got := exchange(t, f.addr, "POST", message(f.addr, alice(), lines...))
	if got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	a := exactlyOne(t, cat.tap.take(), idOf("alice"))
	for _, line := range lines[:usual] {
		name, value, _ := strings.Cut(line, ": ")
		if v := a.values(name); len(v) != 1 || v[0] != value {
			t.Errorf("%s at the Cat is %q, want %q", name, v, value)
		}
	}
	for _, field := range a.fields {
		if strings.Contains(field.value, "planted-") {
			t.Errorf("%s: %s reached the Cat", field.name, field.value)
		}
	}

	l := dial(t, f.addr)
	l.send("GET /ws HTTP/1.1\r\nHost: " + f.addr + "\r\nAuthorization: Bearer " + bob() + "\r\n" + strings.Join(lines[:len(lines)-2], "\r\n") + "\r\n" + upgradeLines + "\r\n")
	if got, err := l.receive("GET"); err != nil || got.status != 101 {
		t.Fatalf("%d, %v", got.status, err)
	}
	for _, field := range exactlyOne(t, cat.tap.take(), idOf("bob")).fields {
		switch fold(field.name) {
		case "host", "upgrade", "connection", "sec_websocket_key", "sec_websocket_version", "user_id", "user_agent", "x_forwarded_for", "x_forwarded_proto",
			"x_forwarded_host":
		default:
			t.Errorf("the handshake at the Cat has %s: %s", field.name, field.value)
		}
		if strings.Contains(field.value, "planted") {
			t.Errorf("%s: %s of a handshake reached the Cat", field.name, field.value)
		}
	}
}

// TestForeignHeadersCantBeListed: check refuses the names of identities and
// credentials, and says why.
func TestForeignHeadersCantBeListed(t *testing.T) {
	t.Parallel()
	for _, name := range foreignHeaders()[:36] {
		file := filepath.Join(t.TempDir(), "catflap.yaml")
		config{listen: "127.0.0.1:1", admin: "127.0.0.1:2", cat: "127.0.0.1:3", catMore: fmt.Sprintf("forward_headers: [X-Plugin, %s]", name)}.write(t, file)
		if code, said := command(t, "check", file); code == 0 || !strings.Contains(said, "forward_headers[1]") || !strings.Contains(said, "could say who") {
			t.Errorf("%s: exit %d, %s", name, code, said)
		}
	}
}
