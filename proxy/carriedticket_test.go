package proxy

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// TestACarrierBesideATicketOrASession: what a proxy in front adds to each request counts
// beside a ticket if both are one person's, and decides over a session.
func TestACarrierBesideATicketOrASession(t *testing.T) {
	l, _ := socketDesk(t, func(o *Options) {
		links := append([]authhandlers.Link{{Name: "edge", Alias: "edge", Handler: edge{"X-Edge"}, Headers: []string{"X-Edge"}}}, o.Chain.Links()...)
		var err error
		if o.Chain, err = authhandlers.NewChain(time.Now, links...); err != nil {
			t.Fatal(err)
		}
	})
	ticketOf := func(name string) string {
		t.Helper()
		req := l.request(t, http.MethodPost, ticketPage, "", "")
		req.Host = site.Host
		req.Header.Set("X-Edge", name)
		resp, text := l.send(t, req)
		var a struct{ Ticket string }
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.Ticket == "" {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
		return a.Ticket
	}
	for _, c := range []struct {
		name, beside string
		want         int
	}{
		{"the same person", "alice", 101},
		{"somebody else", "bob", 400},
		{"a bad one", "forged", 401},
		{"nobody's", "opaque", 401},
		{"a fault", "fault", 503},
	} {
		conn, resp, err := l.dial("/ws", http.Header{"X-Edge": {c.beside}}, "bearer", ticketOf("alice"))
		if resp == nil || resp.StatusCode != c.want {
			t.Errorf("%s: %v %v, want %d", c.name, resp, err, c.want)
		}
		if err == nil {
			if who := ask(t, conn); who != "edge:alice" {
				t.Errorf("%s: the Cat takes her for %q", c.name, who)
			}
			_ = conn.Close()
		}
	}
	conn, _, err := l.dial("/ws", nil, "bearer", ticketOf("alice"))
	if err != nil {
		t.Errorf("a ticket alone: %v", err)
	} else {
		_ = conn.Close()
	}
	b := l.browser(t)
	b.signIn("carol")
	for name, want := range map[string]struct {
		status int
		user   string
	}{"alice": {200, "edge:alice"}, "forged": {401, ""}, "opaque": {401, ""}} {
		resp, text := b.send(http.MethodGet, "/_catflap/session", "", map[string]string{"X-Edge": name})
		var a struct{ User struct{ ID string } }
		_ = json.Unmarshal([]byte(text), &a)
		if resp.StatusCode != want.status || a.User.ID != want.user {
			t.Errorf("%s beside carol's session: %d %s", name, resp.StatusCode, text)
		}
	}
}
