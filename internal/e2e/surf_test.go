package e2e

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// helloPage is a page of the stand-in's that everybody with a login may see.
const helloPage = "/static/hello.txt"

// public is where browsers find it.
func (f *flap) public() string { return publicURL(f.addr) }

// at waits until the tab shows that page, whatever its query.
func (b *tab) at(page string) {
	b.t.Helper()
	b.wait("at "+page, "location.origin + location.pathname == "+quoted(page)+" && document.readyState == 'complete'")
}

// quoted is a text as a literal of JavaScript.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// identify fills in the form of the provider that the tab is at.
func (b *tab) identify(provider issuing, user string) {
	b.t.Helper()
	at, err := url.Parse(provider.issuer())
	if err != nil {
		b.t.Fatal(err)
	}
	b.wait("asked for a password", `location.host == "`+at.Host+`" && document.readyState == "complete" && document.querySelector("input[name=password]")`)
	b.fill("input[name=username]", user)
	b.fill("input[name=password]", user+"-pw")
	b.click("[type=submit]")
}

// signIn goes to a page of Catflap's and signs in on the way.
func (b *tab) signIn(f *flap, provider issuing, page, user string) {
	b.t.Helper()
	b.visit(f.public() + page)
	b.identify(provider, user)
	path, _, _ := strings.Cut(page, "?")
	b.at(f.public() + path)
}

// whoIs is what the page /_catflap/session says.
type whoIs struct {
	SignedIn bool `json:"signed_in"`
	User     struct{ ID, Name, Handler string }
	LoginURL string `json:"login_url"`
}

// who asks it from the page that the tab shows.
func (b *tab) who() whoIs {
	b.t.Helper()
	var w whoIs
	b.eval(`fetch("/_catflap/session").then(r => r.json())`, &w)
	return w
}

// expectWho asserts who is signed in; empty means nobody.
func (b *tab) expectWho(id string) {
	b.t.Helper()
	if w := b.who(); w.User.ID != id || w.SignedIn != (id != "") {
		b.t.Errorf("signed in: %+v, want %q", w, id)
	}
}

// chat has the page open a socket, with the cookie alone, and keep what it hears.
func (b *tab) chat() { b.t.Helper(); b.chatAt("/ws") }

func (b *tab) chatAt(path string) {
	b.t.Helper()
	b.eval(`new Promise((resolve, reject) => {
		window.heard = []; window.ended = undefined;
		window.socket = new WebSocket(new URL(`+quoted(path)+`, location.href.replace(/^http/, "ws")));
		socket.onopen = () => resolve(true);
		socket.onmessage = (e) => heard.push(JSON.parse(e.data));
		socket.onclose = (e) => { ended = {code: e.code, reason: e.reason}; reject(new Error("closed: " + e.code)); };
	})`, nil)
}

// expectTurn asserts that what the page says in its socket is answered, to the
// person itself.
func (b *tab) expectTurn(text, id string) {
	b.t.Helper()
	b.eval(`socket.send(JSON.stringify({text: `+quoted(text)+`, user_id: "admin"}))`, nil)
	b.expectHeard(text, id)
}

func (b *tab) expectHeard(text, id string) {
	b.t.Helper()
	b.wait("answered", `heard.some(m => m.type == "chat" && m.text == `+quoted("You said: "+text)+` && m.user_id == `+quoted(id)+`)`)
}

// expectClosed waits until the page's socket is closed, with that code.
func (b *tab) expectClosed(code int) {
	b.t.Helper()
	b.wait("closed", "window.ended")
	var got struct {
		Code   int
		Reason string
	}
	b.eval("ended", &got)
	if got.Code != code || got.Reason == "" {
		b.t.Errorf("the page's script sees the code %d and %q, want %d", got.Code, got.Reason, code)
	}
}

// callbacks collects the addresses at which the provider sends this tab back, and
// plants what is secret in them.
func (b *tab) callbacks() <-chan string {
	b.t.Helper()
	seen := make(chan string, 32)
	if err := chromedp.Listen(b.ctx, func(event any) {
		sent, ok := event.(*network.EventRequestWillBeSent)
		if !ok || !strings.Contains(sent.Request.URL, "/_catflap/callback") {
			return
		}
		u, err := url.Parse(sent.Request.URL)
		if err != nil {
			return
		}
		for _, name := range []string{"code", "state"} {
			if v := u.Query().Get(name); v != "" {
				plant(v)
			}
		}
		select {
		case seen <- sent.Request.URL:
		default:
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	return seen
}

// sessionCookie is the name of the session's cookie over plain http.
func (f *flap) sessionCookie() string {
	_, port, _ := strings.Cut(f.addr, ":")
	return "catflap-" + port
}

// plantCookies remembers what Catflap has this person's browser keep: none of it is
// for the Cat or for a log.
func (p *person) plantCookies(f *flap) {
	p.t.Helper()
	for name, c := range p.cookies() {
		if strings.HasPrefix(name, f.sessionCookie()) && len(c.Value) > 20 || name == "ccat_user_token" {
			plant(c.Value)
		}
	}
}

// forgetCookie has the browser lose a cookie of Catflap's.
func (p *person) forgetCookie(f *flap, name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.first, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: f.public() + "/"}); err != nil {
		p.t.Fatalf("forget a cookie: %v", err)
	}
}

// clean asserts that nothing of any client's has reached it.
func (c *catBehindTap) clean(t testing.TB) {
	t.Helper()
	noClientSecret(t, "all bytes to the Cat", c.tap.bytes())
}

// saidBy asserts that some request came, and that all of them were of this person.
func (c *catBehindTap) saidBy(t testing.TB, id string) {
	t.Helper()
	came := c.tap.take()
	if len(came) == 0 {
		t.Error("nothing reached the Cat")
	}
	for _, a := range came {
		a.check(t, id)
	}
}
