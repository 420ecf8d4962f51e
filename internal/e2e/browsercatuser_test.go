package e2e

import (
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestBrowserSignsInAtTheCat: beside an identity provider an account at the Cat is a way
// to sign in that people choose. An administrator of the Cat then has the panel as ever:
// its chat, its users, its own way out.
func TestBrowserSignsInAtTheCat(t *testing.T) {
	t.Parallel()
	b, idp := startBrowser(t), startProvider(t)
	a := &atCat{}
	a.catBehindTap, _ = startCatOfTokens(t)
	plant(ownPassword)
	a.boss = a.AddAccount("boss", ownPassword, standin.FullPermissions())
	f := withDesk(t, a.catBehindTap, config{handlersMore: ownHandler, env: []string{"OWN_SECRET=" + catSecret}}, idp.desk("company"))
	p := b.person(t)
	tab := p.open()
	tab.visit(f.public() + "/admin/")
	tab.wait("a choice", `document.readyState == "complete" && document.querySelectorAll(".actions a").length == 2`)
	if got := tab.text("main"); !strings.Contains(got, "People of the Cat") || !strings.Contains(got, "The company desk") {
		t.Errorf("the choice is %s", got)
	}
	tab.click(`.actions a[href*="idp=cat"]`)
	form := `document.readyState == "complete" && document.querySelector("#password")`
	tab.wait("a form", form)
	tab.look("password")
	tab.fill("#username", "boss")
	tab.fill("#password", "not the password")
	tab.click("form button")
	tab.wait("told that it is wrong", `document.readyState == "complete" && document.querySelector("[role=alert]")`)
	tab.look("password-wrong")
	tab.fill("#username", "boss")
	tab.fill("#password", ownPassword)
	tab.click("form button")
	tab.at(f.public() + "/admin/")
	tab.wait("the panel signed in", `document.querySelector("#who").textContent == "Signed in as boss"`)
	p.plantCookies(f)
	tab.wait("its chat open", `!document.querySelector("#text").disabled`)
	tab.fill("#text", "from the panel")
	tab.click("#send")
	tab.wait("answered", `document.querySelector("#messages").innerText.includes("You said: from the panel")`)
	tab.visit(f.public() + "/admin/settings")
	tab.wait("the users listed", `[...document.querySelectorAll("#users li")].some(u => u.textContent.includes("boss"))`)
	tab.click("#logout")
	tab.at(f.public() + "/_catflap/signed-out")
	tab.visit(f.public() + "/admin/")
	tab.wait("the form again, since it was taken the last time", form)
}
