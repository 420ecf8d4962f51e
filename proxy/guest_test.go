package proxy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/anonymous"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/session"
)

const guestCookie = "catflap-8080-at-guests"

// newGuestDesk is newDesk with a handler for guests behind the others.
func newGuestDesk(t *testing.T, d *desk, change func(*anonymous.Config)) (*lab, *session.Manager) {
	t.Helper()
	var sessions *session.Manager
	l := newDesk(t, func(o *Options) {
		c := anonymous.NewConfig()
		if change != nil {
			change(c)
		}
		env := authtest.NewEnv(t, authtest.NewClock())
		env.Now, env.Keys = d.now, [][]byte{bytes.Repeat([]byte{1}, 32)}
		env.Cookie = session.HandlerCookie(publicURL, "guests")
		h, err := authhandlers.Open(t.Context(), c, env)
		if err != nil {
			t.Fatal(err)
		}
		links := append(append([]authhandlers.Link{}, o.Chain.Links()...), authhandlers.Link{
			Name: "guests", Alias: "guest", Handler: h, Permissions: []string{"STATUS:READ", "CONVERSATION:WRITE"},
		})
		if o.Chain, err = authhandlers.NewChain(d.now, links...); err != nil {
			t.Fatal(err)
		}
		sessions = o.Sessions
	}, d)
	return l, sessions
}

// guest returns who the browser is as a guest; empty: none.
func (b *browser) guest() string {
	b.t.Helper()
	_, text := b.script(http.MethodGet, "/_catflap/session", "")
	var a sessionAnswer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		b.t.Fatal(text)
	}
	if !a.Guest || a.SignedIn {
		return ""
	}
	return a.User.ID
}

// follow goes to an address as the links of our own pages do.
func (b *browser) follow(target string) *http.Response {
	b.t.Helper()
	resp, _ := b.send(http.MethodGet, target, "", map[string]string{
		"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin", "Accept": "text/html,*/*;q=0.8",
	})
	return resp
}

