package proxy

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/signin"
)

// newHome is a desk whose people go home to the address given.
func newHome(t *testing.T, home string, desks ...*desk) *lab {
	t.Helper()
	l := newDesk(t, nil, desks...)
	o := &l.handler.o
	var err error
	o.SignIn, err = signin.New(signin.Options{
		Chain: o.Chain, Sessions: o.Sessions, Pages: o.Pages, PublicURL: o.PublicURL, Origins: o.Origins, Prefix: PagePrefix, Home: home,
		Own: func(path string) bool { return strings.HasPrefix(path, PagePrefix) || cat.OwnLogin(path) }, Now: desks[0].now, Log: o.Log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNobodyEndsAtTheCatsJSON: each way of a person that leads to no page in
// particular leads home.
func TestNobodyEndsAtTheCatsJSON(t *testing.T) {
	for _, home := range []string{homePage, "/static/chat.html", "https://app.example.com/chat"} {
		l := newHome(t, home, &desk{title: "desk"})
		b := l.browser(t)
		leads := func(what string, resp *http.Response) {
			t.Helper()
			if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != home {
				t.Errorf("%s leads to %q: %d; want %q", what, got, resp.StatusCode, home)
			}
		}
		to, _ := b.goTo("/")
		if got := to.Header.Get("Location"); got != "/_catflap/login" {
			t.Errorf("a stranger at / is sent to %q", got)
		}
		state := b.begin("?idp=desk")
		leads("signing in", b.finish(state, "alice"))
		leads("a callback that comes again", b.finish(state, "alice"))
		leads("a callback that means nothing", b.finish("nonsense", "alice"))
		for _, target := range []string{"/", "/_catflap/login", "/_catflap/login?return_to=/", "/_catflap/login?return_to=//evil.example", "/_catflap/login?return_to=/_catflap/logout"} {
			resp, _ := b.goTo(target)
			leads(target, resp)
		}
		if _, text := b.goTo("/_catflap/logout"); !strings.Contains(text, `href="`+home+`">Stay signed in`) {
			t.Errorf("staying signed in leads elsewhere:\n%s", text)
		}
		if n := l.cat.count(); n != 0 {
			t.Errorf("%d requests have reached the Cat", n)
		}
		// Programs read the Cat's answer there.
		if resp, text := b.script(http.MethodGet, "/", ""); resp.StatusCode != http.StatusOK || text != `{"ok":true}` {
			t.Errorf("a script at /: %d %s", resp.StatusCode, text)
		}
		if resp, _ := b.goTo("/custom/page"); resp.StatusCode != http.StatusOK {
			t.Errorf("another page: %d", resp.StatusCode)
		}
	}
}

// TestHome: it says who is signed in, and leads to what this person may open.
func TestHome(t *testing.T) {
	for _, c := range []struct {
		home, name string
		has, not   []string
	}{
		{homePage, "alice", []string{"<strong><bdi>ALICE</bdi></strong>", "no page to chat on", `href="/_catflap/logout"`}, []string{"/admin"}},
		{homePage, "admin", []string{"ADMIN", `href="/admin/"`, `href="/_catflap/logout"`}, []string{"no page to chat on"}},
		{"/static/chat.html", "alice", []string{"ALICE", `href="/static/chat.html"`}, []string{"/admin", "no page to chat on"}},
		{"https://app.example.com/", "admin", []string{`href="https://app.example.com/"`, `href="/admin/"`}, nil},
	} {
		b := newHome(t, c.home, &desk{title: "desk"}).browser(t)
		b.signIn(c.name)
		resp, text := b.goTo(homePage)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s of %s: no %s in\n%s", c.home, c.name, want, text)
			}
		}
		for _, bad := range append(c.not, "was not", "sent back") {
			if strings.Contains(text, bad) {
				t.Errorf("%s of %s: %s in\n%s", c.home, c.name, bad, text)
			}
		}
	}
	b := newHome(t, homePage, &desk{title: "desk"}).browser(t)
	if resp, _ := b.goTo(homePage); resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "/_catflap/login" {
		t.Errorf("a stranger: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, _ := b.script(http.MethodPost, homePage, "{}"); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", resp.StatusCode)
	}
}

// TestBackToListedOrigins: a page of a listed origin gets its people back, and
// nobody else's page does; which is said.
func TestBackToListedOrigins(t *testing.T) {
	const listed, foreign = "https://app.example.com/chat?a=b#top", "https://app.example.com.evil.example/chat"
	l := newHome(t, homePage, &desk{title: "desk"}, &desk{title: "partners"})
	for to, want := range map[string]string{
		listed:                      listed,
		publicURL + "/custom/page":  "/custom/page",
		foreign:                     homePage + "?unlisted=1",
		"//evil.example/":           homePage,
		"https://evil.example\\@a/": homePage,
	} {
		b := l.browser(t)
		query := "&return_to=" + url.QueryEscape(to)
		if resp := b.finish(b.begin("?idp=desk"+query), "alice"); resp.Header.Get("Location") != want {
			t.Errorf("%s leads to %s", to, resp.Header.Get("Location"))
		}
		if resp, _ := b.goTo("/_catflap/login?x" + query); resp.Header.Get("Location") != want {
			t.Errorf("signed in, %s leads to %s", to, resp.Header.Get("Location"))
		}
		if _, text := l.browser(t).goTo("/_catflap/login?choose=1" + query); strings.Contains(text, "evil") || (to == listed) != strings.Contains(text, url.QueryEscape(listed)) {
			t.Errorf("the page to choose after %s:\n%s", to, text)
		}
	}
	b := l.browser(t)
	b.signIn("alice")
	if _, text := b.goTo(homePage + "?unlisted=1"); !strings.Contains(text, "You were not sent back") {
		t.Errorf("nothing is said:\n%s", text)
	}
}

// TestPagesForPeople: a page says in a person's words what happened, and has a way on.
func TestPagesForPeople(t *testing.T) {
	d := &desk{title: "desk"}
	d.answersTo("cancel", authhandlers.Reject(authhandlers.CodeLoginDenied, "the sign-in was cancelled, or your provider does not let you in here", "access_denied"))
	l := newHome(t, "/static/chat.html", d)
	b := l.browser(t)
	b.signIn("alice")
	const home = `href="/static/chat.html"`
	for _, c := range []struct {
		target   string
		status   int
		has, not []string
	}{
		{"/custom//page", 400, []string{"<bdi>This address does not work</bdi>", "In detail: The path holds an empty segment", home}, []string{"alert"}},
		{"/custom/%2f", 400, []string{"<bdi>This address does not work</bdi>", home}, nil},
		{"/_catflap/nothing", 404, []string{"<bdi>There is no such page</bdi>", "Check the address.", home}, []string{"alert"}},
		{"/plugins/", 403, []string{"No access", "ALICE", home, "Sign in as somebody else"}, nil},
		{"/static/chat.html/../x", 400, []string{home}, nil},
		{"/_catflap/signed-out", 200, []string{"You are signed in as", "Stay signed in", home}, []string{"You are signed out"}},
		{"/_catflap/login?idp=nobody", 404, []string{"There is no such way to sign in"}, nil},
	} {
		resp, text := b.goTo(c.target)
		if resp.StatusCode != c.status {
			t.Errorf("%s: %d", c.target, resp.StatusCode)
		}
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", c.target, want, text)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %s in\n%s", c.target, bad, text)
			}
		}
	}
	if _, text := l.browser(t).goTo("/_catflap/signed-out"); !strings.Contains(text, "You are signed out") {
		t.Errorf("without a session:\n%s", text)
	}
	c := l.browser(t)
	resp, text := c.goTo("/_catflap/callback?" + url.Values{"state": {c.begin("")}, "code": {"cancel"}}.Encode())
	if resp.StatusCode != http.StatusForbidden || strings.Contains(text, "alert") || !strings.Contains(text, "<p>The sign-in was cancelled, or your provider does not let you in here.</p>") || !strings.Contains(text, "Try again") {
		t.Errorf("a cancelled sign-in: %d\n%s", resp.StatusCode, text)
	}
}

// TestNoPageLeadsToItself: the start page that refuses somebody has a way on, too.
func TestNoPageLeadsToItself(t *testing.T) {
	b := newHome(t, "/plugins/?x=1", &desk{title: "desk"}).browser(t)
	b.signIn("alice")
	if resp, text := b.goTo("/plugins/?x=1"); resp.StatusCode != http.StatusForbidden || !strings.Contains(text, `href="`+homePage+`"`) || strings.Contains(text, `href="/plugins/`) {
		t.Errorf("%d\n%s", resp.StatusCode, text)
	}
}
