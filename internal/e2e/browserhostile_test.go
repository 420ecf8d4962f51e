package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// TestBrowserRunsNothingInAdminPanel: what people and the model write is shown there
// as HTML. No script of it runs, and nothing leaves the page.
func TestBrowserRunsNothingInAdminPanel(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	var stolen atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	t.Cleanup(thief.Close)
	tab := b.person(t).open()
	tab.signIn(f, idp, "/admin/", "alice")
	tab.wait("its chat open", `!document.querySelector("#text").disabled`)
	tab.eval(`void (window.violations = [], document.addEventListener("securitypolicyviolation", (e) => violations.push(e.effectiveDirective)))`, nil)
	for i, row := range []struct{ payload, forbids string }{
		{`<img src=x onerror="window.ran=1;fetch('` + thief.URL + `')">`, "script-src-attr"},
		{`<svg onload="window.ran=1"></svg><img src="` + thief.URL + `/picture">`, "img-src"},
		{`<iframe srcdoc="<script>parent.ran=1</script>"></iframe><iframe src="` + thief.URL + `/frame"></iframe>`, "frame-src"},
		{`<link rel=stylesheet href="` + thief.URL + `/style">`, "style-src-elem"},
		{`<details open ontoggle="window.ran=1">x</details>`, "script-src-attr"},
	} {
		tab.eval(`void (violations.length = 0)`, nil)
		tab.fill("#text", row.payload)
		tab.click("#send")
		// The panel shows what was typed, and the Cat's answer, which repeats it.
		tab.wait("shown twice", fmt.Sprintf(`document.querySelectorAll("#messages > li").length == %d`, 2*i+2))
		tab.wait("held back by the policy", `violations.includes("`+row.forbids+`")`)
	}
	var ran bool
	tab.eval(`"ran" in window`, &ran)
	if ran {
		t.Error("what was written as a message has run")
	}
	if n := stolen.Load(); n != 0 {
		t.Errorf("%d requests left the page", n)
	}
	cat.clean(t)
}

// TestBrowserRefusesPanelToOthers: somebody who is no administrator reads so, and
// can sign in as somebody else, which ends what the first had open.
func TestBrowserRefusesPanelToOthers(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	p := b.person(t)
	tab, chatting := p.open(), p.open()
	tab.callbacks()
	tab.signIn(f, idp, "/admin/", "bob")
	if got := tab.text("main"); !strings.Contains(got, "No access") || !strings.Contains(got, "Bob Tester") {
		t.Errorf("bob reads %s", got)
	}
	if c := p.cookies()["ccat_user_token"]; c != nil {
		t.Errorf("bob has got the panel's cookie: %+v", c)
	}
	if slices.ContainsFunc(cat.tap.take(), func(a arrival) bool { return strings.HasPrefix(a.target, "/admin") }) {
		t.Error("bob has reached the panel")
	}
	p.plantCookies(f)
	chatting.visit(f.public() + helloPage)
	chatting.chat()
	chatting.expectTurn("as bob", "company:"+bobSub)

	tab.click("a.primary")
	tab.identify(idp, "alice")
	tab.at(f.public() + "/_catflap/home")
	chatting.expectClosed(4401)
	chatting.expectWho("company:" + aliceSub)
	p.plantCookies(f)
	cat.clean(t)
}
