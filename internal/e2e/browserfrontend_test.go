package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// frontEnd is a web server of another origin of the same site, with the pages of the
// example and the packages that one of them loads.
type frontEnd struct {
	origin  string
	catflap atomic.Value // its address, which the pages have in them
}

func startFrontEnd(t testing.TB) *frontEnd {
	t.Helper()
	e := &frontEnd{}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	e.origin = publicURL(strings.TrimPrefix(s.URL, "http://"))
	return e
}

func (e *frontEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file := filepath.Join(repository, "examples", "front-end", filepath.Base(r.URL.Path))
	if packed, ok := strings.CutPrefix(r.URL.Path, "/node_modules/"); ok {
		file = filepath.Join(installed.NodeModules(), filepath.FromSlash(packed))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := map[string]string{".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html; charset=utf-8"}
	w.Header().Set("Content-Type", kind[filepath.Ext(file)])
	_, _ = w.Write([]byte(strings.Replace(string(text), `data-catflap="http://localhost:8080"`, `data-catflap="`+e.catflap.Load().(string)+`"`, 1)))
}

// open starts a Catflap that lists the front end, and has somebody open a page of it
// and sign in: the link leads there and back.
func (e *frontEnd) open(t testing.TB, cat *catBehindTap, idp *provider, page string) (*flap, *person, *tab) {
	t.Helper()
	f := withDesk(t, cat, config{more: "origins: [" + e.origin + "]\n"}, idp.desk("company"))
	e.catflap.Store(f.public())
	p := startBrowser(t).person(t)
	tab := p.open()
	tab.callbacks()
	tab.visit(e.origin + page)
	tab.wait("asked to sign in", `document.querySelector("[role=status] a")`)
	tab.click("[role=status] a")
	tab.identify(idp, "alice")
	tab.at(e.origin + strings.SplitN(page, "?", 2)[0])
	if got := tab.url(); got != e.origin+page {
		t.Errorf("back at %s", got)
	}
	tab.wait("connected", `document.querySelector("[role=status]").dataset.open == "yes"`)
	if got := tab.text("[role=status]"); got != "Signed in as Alice Tester" {
		t.Errorf("the page says %s", got)
	}
	return f, p, tab
}

// chatAndLeave says something, and signs out by the page's own button.
func (b *tab) chatAndLeave(f *flap, text string) {
	b.t.Helper()
	b.fill("#text", text)
	b.click("form button")
	b.wait("answered", `[...document.querySelectorAll("li.cat")].some(li => li.textContent == `+quoted("You said: "+text)+`)`)
	b.click("#out")
	b.at(f.public() + "/_catflap/signed-out")
}

// TestBrowserFrontEndOfAnotherOrigin: the example's page, of another origin of the
// same site, chats with a ticket, and holds nothing else.
func TestBrowserFrontEndOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	startBrowser(t)
	idp, cat, e := startProvider(t), startCat(t), startFrontEnd(t)
	f, p, page := e.open(t, cat, idp, "/index.html?room=1&x=%2F#top")

	// The ticket is for that page alone, and for one socket.
	var ticket string
	page.eval(`fetch(`+quoted(f.public())+` + "/_catflap/ticket", {method: "POST", credentials: "include"}).then(r => r.json()).then(b => b.ticket)`, &ticket)
	if ticket == "" {
		t.Fatal("no ticket")
	}
	plant(ticket)
	open := `new Promise(done => { const s = new WebSocket(` + quoted(strings.Replace(f.public(), "http", "ws", 1)+"/ws?token="+ticket) + `); s.onopen = () => done("open"); s.onclose = () => done("refused"); })`
	// Where it stands for a token of HTTP calls it is refused, says why, and is not spent.
	var told string
	page.eval(`fetch(`+quoted(f.public()+"/memory/conversation_history")+`, {headers: {access_token: `+quoted(ticket)+`, Authorization: `+quoted("Bearer "+ticket)+`}}).then(r => r.json()).then(b => b.detail.code + ": " + b.detail.hint)`, &told)
	if !strings.HasPrefix(told, "ticket_invalid: a ticket opens one WebSocket") {
		t.Errorf("a ticket as the credential of a call: %s", told)
	}
	var first, second string
	page.eval(open, &first)
	page.eval(open, &second)
	if first != "open" || second != "refused" {
		t.Errorf("with one ticket twice: %s, %s", first, second)
	}
	p.plantCookies(f)
	page.chatAndLeave(f, "from elsewhere")
	cat.clean(t)
}

// TestBrowserFrontEndWithCcatAPI: ccat-api, unmodified, from another origin of the same
// site. It has no credential, and calls and chats as the person who has signed in.
func TestBrowserFrontEndWithCcatAPI(t *testing.T) {
	t.Parallel()
	startBrowser(t)
	parts.Need(t, installed.HaveNode())
	idp, cat, e := startProvider(t), startCat(t), startFrontEnd(t)
	f, p, page := e.open(t, cat, idp, "/ccat-api.html")
	p.plantCookies(f)
	page.fill("#text", "remember this")
	page.click("form button")
	page.wait("answered", `[...document.querySelectorAll("li.cat")].some(li => li.textContent == "You said: remember this")`)
	cat.saidBy(t, "company:"+aliceSub)
	page.visit(e.origin + "/ccat-api.html")
	page.wait("told over HTTP what was said", `document.querySelector("li.mine")?.textContent == "remember this"`)
	page.wait("connected", `document.querySelector("[role=status]").dataset.open == "yes"`)
	page.chatAndLeave(f, "and again")
	page.visit(e.origin + "/ccat-api.html")
	page.wait("asked to sign in again", `document.querySelector("[role=status] a")`)
	cat.clean(t)
}

// TestBrowserIsNotSentToUnlistedOrigins: a page of a site that is not listed gets
// nobody back, and the person is told so.
func TestBrowserIsNotSentToUnlistedOrigins(t *testing.T) {
	t.Parallel()
	b, idp, cat, evil := startBrowser(t), startProvider(t), startCat(t), hostileSite(t)
	f := withDesk(t, cat, config{}, idp.desk("company"))
	tab := b.person(t).open()
	tab.visit(evil.URL)
	tab.eval(`void (location.href = `+quoted(f.public()+"/_catflap/login?return_to="+evil.URL+"/")+`)`, nil)
	tab.identify(idp, "alice")
	tab.at(f.public() + "/_catflap/home")
	if got := tab.text("main"); !strings.Contains(got, "You were not sent back") {
		t.Errorf("nothing is said: %s", got)
	}
	if !strings.Contains(f.log.String(), evil.URL) {
		t.Error("the log does not say which origin came")
	}
	cat.clean(t)
}