// TestEndedSessionIsNoGuest: its person is asked to sign in. Who chooses it on our own
// page goes on as a guest.
func TestEndedSessionIsNoGuest(t *testing.T) {
	d := &desk{title: "desk"}
	l, sessions := newGuestDesk(t, d, nil)
	b := l.browser(t)
	b.signIn("alice")
	if _, err := sessions.EndPerson(t.Context(), "https://idp.example/desk", "alice"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		resp, text := b.script(http.MethodPost, "/_catflap/guest", "")
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "session_ended") || len(resp.Cookies()) > 0 {
			t.Errorf("%d %s %v", resp.StatusCode, text, resp.Cookies())
		}
	}
	resp, _ := b.goTo("/_catflap/guest")
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound || !strings.HasPrefix(to, "/_catflap/login") {
		t.Errorf("typed in: %d %s", resp.StatusCode, to)
	}
	if resp, text := b.goTo("/_catflap/login?choose=1&return_to=/custom/page"); resp.StatusCode != http.StatusOK || !strings.Contains(text, `href="/_catflap/guest?return_to=%2Fcustom%2Fpage"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	resp = b.follow("/_catflap/guest?return_to=%2Fcustom%2Fpage")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/_catflap/guest?made=1&return_to=%2Fcustom%2Fpage" {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp = b.follow(resp.Header.Get("Location")); resp.Header.Get("Location") != "/custom/page" {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if b.is() != "" || !strings.HasPrefix(b.guest(), "guest:") {
		t.Errorf("%q, %q", b.is(), b.guest())
	}
}

// TestGuestWhoSignsIn: the guest is over, at the Cat too, and signing out brings none back.
func TestGuestWhoSignsIn(t *testing.T) {
	d := &desk{title: "desk"}
	l, _ := newGuestDesk(t, d, nil)
	b := l.browser(t)
	if resp, text := b.script(http.MethodPost, "/_catflap/guest", ""); resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	id := b.guest()
	if resp, text := b.script(http.MethodPost, "/message", `{"text":"hi"}`); resp.StatusCode != http.StatusOK || l.cat.last(t).Header.Get("User_id") != id {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	if resp, _ := b.script(http.MethodGet, "/custom/page", ""); resp.StatusCode != http.StatusForbidden {
		t.Errorf("what each signed-in person may: %d", resp.StatusCode)
	}
	if resp, text := b.goTo("/_catflap/home"); resp.StatusCode != http.StatusOK || !strings.Contains(text, "You are a guest") || strings.Contains(text, "Sign out") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if n := l.handler.Guests(); n != 1 {
		t.Errorf("%d guests", n)
	}
	old := cookies(b)
	b.signIn("alice")
	if b.is() != "desk:alice" || strings.Contains(cookies(b), guestCookie) || l.handler.Guests() != 0 {
		t.Errorf("%q with %s, %d guests", b.is(), cookies(b), l.handler.Guests())
	}
	forgotten := func() bool {
		r := l.cat.last(t)
		return r.Method == http.MethodDelete && r.URL.Path == "/memory/conversation_history" && r.Header.Get("User_id") == id
	}
	for end := time.Now().Add(10 * time.Second); !forgotten(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the Cat was not told: %+v", l.cat.last(t))
		}
	}
	b.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
	if b.is() != "" || b.guest() != "" {
		t.Errorf("after signing out: %q, %q", b.is(), b.guest())
	}
	if resp, _ := l.browser(t).send(http.MethodPost, "/message", `{"text":"x"}`, map[string]string{"Cookie": old, "Content-Type": "application/json", "Origin": publicURL}); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a copy of the cookie: %d", resp.StatusCode)
	}
}

// TestGuestsCopy: only a guest gets one, and only where it is offered.
func TestGuestsCopy(t *testing.T) {
	for _, keep := range []string{"never", "ask"} {
		d := &desk{title: "desk"}
		l, _ := newGuestDesk(t, d, func(c *anonymous.Config) { c.KeepConversation = keep })
		l.cat.answers(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(r.Method + " " + r.URL.Path + " " + r.Header.Get("User_id")))
		})
		b := l.browser(t)
		if resp, _ := b.goTo("/_catflap/guest/conversation"); resp.StatusCode == http.StatusOK {
			t.Errorf("%s: nobody's conversation", keep)
		}
		b.script(http.MethodPost, "/_catflap/guest", "")
		id := b.guest()
		resp, text := b.goTo("/_catflap/guest/conversation")
		if keep == "never" {
			if resp.StatusCode != http.StatusNotFound {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			continue
		}
		if resp.StatusCode != http.StatusOK || text != "GET /memory/conversation_history "+id || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%d %s %v", resp.StatusCode, text, resp.Header)
		}
		if _, text := b.goTo("/_catflap/login"); !strings.Contains(text, `href="/_catflap/guest/conversation"`) {
			t.Errorf("it is not offered: %s", text)
		}
		b.signIn("alice")
		if resp, _ := b.goTo("/_catflap/guest/conversation"); resp.StatusCode != http.StatusNotFound {
			t.Errorf("somebody who has signed in: %d", resp.StatusCode)
		}
	}
}

// TestGuestsTicket: it opens a socket of the guest's own, which ends when they sign in.
func TestGuestsTicket(t *testing.T) {
	d := &desk{title: "desk"}
	l, _ := newGuestDesk(t, d, nil)
	cat, err := standin.Start(standin.Options{APIKey: labKey, APIKeyWS: "the-cats-ws-key", JWTSecret: "long and random"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cat.Close() })
	base, err := url.Parse(cat.URL)
	if err != nil {
		t.Fatal(err)
	}
	l.handler.o.Cats = catAt(t, base)
	b := l.browser(t)
	b.script(http.MethodPost, "/_catflap/guest", "")
	id := b.guest()
	ticket, status := b.ticket(publicURL)
	if ticket == "" {
		t.Fatalf("no ticket: %d", status)
	}
	c, resp, err := l.dial("/ws?token="+ticket, http.Header{"Origin": {publicURL}})
	if err != nil {
		t.Fatalf("%v %v", err, resp)
	}
	defer c.Close()
	if who := ask(t, c); who != id || id == "" {
		t.Errorf("the Cat takes %q for %q", id, who)
	}
	other, _ := b.ticket(publicURL)
	b.signIn("alice")
	if b.is() != "desk:alice" {
		t.Errorf("it is %q", b.is())
	}
	if code, reason := closedWith(t, c); code != 4401 {
		t.Errorf("%d %q", code, reason)
	}
	if _, resp, err := l.dial("/ws?token="+other, http.Header{"Origin": {publicURL}}); err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a ticket of before: %v %v", resp, err)
	}
}
