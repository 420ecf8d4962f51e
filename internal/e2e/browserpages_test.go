package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// look holds a page to what everybody needs: axe finds nothing, and nothing is cut
// off, in light and in dark, on the narrowest screen and on a wide one. Pictures of
// them are among the test's artifacts (go test -artifacts keeps them).
func (b *tab) look(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{320, 1100} {
			b.put(scheme, width)
			seen := fmt.Sprintf("%s-%s-%d", name, scheme, width)
			var wide string
			b.eval(`document.documentElement.scrollWidth > innerWidth ? [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 80)).join("\n") || "wider" : ""`, &wide)
			if wide != "" {
				b.t.Errorf("%s: cut off at the side:\n%s", seen, wide)
			}
			b.eval(axe(b.t), nil)
			var found string
			b.eval(`axe.run(document).then(r => r.violations.concat(r.incomplete.filter(v => v.id == "color-contrast")).map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.html.slice(0, 160) + "\n    " + n.failureSummary).join("\n")).join("\n"))`, &found)
			if found != "" {
				b.t.Errorf("%s: axe finds\n%s", seen, found)
			}
			picture := step(b, "a picture of "+seen, chromedp.FullScreenshot(100))
			if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), seen+".png"), picture, 0o600); err != nil {
				b.t.Error(err)
			}
		}
	}
}

// put gives the tab a width and a colour scheme.
func (b *tab) put(scheme string, width int64) {
	b.t.Helper()
	step(b, "a width", chromedp.EmulateViewport(width, 800))
	step(b, "a scheme", chromedp.Action[struct{}](func(ctx context.Context, _ *chromedp.Target) (struct{}, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return struct{}{}, err
	}))
}

// axe is the program of axe-core, as an expression.
func axe(t testing.TB) string {
	t.Helper()
	parts.Need(t, installed.HaveNode())
	text, err := os.ReadFile(filepath.Join(installed.NodeModules(), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return "void (() => {" + string(text) + "\n})()"
}

// TestBrowserPagesAreForEverybody: each page of Catflap's own.
func TestBrowserPagesAreForEverybody(t *testing.T) {
	t.Parallel()
	b, idp, cat := startBrowser(t), startProvider(t), startCat(t)
	f := withDesk(t, cat, config{}, idp.desk("company"), idp.desk("partners"))
	visit := func(tab *tab, name, path, says string) {
		t.Helper()
		tab.visit(f.public() + path)
		tab.wait(name, `document.readyState == "complete" && document.querySelector("main")`)
		if got := tab.text("body"); !strings.Contains(got, says) {
			t.Errorf("%s does not say %q: %s", name, says, got)
		}
		tab.look(name)
	}
	stranger := b.person(t).open()
	visit(stranger, "choose", "/_catflap/login?choose=1", "How would you like to sign in?")
	visit(stranger, "signed-out", "/_catflap/signed-out", "You are signed out")
	visit(stranger, "problem", "/_catflap/callback?state=x", "can't be finished")
	visit(stranger, "unknown-provider", "/_catflap/login?idp=nobody", "Try again")

	bob := b.person(t).open()
	bob.visit(f.public() + "/_catflap/login?idp=company")
	bob.identify(idp, "bob")
	bob.at(f.public() + "/_catflap/home")
	visit(bob, "home", "/", "no page to chat on")
	visit(bob, "home-unlisted", "/_catflap/home?unlisted=1", "You were not sent back")
	visit(bob, "refused", "/admin/", "No access")
	visit(bob, "sign-out", "/_catflap/logout", "Stay signed in")
	visit(bob, "signed-in-still", "/_catflap/signed-out", "You are signed in as")
	visit(bob, "no-such-page", "/_catflap/nothing", "Go to the start page")
	visit(bob, "bad-address", "/static//x", "This address does not work")
	bob.click(".ways a")
	bob.at(f.public() + "/_catflap/home")

	alice := b.person(t).open()
	alice.visit(f.public() + "/_catflap/login?idp=company")
	alice.identify(idp, "alice")
	alice.at(f.public() + "/_catflap/home")
	visit(alice, "home-admin", "/_catflap/login", "Open the admin panel")
	alice.click("a.primary")
	alice.at(f.public() + "/admin/")
}

// TestBrowserDemoIsForEverybody: the pages of the demo, and a sign-in that is
// cancelled there.
func TestBrowserDemoIsForEverybody(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	chat, issuer := startDemo(t)
	public := strings.TrimSuffix(chat, "/static/chat.html")
	tab := b.person(t).open()
	tab.callbacks()
	asked := `location.origin == ` + quoted(issuer) + ` && document.readyState == "complete" && document.querySelector("button[name=person]")`
	tab.visit(chat)
	tab.wait("asked who it is", asked)
	tab.look("demo-login")
	tab.click("button[name=cancel]")
	tab.at(public + "/_catflap/callback")
	if got := tab.text("main"); !strings.Contains(got, "The sign-in was cancelled") {
		t.Errorf("a cancelled sign-in reads %s", got)
	}
	var alarms int
	tab.eval(`document.querySelectorAll("[role=alert]").length`, &alarms)
	if alarms != 0 {
		t.Error("a cancelled sign-in is told as an alarm")
	}
	tab.look("cancelled")

	tab.visit(public + "/")
	tab.wait("asked who it is", asked)
	tab.click("button[value=bob]")
	tab.at(chat) // the demo's start page
	tab.say("hello")
	tab.click("[data-try=points]")
	tab.wait("answered", `document.querySelector("#answer").textContent.includes("permission_denied")`)
	tab.look("demo-chat")
	tab.visit(issuer)
	tab.wait("asked whether to sign out", `document.querySelector("form")`)
	tab.look("demo-logout")
	tab.click("form button")
	tab.wait("signed out", `document.body.innerText.includes("Signed out")`)
	tab.look("demo-signed-out")
}
