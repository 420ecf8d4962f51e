package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// withDesk starts a Catflap with a desk for each provider.
func withDesk(t testing.TB, cat *catBehindTap, c config, desks ...desk) *flap {
	t.Helper()
	c.cat, c.desks = cat.tap.addr, desks
	for _, d := range desks {
		plant(d.secret)
	}
	return start(t, c)
}

// TestBrowserSignsIn: whoever opens a page is sent to the provider and comes back to
// that very page; from there on the cookie, which no script can read, is enough.
func TestBrowserSignsIn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		start func(testing.TB) (issuing, desk)
	}{
		{"oidc-provider", func(t testing.TB) (issuing, desk) { p := startProvider(t); return p, p.desk("company") }},
		{"keycloak", func(t testing.TB) (issuing, desk) { k := startKeycloak(t); return k, k.desk("company") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := startBrowser(t)
			idp, at := row.start(t)
			cat := startCat(t)
			f := withDesk(t, cat, config{}, at)
			p := b.person(t)
			tab := p.open()
			codes := tab.callbacks()
			const page = helloPage + "?a=b%20c&d=%2Fe"
			tab.signIn(f, idp, page, "alice")
			if got := tab.url(); got != f.public()+page {
				t.Errorf("back at %s, want %s", got, page)
			}
			if len(codes) != 1 {
				t.Errorf("%d callbacks", len(codes))
			}
			p.plantCookies(f)
			cat.saidBy(t, "company:"+aliceSub)

			tab.expectWho("company:" + aliceSub)
			tab.chat()
			tab.expectTurn("hello", "company:"+aliceSub)
			var status int
			tab.eval(`fetch("/message", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"text":"hi"}'}).then(r => r.status)`, &status)
			if status != 200 {
				t.Errorf("a message of the page was answered %d", status)
			}
			expectSessionCookie(t, p, tab, f)
			cat.saidBy(t, "company:"+aliceSub)
			cat.clean(t)
		})
	}
}

func expectSessionCookie(t testing.TB, p *person, tab *tab, f *flap) {
	t.Helper()
	c := p.cookies()[f.sessionCookie()]
	if c == nil || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Path != "/" || c.Domain != "localhost" || c.Secure || len(c.Value) < 43 {
		t.Errorf("the session's cookie: %+v", c)
	}
	var visible string
	tab.eval("document.cookie", &visible)
	if strings.Contains(visible, "catflap") {
		t.Errorf("a script sees %q", visible)
	}
}

// TestBrowserHasManyTabs: tabs that begin at once in a browser that has never been
// here all arrive, each at its own page; a callback that comes again goes on.
func TestBrowserHasManyTabs(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	p := b.person(t)
	tabs := make([]*tab, 8) // more than the rounds of a loop
	for i := range tabs {
		tabs[i] = p.open()
		tabs[i].visit("about:blank")
	}
	codes := tabs[0].callbacks()
	page := func(i int) string { return helloPage + "?tab=" + string(rune('0'+i)) }
	together := time.Now().Add(time.Second).UnixMilli()
	for i, tab := range tabs {
		tab.eval(fmt.Sprintf(`void setTimeout(() => { location.href = %s }, %d - Date.now())`, quoted(f.public()+page(i)), together), nil)
	}
	for _, tab := range tabs {
		tab.wait("asked for a password", `document.querySelector("input[name=password]")`)
	}
	for i, tab := range tabs {
		tab.identify(idp, "alice")
		tab.wait("back", `location.href == `+quoted(f.public()+page(i)))
		tab.expectWho("company:" + aliceSub)
	}
	p.plantCookies(f)
	for _, tab := range tabs {
		tab.expectWho("company:" + aliceSub)
	}

	again := <-codes
	if status := tabs[0].visit(again); status != 200 || tabs[0].url() != f.public()+page(0) {
		t.Errorf("a callback that comes again leads to %s: %d", tabs[0].url(), status)
	}
	step(tabs[0], "back", chromedp.NavigateBack())
	tabs[0].expectWho("company:" + aliceSub)

	somebody := b.person(t)
	stranger := somebody.open()
	if status := stranger.visit(again); status != 400 || !strings.Contains(stranger.text("main"), "login_attempt_of_another_browser") {
		t.Errorf("somebody else's callback was answered %d: %s", status, stranger.text("main"))
	}
	if c := somebody.cookies()[f.sessionCookie()]; c != nil {
		t.Errorf("somebody else's callback gave the cookie %+v", c)
	}
	cat.clean(t)
}

// TestBrowserChoosesProvider: with several there is a page to choose, an address
// that skips it, and a choice that is remembered.
func TestBrowserChoosesProvider(t *testing.T) {
	t.Parallel()
	b, idp, k, cat := startBrowser(t), startProvider(t), startKeycloak(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"), k.desk("partners"))
	p := b.person(t)
	tab := p.open()
	if status := tab.visit(f.public() + helloPage); status != 200 || !strings.HasPrefix(tab.url(), f.public()+"/_catflap/login?") {
		t.Errorf("at %s: %d", tab.url(), status)
	}
	if got := tab.text("main"); !strings.Contains(got, "The company desk") || !strings.Contains(got, "The partners desk") || strings.Contains(got, "last used") {
		t.Errorf("the page to choose: %s", got)
	}
	tab.click(`a[href*="idp=partners"]`)
	tab.identify(k, "bob")
	tab.at(f.public() + helloPage)
	tab.expectWho("partners:" + bobSub)
	tab.chat()
	tab.expectTurn("from the partners", "partners:"+bobSub)

	// Without the session the choice stays.
	p.forgetCookie(f, f.sessionCookie())
	tab.expectWho("")
	tab.visit(f.public() + helloPage) // both know bob still
	tab.at(f.public() + helloPage)
	tab.expectWho("partners:" + bobSub)

	p.forgetCookie(f, f.sessionCookie())
	tab.visit(f.public() + "/_catflap/login?choose=1&return_to=" + helloPage)
	if got := tab.text("a.primary"); !strings.Contains(got, "The partners desk") || !strings.Contains(got, "last used") {
		t.Errorf("first choice: %s", got)
	}
	tab.visit(f.public() + "/_catflap/login?idp=company&return_to=" + helloPage)
	tab.identify(idp, "alice")
	tab.at(f.public() + helloPage)
	tab.expectWho("company:" + aliceSub)
	if status := tab.visit(f.public() + "/_catflap/login?idp=nobody"); status != 404 {
		t.Errorf("an unknown provider: %d", status)
	}
}
