package e2e

import (
	"strings"
	"testing"
)

// TestBrowserShowsAdminPanel: an administrator's session is all that the panel
// needs; its own button ends it.
func TestBrowserShowsAdminPanel(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	p := b.person(t)
	tab, other := p.open(), p.open()
	tab.signIn(f, idp, "/admin/", "alice")
	tab.wait("the panel signed in", `document.querySelector("#who").textContent == "Signed in as Alice Tester"`)
	var menu string
	tab.eval(`[...document.querySelectorAll("#menu a")].map(a => a.textContent).join()`, &menu)
	if menu != "Home,Memory,Plugins,Settings" {
		t.Errorf("its menu: %s", menu)
	}
	tab.wait("its chat open", `!document.querySelector("#text").disabled`)
	tab.fill("#text", "from the panel")
	tab.click("#send")
	tab.wait("answered", `document.querySelector("#messages").innerText.includes("You said: from the panel")`)
	p.plantCookies(f)

	tab.visit(f.public() + "/admin/plugins")
	tab.wait("the plugins listed", `document.querySelectorAll("#plugin-list li").length > 0`)
	tab.visit(f.public() + "/admin/settings")
	tab.wait("the users listed", `document.querySelectorAll("#users li").length > 0`)
	p.plantCookies(f)
	if got := tab.text("#error"); got != "" {
		t.Errorf("the panel says %s", got)
	}
	for _, a := range cat.tap.take() {
		if strings.HasPrefix(a.target, "/admin/") || a.target == "/favicon.ico" {
			continue // pages, and what the browser asks for by itself
		}
		a.check(t, "company:"+aliceSub)
	}

	other.visit(f.public() + helloPage)
	tab.click("#logout")
	tab.at(f.public() + "/_catflap/signed-out")
	for _, name := range []string{f.sessionCookie(), "ccat_user_token"} {
		if c := p.cookies()[name]; c != nil {
			t.Errorf("the browser keeps %+v", c)
		}
	}
	other.expectWho("")
	tab.visit(f.public() + "/admin/")
	tab.wait("asked who it is", `location.origin == `+quoted(idp.issuer())+` && document.querySelector("input[name=password]")`)
	cat.clean(t)
}

// TestBrowserKeepsPanelTokenWorthless: what the panel's script can read is worth
// nothing elsewhere.
func TestBrowserKeepsPanelTokenWorthless(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	tab, bob := b.person(t).open(), b.person(t).open()
	tab.signIn(f, idp, "/admin/", "alice")
	tab.wait("the panel signed in", `document.querySelector("#who").textContent`)
	var token string
	tab.eval(`document.cookie.split("; ").find(c => c.startsWith("ccat_user_token=")).split("=")[1]`, &token)
	if strings.Count(token, ".") != 2 {
		t.Fatal("the panel's token has no three parts")
	}
	plant(token)
	bob.signIn(f, idp, helloPage, "bob")
	cat.tap.take()
	for _, head := range []string{"Authorization: Bearer " + token, "access_token: " + token} {
		exchange(t, f.addr, "GET", "GET /plugins/ HTTP/1.1\r\nHost: "+f.addr+"\r\n"+head+"\r\n\r\n").refusal(t, 401)
	}
	if c, status := openChat(t, f, "/ws?token="+token, ""); c != nil || status != 401 {
		t.Errorf("a handshake with it: %d", status)
	}
	ask := `fetch("/memory/conversation_history", {headers: {Authorization: "Bearer ` + token + `"}}).then(r => r.status)`
	var status int
	bob.eval(ask, &status)
	if status != 401 {
		t.Errorf("in bob's browser it is answered %d", status)
	}
	none(t, withoutIcons(cat.tap.take()))
	tab.eval(ask, &status)
	if status != 200 {
		t.Errorf("beside its session it is answered %d", status)
	}
	cat.clean(t)
}
