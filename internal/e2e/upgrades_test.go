package e2e

import (
	"slices"
	"strings"
	"testing"
)

// TestRefusedUpgradesForwardNothing: bytes piped behind a handshake are frames if
// it is accepted, and nothing if it is not. They are never a request to the Cat,
// not even a good one: a client that is refused must see the connection end.
func TestRefusedUpgradesForwardNothing(t *testing.T) {
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	piped := "GET /plugins/?smuggled=1 HTTP/1.1\r\nHost: cat\r\nuser_id: admin\r\n\r\n"
	key := "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, row := range []struct {
		name, lines string
		status      []int
	}{
		{"no credential", upgradeLines, []int{401}},
		{"bad credential", "Authorization: Bearer x.y.z\r\n" + upgradeLines, []int{401}},
		{"foreign origin", "Origin: https://evil.example\r\nAUTH" + upgradeLines, []int{403}},
		{"null origin", "Origin: null\r\nAUTH" + upgradeLines, []int{403}},
		{"two origins", "Origin: http://HOST\r\nOrigin: http://HOST\r\nAUTH" + upgradeLines, []int{400, 403}},
		{"origin with a suffix", "Origin: http://HOST.evil.example\r\nAUTH" + upgradeLines, []int{403}},
		{"origin of another scheme", "Origin: https://HOST\r\nAUTH" + upgradeLines, []int{403}},
		{"version 12", "AUTHConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n" + key, []int{400, 426}},
		{"no version", "AUTHConnection: Upgrade\r\nUpgrade: websocket\r\n" + key, []int{400, 426}},
		{"two versions", "AUTHConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 12\r\n" + key, []int{400, 426}},
		{"no key", "AUTHConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", []int{400}},
		{"short key", "AUTHConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n", []int{400}},
		{"two keys", "AUTH" + upgradeLines + key, []int{400}},
		{"with a length", "AUTHContent-Length: 5\r\n" + upgradeLines, []int{400}},
		{"with chunks", "AUTHTransfer-Encoding: chunked\r\n" + upgradeLines, []int{400}},
		{"two different tokens", "AUTHaccess_token: abc\r\n" + upgradeLines, []int{400}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cat.tap.take()
			l := dial(t, f.addr)
			defer l.close()
			lines := strings.NewReplacer("AUTH", "Authorization: Bearer "+alice()+"\r\n", "HOST", f.addr).Replace(row.lines)
			l.send("GET /ws/alice HTTP/1.1\r\nHost: " + f.addr + "\r\n" + lines + "\r\n" + piped)
			statuses, _ := l.drain()
			if len(statuses) == 0 || !slices.Contains(row.status, statuses[0]) {
				t.Errorf("answered %v, want one of %v first", statuses, row.status)
			}
			none(t, cat.tap.take())
			noSecret(t, "an answer", l.all.Bytes())
		})
	}
}

// TestOtherUpgrades: only a WebSocket is a reason to change the protocol.
func TestOtherUpgrades(t *testing.T) {
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	for _, row := range []struct{ name, lines string }{
		{"h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"},
		{"h2c without settings", "Connection: Upgrade\r\nUpgrade: h2c\r\n"},
		{"h2c and websocket", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c, websocket\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"},
		{"TLS", "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"},
		{"HTTP/2.0", "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n"},
		{"websocket without Connection", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"},
		{"websocket on a path that has none", upgradeLines},
	} {
		t.Run(row.name, func(t *testing.T) {
			cat.tap.take()
			got := exchange(t, f.addr, "GET", "GET / HTTP/1.1\r\nHost: "+f.addr+"\r\nAuthorization: Bearer "+alice()+"\r\n"+row.lines+"\r\n")
			if got.status == 101 {
				t.Error("the protocol was changed")
			}
			for _, a := range cat.tap.take() {
				a.check(t, idOf("alice"))
				if len(a.foldedValues("upgrade"))+len(a.foldedValues("http2_settings")) > 0 {
					t.Errorf("an upgrade was passed on: %q", a.raw)
				}
			}
		})
	}
}

// TestPipedFrames: a client must wait for the answer to its handshake (RFC 6455
// §4.1). What it sends before is frames of its own socket, or it is refused; it is
// nothing else to anybody.
func TestPipedFrames(t *testing.T) {
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	for name, piped := range map[string]string{
		"a frame":   maskedText(`{"text":"piped"}`),
		"a request": message(f.addr, alice()) + "GET /plugins/?smuggled=1 HTTP/1.1\r\nHost: cat\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			cat.tap.take()
			subject := "piper-" + strings.ReplaceAll(name, " ", "-")
			l := dial(t, f.addr)
			l.send("GET /ws HTTP/1.1\r\nHost: " + f.addr + "\r\nAuthorization: Bearer " + staff.token(subject) + "\r\n" + upgradeLines + "\r\n" + piped)
			a, err := l.receive("GET")
			if err != nil && !isHangUp(err) {
				t.Fatal(err)
			}
			switch arrived := cat.tap.take(); {
			case len(arrived) > 0:
				exactlyOne(t, arrived, idOf(subject))
			case a.status == 101:
				t.Error("a socket was opened without one at the Cat")
			}
		})
	}
	// A frame that is no frame ends the socket there, and nothing else.
	if got := asked(t, f, alice()); got != 200 {
		t.Errorf("afterwards, status %d", got)
	}
}
