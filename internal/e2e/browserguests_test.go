package e2e

import (
	"strings"
	"testing"
)

// withGuests starts a Catflap with desks, and a handler for guests behind them.
func withGuests(t testing.TB, cat *catBehindTap, guests string, desks ...desk) *flap {
	t.Helper()
	lines := strings.ReplaceAll(config{desks: desks}.deskLines(), "\n  ", "\n")
	return withDesk(t, cat, config{handlers: staffLines + strings.TrimPrefix(lines, "  ") + guests}, desks...)
}

// TestBrowserIsAGuestAndSignsIn: somebody goes on as a guest, chats, takes a copy of
// the conversation, signs in, and is the guest of before no more.
func TestBrowserIsAGuestAndSignsIn(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withGuests(t, cat, guestLines+"  keep_conversation: ask\n", idp.desk("company"))
	p := b.person(t)
	tab := p.open()
	tab.visit(f.public() + helloPage)
	tab.at(f.public() + "/_catflap/login")
	if got := tab.text("main"); !strings.Contains(got, "The company desk") || !strings.Contains(got, "Go on as a guest") || strings.Contains(got, "copy") {
		t.Errorf("the page to choose says %s", got)
	}
	tab.click("li:last-child a.button")
	tab.at(f.public() + helloPage) // a guest with base may see it
	w := tab.who()
	if w.SignedIn || w.User.Handler != "guests" || !strings.HasPrefix(w.User.ID, "guests:") {
		t.Fatalf("%+v", w)
	}
	tab.callbacks()
	tab.chat()
	tab.expectTurn("a guest was here", w.User.ID)
	cookie := "catflap-" + f.addr[strings.LastIndexByte(f.addr, ':')+1:] + "-at-guests"
	if c := p.cookies()[cookie]; c == nil || !c.HTTPOnly || c.SameSite != "Lax" || c.Path != "/" {
		t.Fatalf("the cookie: %+v", c)
	}
	again := p.open()
	again.visit(f.public() + helloPage)
	if g := again.who(); g.User.ID != w.User.ID {
		t.Errorf("another tab is %+v", g)
	}
	again.visit(f.public() + "/admin/")
	if got := again.text("main"); !strings.Contains(got, "You are here as a guest") || strings.Contains(got, "Sign out") {
		t.Errorf("what a guest may not: %s", got)
	}
	again.visit(f.public() + "/_catflap/home")
	if got := again.text("body"); !strings.Contains(got, "You are a guest") || !strings.Contains(got, "ends when you sign in") {
		t.Errorf("the home page of a guest: %s", got)
	}
	again.look("guest-home")
	var copied string
	tab.eval(`fetch("/_catflap/guest/conversation").then(r => r.text())`, &copied)
	if !strings.Contains(copied, "a guest was here") {
		t.Errorf("the copy of the conversation: %s", copied)
	}
	again.click("p.actions a.button")
	again.at(f.public() + "/_catflap/login")
	if got := again.text("main"); !strings.Contains(got, "Save a copy of it") {
		t.Errorf("the page to choose says %s", got)
	}
	again.look("guest-choose")
	again.click("li:first-child a.button")
	again.identify(idp, "alice")
	again.at(f.public() + "/_catflap/home")
	tab.expectWho("company:" + aliceSub)
	tab.expectClosed(4401)
	if c := p.cookies()[cookie]; c != nil {
		t.Errorf("the browser keeps %+v", c)
	}
	f.await("the Cat to forget", func() bool { return len(cat.History(w.User.ID)) == 0 })
	f.await("the guest's place to be free", func() bool {
		_, metrics := get(t.Context(), "http://"+f.admin+"/metrics")
		return strings.Contains(metrics, "catflap_guests 0\n")
	})
	tab.visit(f.public() + helloPage)
	tab.chat()
	tab.expectTurn("signed in", "company:"+aliceSub)
	again.visit(f.public() + "/_catflap/logout")
	p.plantCookies(f)
	again.click(`button.primary`)
	again.at(f.public() + "/_catflap/signed-out")
	tab.expectWho("")
	cat.clean(t)
}

// TestBrowserGuestOfAnotherOrigin: the example's page, of another origin of the same
// site, has its reader become a guest and chat; a page of an origin that is not listed
// makes nobody a guest.
func TestBrowserGuestOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	b, cat, e := startBrowser(t), startCat(t), startFrontEnd(t)
	f := start(t, config{cat: cat.tap.addr, handlers: manyGuests, permissions: "everyone: []", more: "origins: [" + e.origin + "]\n"})
	e.catflap.Store(f.public())
	tab := b.person(t).open()
	for range 2 { // the second time as the same guest
		tab.visit(e.origin + "/guest.html")
		tab.wait("connected", `document.querySelector("[role=status]").dataset.open == "yes"`)
		if got := tab.text("[role=status]"); got != "You are a guest" {
			t.Errorf("the page says %s", got)
		}
		tab.fill("#text", "as a guest")
		tab.click("form button")
		tab.wait("answered", `[...document.querySelectorAll("li.cat")].some(li => li.textContent == "You said: as a guest")`)
	}
	stranger := startFrontEnd(t)
	stranger.catflap.Store(f.public())
	other := b.person(t).open()
	other.visit(stranger.origin + "/guest.html")
	var got string
	other.eval(`fetch(`+quoted(f.public()+"/_catflap/guest")+`, {method: "POST", credentials: "include"}).then(() => "answered", () => "blocked")`, &got)
	if got != "blocked" {
		t.Errorf("a page of an origin that is not listed is %s", got)
	}
	_, metrics := get(t.Context(), "http://"+f.admin+"/metrics")
	if !strings.Contains(metrics, `catflap_handler_events_total{event="guest_made",handler="guests"} 1`+"\n") {
		t.Error("more or fewer than one guest was made")
	}
	cat.clean(t)
}
