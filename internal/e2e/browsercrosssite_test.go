package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostileSite is a page of another site than Catflap's: an address of its own.
func hostileSite(t testing.TB) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>Free kittens</title><body>`)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestBrowserKeepsOtherSitesOut: a page of another site, open beside the person's
// session, tries all that a page can; nothing works, and the session lives.
func TestBrowserKeepsOtherSitesOut(t *testing.T) {
	t.Parallel()
	b, idp, cat, evil := startBrowser(t), startProvider(t), startCat(t), hostileSite(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	p := b.person(t)
	own, other := p.open(), p.open()
	own.signIn(f, idp, helloPage, "alice")
	own.chat()
	own.expectTurn("before", "company:"+aliceSub)
	cat.tap.take()
	other.visit(evil.URL)
	other.eval(`void (window.catflap = `+quoted(f.public())+`)`, nil)

	for name, try := range map[string]string{
		"reading":        `fetch(catflap + "/memory/conversation_history", {credentials: "include"}).then(r => r.text())`,
		"the session":    `fetch(catflap + "/_catflap/session", {credentials: "include"}).then(r => r.text())`,
		"a ticket":       `fetch(catflap + "/_catflap/ticket", {method: "POST", credentials: "include"}).then(r => r.text())`,
		"writing":        `fetch(catflap + "/message", {method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}, body: '{"text":"boo"}'}).then(r => r.text())`,
		"a socket":       `new Promise((yes, no) => { const s = new WebSocket(catflap.replace("http", "ws") + "/ws"); s.onopen = () => yes("open"); s.onclose = no; })`,
		"a picture":      `new Promise((yes, no) => { const i = new Image(); i.onload = () => yes("shown"); i.onerror = no; i.src = catflap + "/_catflap/logout"; })`,
		"the Cat's door": `new Promise((yes, no) => { const i = new Image(); i.onload = () => yes("shown"); i.onerror = no; i.src = catflap + "/auth/login"; })`,
	} {
		var got string
		other.eval(`Promise.resolve(`+try+`).then(v => "worked: " + v, () => "refused")`, &got)
		if got != "refused" {
			t.Errorf("%s %s", name, got)
		}
	}
	// What can't be read may have been done: without an answer, or with a form.
	other.eval(`Promise.all(["/message", "/_catflap/logout", "/memory/conversation_history"].map(path =>
		fetch(catflap + path, {method: "POST", mode: "no-cors", credentials: "include", body: '{"text":"boo"}'})))`, nil)
	other.eval(`fetch(catflap + "/memory/conversation_history", {mode: "no-cors", credentials: "include"})`, nil)
	for _, path := range []string{"/message", "/_catflap/logout"} {
		other.visit(evil.URL)
		other.eval(`void (document.body.innerHTML = '<form method=post enctype=text/plain action="`+f.public()+path+`"><input name="{&quot;text&quot;:&quot;boo&quot;,&quot;x&quot;:&quot;" value="&quot;}"></form>', document.forms[0].submit())`, nil)
		other.wait("answered", `location.pathname == "`+path+`" && document.readyState == "complete"`)
		if got := other.text("body"); !strings.Contains(got, "cross_site_request") && !strings.Contains(got, "Not signed out") && !strings.Contains(got, "login_url") && !strings.Contains(got, "sign in") {
			t.Errorf("a form to %s: %s", path, got)
		}
		own.expectWho("company:" + aliceSub)
	}
	// A link of theirs to the Cat's login signs nobody out.
	other.visit(evil.URL)
	other.eval(`void (location.href = `+quoted(f.public()+"/auth/login")+`)`, nil)
	other.wait("asked", `location.pathname == "/auth/login" && document.querySelector("form")`)
	own.expectWho("company:" + aliceSub)
	none(t, withoutIcons(cat.tap.take()))

	// The admin panel shows itself in nobody's frame.
	other.visit(evil.URL)
	other.eval(`new Promise(done => { const i = document.createElement("iframe"); i.onload = done; i.src = `+quoted(f.public()+"/admin/")+`; document.body.append(i); })`, nil)
	var shown bool
	other.eval(`(() => { try { return document.querySelector("iframe").contentDocument != null } catch { return false } })()`, &shown)
	for _, a := range withoutIcons(cat.tap.take()) {
		if strings.Contains(string(a.raw), aliceSub) {
			t.Errorf("the frame reached the Cat as alice:\n%s", a.raw)
		}
	}
	if shown {
		t.Error("the frame's content is readable")
	}
	own.expectWho("company:" + aliceSub)
	own.expectTurn("after", "company:"+aliceSub)
	p.plantCookies(f)
	cat.clean(t)
}

// withoutIcons leaves out what a browser asks for by itself, whatever it shows.
func withoutIcons(l []arrival) []arrival {
	return slices.DeleteFunc(l, func(a arrival) bool { return a.target == "/favicon.ico" })
}

// TestBrowserFrontEndOfAnotherOrigin: the example's page, of another origin of the
// same site, chats with a ticket, and holds nothing else.
func TestBrowserFrontEndOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	var catflap string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		if name == "/" {
			name = "index.html"
		}
		text, err := os.ReadFile(filepath.Join(repository, "examples", "front-end", name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", map[string]string{".js": "text/javascript", ".html": "text/html; charset=utf-8"}[filepath.Ext(name)])
		_, _ = w.Write([]byte(strings.Replace(string(text), `data-catflap="http://localhost:8080"`, `data-catflap="`+catflap+`"`, 1)))
	}))
	t.Cleanup(app.Close)
	origin := publicURL(strings.TrimPrefix(app.URL, "http://"))
	f := withDesk(t, cat, config{more: "origins: [" + origin + "]\n"}, idp.desk("company"))
	catflap = f.public()

	p := b.person(t)
	page, login := p.open(), p.open()
	page.visit(origin + "/")
	page.wait("asked to sign in", `document.querySelector("[role=status] a")`)
	var href string
	page.eval(`document.querySelector("[role=status] a").href`, &href)
	if href != f.public()+"/_catflap/login" {
		t.Errorf("the way in is %s", href)
	}
	login.signIn(f, idp, helloPage, "alice")
	cat.tap.take()
	page.eval(`void window.dispatchEvent(new Event("focus"))`, nil)
	page.wait("connected", `document.querySelector("[role=status]").dataset.open == "yes"`)
	if got := page.text("[role=status]"); got != "Signed in as Alice Tester" {
		t.Errorf("the page says %s", got)
	}
	page.fill("#text", "from elsewhere")
	page.click("form button")
	page.wait("answered", `[...document.querySelectorAll("li.cat")].some(li => li.textContent == "You said: from elsewhere")`)
	cat.saidBy(t, "company:"+aliceSub)

	// The ticket is for that page alone, and for one socket.
	var ticket string
	page.eval(`fetch(`+quoted(f.public())+` + "/_catflap/ticket", {method: "POST", credentials: "include"}).then(r => r.json()).then(b => b.ticket)`, &ticket)
	if ticket == "" {
		t.Fatal("no ticket")
	}
	plant(ticket)
	open := `new Promise(done => { const s = new WebSocket(` + quoted(strings.Replace(f.public(), "http", "ws", 1)+"/ws?token="+ticket) + `); s.onopen = () => done("open"); s.onclose = () => done("refused"); })`
	var first, second string
	page.eval(open, &first)
	page.eval(open, &second)
	if first != "open" || second != "refused" {
		t.Errorf("with one ticket twice: %s, %s", first, second)
	}
	p.plantCookies(f)
	cat.clean(t)
}
