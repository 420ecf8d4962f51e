package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
