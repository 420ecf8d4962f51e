package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestBrowserSignsOut: the button ends the session, the socket and the provider's
// own session; signing out everywhere ends those of other browsers too.
func TestBrowserSignsOut(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	alice := "company:" + aliceSub
	here, there, bobs := b.person(t), b.person(t), b.person(t)
	chatting, button := here.open(), here.open()
	chatting.callbacks()
	chatting.signIn(f, idp, helloPage, "alice")
	chatting.chat()
	chatting.expectTurn("still here", alice)
	elsewhere := there.open()
	elsewhere.signIn(f, idp, helloPage, "alice")
	bob := bobs.open()
	bob.signIn(f, idp, helloPage, "bob")
	bob.chat()
	here.plantCookies(f)
	there.plantCookies(f)

	button.visit(f.public() + "/_catflap/logout")
	if got := button.text("main"); !strings.Contains(got, "Alice Tester") {
		t.Errorf("the page to sign out: %s", got)
	}
	chatting.expectWho(alice) // a GET ends nothing
	button.click(`button.primary`)
	button.at(f.public() + "/_catflap/signed-out")
	if got := button.text("main"); !strings.Contains(got, "You are signed out") {
		t.Errorf("afterwards: %s", got)
	}
	if idp.count("/session/end/confirm") == 0 {
		t.Error("the provider's own session was not ended")
	}
	chatting.expectClosed(4401)
	if c := here.cookies()[f.sessionCookie()]; c != nil {
		t.Errorf("the browser keeps %+v", c)
	}
	var status int
	chatting.eval(`fetch("/memory/conversation_history").then(r => r.status)`, &status)
	if status != 401 {
		t.Errorf("a request of the page afterwards: %d", status)
	}
	button.visit(f.public() + helloPage)
	button.wait("asked for a password again", `location.origin == `+quoted(idp.issuer())+` && document.querySelector("input[name=password]")`)
	elsewhere.expectWho(alice)
	elsewhere.chat()
	elsewhere.expectTurn("there all the same", alice)

	button.identify(idp, "alice")
	button.at(f.public() + helloPage)
	button.visit(f.public() + "/_catflap/logout")
	button.click(`button[name=everywhere]`)
	button.at(f.public() + "/_catflap/signed-out")
	elsewhere.expectClosed(4401)
	elsewhere.expectWho("")
	bob.expectTurn("not meant", "company:"+bobSub)
	cat.clean(t)
}

// TestBrowserIsSignedOutByProvider: what ends at the provider ends here at once, in
// the page that has a socket open.
func TestBrowserIsSignedOutByProvider(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	idp.control("backchannel?uri=" + f.public() + "/_catflap/backchannel-logout/company")
	alice, bob := b.person(t).open(), b.person(t).open()
	alice.signIn(f, idp, helloPage, "alice")
	alice.chat()
	alice.expectTurn("here", "company:"+aliceSub)
	bob.signIn(f, idp, helloPage, "bob")
	bob.chat()
	began := time.Now()
	idp.control("logout?user=alice")
	alice.expectClosed(4401)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	alice.expectWho("")
	bob.expectTurn("untouched", "company:"+bobSub)
	alice.visit(f.public() + helloPage)
	alice.wait("asked who it is", `location.origin == `+quoted(idp.issuer()))
}

// TestBrowserSeesRefusals: with visible_refusals a page's script learns why its
// handshake is refused.
func TestBrowserSeesRefusals(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{websocket: "visible_refusals: true"}, idp.desk("company"))
	p := b.person(t)
	tab := p.open()
	tab.signIn(f, idp, helloPage, "bob")
	p.forgetCookie(f, f.sessionCookie())
	cat.tap.take()
	tab.eval(`void (window.ended = undefined, window.socket = new WebSocket("/ws"), socket.onclose = (e) => { ended = {code: e.code, reason: e.reason} })`, nil)
	tab.expectClosed(4401)
	none(t, cat.tap.take())
}
