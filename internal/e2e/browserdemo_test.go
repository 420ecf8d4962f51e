package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// startDemo runs the demo, on free ports where its own are taken, and returns where
// it says that people go.
func startDemo(t testing.TB) (chat, issuer string) {
	t.Helper()
	out, log := &output{}, &output{}
	cmd := exec.Command(binary, "demo", "--log", "--listen", freeAddress(t))
	cmd.Stdout, cmd.Stderr = out, log
	run(t, cmd)
	address := func(of string) string {
		m := regexp.MustCompile(of + ` +(\S+)\n`).FindStringSubmatch(out.String())
		if m == nil {
			return ""
		}
		return m[1]
	}
	await(t, "the demo open", func() bool { return address("Health, metrics .*") != "" }, log.String)
	t.Cleanup(func() { noSecret(t, "what the demo wrote", []byte(out.String()+log.String())) })
	return address("Chat in the browser"), address("The identity provider")
}

// TestBrowserPlaysDemo: what the demo tells people to do.
func TestBrowserPlaysDemo(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	chat, issuer := startDemo(t)
	if !strings.HasPrefix(chat, "http://localhost:") || issuer == "" {
		t.Fatalf("the demo is at %q, its provider at %q", chat, issuer)
	}
	public := strings.TrimSuffix(chat, "/static/chat.html")
	asked := `location.origin == ` + quoted(issuer) + ` && document.readyState == "complete" && document.querySelector("button[name=person]")`
	people := map[string]*person{"alice": b.person(t), "bob": b.person(t)}
	for name, p := range people {
		tab := p.open()
		tab.callbacks()
		tab.visit(chat)
		tab.wait("asked who it is", asked)
		tab.click(`button[value=` + name + `]`)
		tab.at(chat)
		tab.say("my secret is that I am " + name)
		tab.expectWho("demo:" + name)
		if got := tab.text("#who"); !strings.Contains(strings.ToLower(got), name) {
			t.Errorf("%s reads %s", name, got)
		}
	}
	alice, bob := people["alice"].tabs[0], people["bob"].tabs[0]
	for try, want := range map[string]struct{ status, text, not string }{
		"history": {"200", "I am bob", "I am alice"},
		"forged":  {"200", "I am bob", "I am alice"},
		"points":  {"403", "permission_denied", "I am"},
		"users":   {"403", "permission_denied", "alice"},
	} {
		bob.eval(`void (document.querySelector("#answer").textContent = "")`, nil)
		bob.click(`[data-try=` + try + `]`)
		bob.wait("answered", `document.querySelector("#answer").textContent.split("\n")[1]`)
		var got string
		bob.eval(`document.querySelector("#answer").textContent`, &got)
		if strings.Split(got, "\n")[1] != want.status || !strings.Contains(got, want.text) || strings.Contains(got, want.not) {
			t.Errorf("bob tries %s: %s", try, got)
		}
	}

	second := people["alice"].open()
	second.visit(chat)
	second.say("in another tab")
	alice.wait("told what the other tab heard", `document.querySelector("#log").textContent.includes("You said: in another tab")`)
	alice.say("and back in the first")
	alice.visit(public + "/admin/")
	alice.wait("in the panel", `document.querySelector("#who").textContent.startsWith("Signed in as")`)

	second.click("#logout")
	second.at(public + "/_catflap/signed-out")
	second.visit(chat)
	second.wait("asked who it is", asked)
	if got := second.text("main"); strings.Contains(got, "You are signed in here") {
		t.Errorf("the provider knows alice still: %s", got)
	}
	bob.say("bob is here still")
}

// say says something in the demo's chat page, and waits for the Cat's answer.
func (b *tab) say(text string) {
	b.t.Helper()
	b.wait("connected", `document.querySelector("#state").textContent == "connected"`)
	b.fill("#text", text)
	b.click("#say button")
	b.wait("answered", `[...document.querySelectorAll("#log li.cat")].some(li => li.textContent == `+quoted("You said: "+text)+`)`)
}
