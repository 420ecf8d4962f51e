package e2e

import (
	"strings"
	"testing"
)

// TestNamesAtTheServer: people of awkward names are each one person, the same in
// the header and in the path of the socket, as the Cat's own server reads both.
func TestNamesAtTheServer(t *testing.T) {
	t.Parallel()
	cat := startStack(t)
	f := start(t, config{cat: cat.addr, catMore: "insecure_open_cat: true", websocket: "linger: 0s"})
	known := map[string]string{}
	for i, subject := range []string{
		"alice", "Alice", "al ice", "alice ", " alice", "alice@example.com", "a/b", "a%2Fb", "a%252Fb", "..", ".", "../../etc", "a\\b", "a?b", "a#b",
		"a;b", "a:b", "staff:alice", "admin", "user", "~", "~7e", "-rf", "José", "jose\u0301", "日本語", "😀", "a,b", "a&token=x", "a=b", "'\"<>",
		strings.Repeat("x", 190), strings.Repeat("x", 200), strings.Repeat("x", 201), strings.Repeat("é", 500), "auth0|5f7c8ec7c33c6c004bbafe82",
	} {
		token := staff.token(subject)
		n, m := "name"+string(rune('A'+i)), ""
		exchange(t, f.addr, "GET", request("GET /?n="+n, f.addr, token, ""))
		if c, status := openChat(t, f, "/ws", token); c == nil {
			t.Errorf("%q: handshake was answered %d", subject, status)
			continue
		} else {
			_ = c.Close()
		}
		await(t, "the records of "+subject, func() bool {
			all := cat.all()
			if len(all[n]) == 1 {
				if users := all[n][0].users(); len(users) == 1 {
					m = users[0]
				}
			}
			return m != "" && chatted(all[""], m)
		}, func() string { return m })
		if other, taken := known[m]; taken {
			t.Errorf("%q and %q are one person, %s", subject, other, m)
		}
		known[m] = subject
		if !strings.HasPrefix(m, "staff:") || len(m) > 200 {
			t.Errorf("%q is %s", subject, m)
		}
	}
}

// chatted reports whether the server took a handshake for exactly this person.
func chatted(l []routed, id string) bool {
	for _, r := range l {
		if r.Method == "WS" && r.Path == "/ws/"+id && r.Route == "WS /ws/{user_id}" {
			return true
		}
	}
	return false
}
