package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/gorilla/websocket"
)

// carriers are the ways in which a client can show a token, each with the status that
// the Catflap answers.
func carriers(t *testing.T, f *flap, token string) map[string]int {
	t.Helper()
	got := map[string]int{"bearer, HTTP": asked(t, f, token)}
	got["access_token, HTTP"] = exchange(t, f.addr, "POST", request("POST /message", f.addr, "", `{"text":"hello"}`, "access_token: "+token)).status
	_, got["bearer, socket"] = openChat(t, f, "/ws", token)
	_, got["query, socket"] = openChat(t, f, "/ws/user?token="+token, "")
	d := websocket.Dialer{HandshakeTimeout: patience, Subprotocols: []string{"bearer", token}}
	c, resp, err := d.Dial("ws://"+f.addr+"/ws", nil)
	if resp == nil {
		t.Fatal(err)
	}
	if c != nil {
		_ = c.Close()
	}
	got["sub-protocol, socket"] = resp.StatusCode
	return got
}

// ticketOf is a ticket for the person of a token.
func ticketOf(t *testing.T, f *flap, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+f.addr+"/_catflap/ticket", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct{ Ticket string }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.Ticket == "" {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	plant(a.Ticket)
	return a.Ticket
}

// TestLogoutRefusesTokens: a back-channel logout at one Catflap ends what is open with a
// bearer token at both, and neither takes the token again in any way, also after a
// restart. A new token is taken.
func TestLogoutRefusesTokens(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"jwt", "oidc"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			idp, cat := startProvider(t), startCat(t)
			both := config{cat: cat.tap.addr}
			if kind == "jwt" {
				both = idp.config(cat.tap.addr)
			}
			both.desks = []desk{idp.desk("company")}
			c := startCoupleOf(t, both)
			idp.control("backchannel?uri=" + url.QueryEscape("http://"+c.a.addr+"/_catflap/backchannel-logout/company"))
			v := newVisitor(t, publicURL(c.a.addr))
			v.signIn(idp, "company", "bob") // the provider tells of the end of sessions alone
			token, stays := idp.signIn("catflap", "bob").Access, idp.signIn("catflap", "carol").Access
			for name, status := range carriers(t, c.a, token) {
				if status != 200 && status != 101 {
					t.Errorf("before: %s: %d", name, status)
				}
			}
			sockets := []*websocket.Conn{mustChat(t, c.a, token), mustChat(t, c.b, token)}
			bystander := mustChat(t, c.b, stays)
			tickets := []string{ticketOf(t, c.a, token), ticketOf(t, c.b, token)}
			requests := []<-chan int{slowly(t, c.a, token), slowly(t, c.b, token)}
			if s, err := turn(sockets[1], "the requests have begun"); err != nil || s.Type != "chat" {
				t.Fatalf("%v %v", s, err)
			}
			idp.control("logout?user=bob")
			for i, s := range sockets {
				if e := closedWith(s); e != 4401 {
					t.Errorf("socket %d is closed with %d", i, e)
				}
			}
			for i, r := range requests {
				if status := <-r; status != 401 {
					t.Errorf("request %d under way is answered %d", i, status)
				}
			}
			for i, f := range []*flap{c.a, c.b} {
				for name, status := range carriers(t, f, token) {
					if status != 401 {
						t.Errorf("Catflap %d, %s: %d", i, name, status)
					}
				}
				if _, status := openChat(t, f, "/ws/user?token="+tickets[i], ""); status != 401 {
					t.Errorf("Catflap %d, a ticket: %d", i, status)
				}
			}
			if s, err := turn(bystander, "still here?"); err != nil || s.Type != "chat" {
				t.Errorf("somebody else's socket: %v %v", s, err)
			}
			fresh := ""
			await(t, "a new token is taken", func() bool { // not one of the same second
				fresh = idp.signIn("catflap", "bob").Access
				return asked(t, c.b, fresh) == 200
			}, c.b.log.String)
			s := mustChat(t, c.a, fresh)
			if err := s.WriteMessage(websocket.TextMessage, []byte(`{"type":"catflap.token","token":"`+token+`"}`)); err != nil {
				t.Fatal(err)
			}
			if e := closedWith(s); e != 4401 {
				t.Errorf("a token frame: closed with %d", e)
			}
			c.b.kill()
			c.b.again()
			if got := asked(t, c.b, token); got != 401 {
				t.Errorf("after a restart: %d", got)
			}
		})
	}
}
