package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// guestLines are the handler of the tests.
const guestLines = `- name: guests
  type: anonymous
`

// manyGuests leave the bounds out of what a test is about.
const manyGuests = guestLines + "  guests: 1000\n  per_address: 1000\n  new_per_address: 1000\n  new_per_hour: 1000\n"

// staffLines is the handler staff.
const staffLines = `- name: staff
  type: jwt
  issuer: ` + issuerName + `
  audiences: [catflap]
  algorithms: [EdDSA]
  keys: {jwks_file: staff.jwks.json}
`

// guest is somebody with a guest's cookie.
type guest struct{ id, cookie string }

// become asks to be a guest, as a program does that keeps the cookie.
func (f *flap) become(t testing.TB, lines ...string) (guest, answer) {
	t.Helper()
	got := exchange(t, f.addr, "POST", request("POST /_catflap/guest", f.host(), "", "", append(lines, "Content-Length: 0")...))
	var g guest
	for _, line := range got.header.Values("Set-Cookie") {
		g.cookie, _, _ = strings.Cut(line, ";")
	}
	if got.status != 200 {
		if g.cookie != "" {
			t.Errorf("a refusal of %d sets %s", got.status, g.cookie)
		}
		return guest{}, got
	}
	var a struct {
		Guest bool
		User  struct{ ID string }
	}
	if err := json.Unmarshal(got.body, &a); err != nil || !a.Guest || !strings.HasPrefix(a.User.ID, "guests:") || g.cookie == "" {
		t.Fatalf("%v: %s %v", err, got.body, got.header)
	}
	_, value, _ := strings.Cut(g.cookie, "=")
	plant(value)
	g.id = a.User.ID
	return g, got
}

func (f *flap) mustBecome(t testing.TB, lines ...string) guest {
	t.Helper()
	g, got := f.become(t, lines...)
	if g.cookie == "" {
		t.Fatalf("not taken in: %d %s", got.status, got.body)
	}
	return g
}

// host is what browsers have in Host.
func (f *flap) host() string { return strings.TrimPrefix(f.public(), "http://") }

// says sends a message with the guest's cookie, and returns the answer.
func (g guest) says(t testing.TB, f *flap, text string, lines ...string) answer {
	t.Helper()
	return exchange(t, f.addr, "POST", request("POST /message", f.host(), "", `{"text":"`+text+`"}`, append(lines, "Cookie: "+g.cookie)...))
}

// socket opens one with the guest's cookie.
func (g guest) socket(t testing.TB, f *flap) (*websocket.Conn, int) {
	t.Helper()
	d := websocket.Dialer{HandshakeTimeout: patience}
	c, resp, err := d.Dial("ws://"+f.addr+"/ws/user", http.Header{"Cookie": {g.cookie}, "Origin": {f.public()}, "Host": {f.host()}})
	if resp == nil {
		t.Fatal(err)
	}
	if err != nil {
		return nil, resp.StatusCode
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, resp.StatusCode
}

// TestGuests: how one becomes a guest, and what one is then.
func TestGuests(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: staffLines + guestLines, permissions: "everyone: [base, \"UPLOAD:WRITE\"]\npublic: [\"GET /static/**\"]"})
	for _, what := range []string{"GET /", "GET /memory/conversation_history", "GET /_catflap/guest"} {
		got := exchange(t, f.addr, "GET", request(what, f.host(), "", ""))
		if got.status != 401 && got.status != 405 || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s makes a guest: %d %v", what, got.status, got.header)
		}
	}
	if got := exchange(t, f.addr, "GET", request("GET /", f.host(), "", "")); !strings.Contains(string(got.body), `"guest_url":"/_catflap/guest"`) {
		t.Errorf("nobody says how to become a guest: %s", got.body)
	}
	if c, status := (guest{}).socket(t, f); c != nil || status != 401 {
		t.Errorf("a handshake without a cookie: %d", status)
	}
	none(t, cat.tap.take())

	one, made := f.become(t)
	if line := made.header.Get("Set-Cookie"); !strings.HasPrefix(line, "catflap-") || !strings.Contains(line, "; HttpOnly") || !strings.Contains(line, "; SameSite=Lax") ||
		!strings.Contains(line, "; Path=/;") || !strings.Contains(line, "; Max-Age=86") || strings.Contains(line, "Domain") {
		t.Errorf("the cookie: %s", line)
	}
	other := f.mustBecome(t)
	if one.id == other.id {
		t.Fatal("two guests are one")
	}
	for _, g := range []guest{one, other} {
		cat.tap.take()
		if got := g.says(t, f, "hello"); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		exactlyOne(t, cat.tap.take(), g.id)
		c, status := g.socket(t, f)
		if c == nil {
			t.Fatalf("a socket: %d", status)
		}
		expectTurn(t, c, "over the socket", g.id)
	}
	if got := exchange(t, f.addr, "POST", request("POST /_catflap/guest", f.host(), "", "", "Content-Length: 0", "Cookie: "+one.cookie)); got.status != 200 ||
		!strings.Contains(string(got.body), one.id) || got.header.Get("Set-Cookie") != "" {
		t.Errorf("a guest asks again: %d %s", got.status, got.body)
	}
	cat.tap.take()
	for _, what := range []string{"GET /users/", "GET /memory/collections/episodic/points", "GET /plugins/", "GET /admin/"} {
		if got := exchange(t, f.addr, "GET", request(what, f.host(), "", "", "Cookie: "+one.cookie)); got.status != 403 {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	if got := exchange(t, f.addr, "POST", request("POST /rabbithole/web", f.host(), "", `{"url":"http://127.0.0.1/"}`, "Cookie: "+one.cookie)); got.status != 403 {
		t.Errorf("what everyone has is not for guests: %d", got.status)
	}
	none(t, cat.tap.take())
	if got := exchange(t, f.addr, "GET", request("GET /static/hello.txt", f.host(), "", "", "Cookie: "+one.cookie[:len(one.cookie)-1])); got.status != 200 {
		t.Errorf("a public endpoint with a bad cookie: %d", got.status)
	}
	_, metrics := get(t.Context(), "http://"+f.admin+"/metrics")
	for _, line := range []string{"catflap_guests 2", `catflap_handler_events_total{event="guest_made",handler="guests"} 2`, `outcome="guest"`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	f.await("two lines of the audit log", func() bool {
		log := f.log.String()
		return strings.Count(log, `"event":"guest"`) == 2 && strings.Contains(log, `"user":"`+one.id+`"`) && strings.Contains(log, `"user":"`+other.id+`"`)
	})
}

// TestFloodOfGuests: whatever strangers do, from one address or from hundreds, a
// person's conversation stays at a Cat that keeps a hundred.
func TestFloodOfGuests(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: staffLines + guestLines, more: "trusted_proxies: [127.0.0.0/8]\n"})
	if got := exchange(t, f.addr, "POST", request("POST /message", f.host(), alice(), `{"text":"remember me"}`)); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	flood := func(n int, from func(int) string) (chatted int) {
		for i := range n {
			line := "X-Forwarded-For: " + from(i)
			g, got := f.become(t, line)
			if g.cookie == "" {
				if got.status != 429 && got.status != 503 || got.header.Get("Retry-After") == "" {
					t.Fatalf("refused with %d %v", got.status, got.header)
				}
				continue
			}
			if g.says(t, f, "flood", line).status == 200 {
				chatted++
			}
		}
		return chatted
	}
	if n := flood(30, func(int) string { return "198.51.100.7" }); n != 10 {
		t.Errorf("%d guests of one address, want 10", n)
	}
	if n := flood(30, func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }); n != 10 {
		t.Errorf("%d guests of one network, want 10", n)
	}
	if n := flood(200, func(i int) string { return fmt.Sprintf("203.0.113.%d", i+1) }); n != 30 {
		t.Errorf("%d guests of the other addresses, want 30", n)
	}
	for range 300 { // clients that keep no cookie cost the Cat nothing
		exchange(t, f.addr, "GET", request("GET /", f.host(), "", "", "X-Forwarded-For: 192.0.2.1"))
	}
	if !slices.ContainsFunc(cat.History(idOf("alice")), func(line string) bool { return strings.Contains(line, "remember me") }) {
		t.Error("the flood erased a person's conversation")
	}
	if got := exchange(t, f.addr, "POST", request("POST /message", f.host(), bob(), `{"text":"still served"}`)); got.status != 200 {
		t.Errorf("a person after the flood: %d", got.status)
	}
}

// TestGuestsOutlive: a reload, and with keys a restart and the way to another Catflap;
// without the handler nobody is a guest any more.
func TestGuestsOutlive(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	c := config{cat: cat.tap.addr, handlers: staffLines + manyGuests, sessions: "keys: [{env: GUEST_KEY}]", env: []string{"GUEST_KEY=" + strings.Repeat("guest-key-", 4)}}
	f := start(t, c)
	g := f.mustBecome(t)
	socket, status := g.socket(t, f)
	if socket == nil {
		t.Fatal(status)
	}
	expectTurn(t, socket, "before", g.id)
	if status, text := f.reload(); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	expectTurn(t, socket, "after a reload", g.id)
	if got := g.says(t, f, "after a reload"); got.status != 200 {
		t.Errorf("after a reload: %d", got.status)
	}
	f.kill()
	f.again()
	if got := g.says(t, f, "after a restart"); got.status != 200 {
		t.Errorf("after a restart: %d", got.status)
	}
	c.publicURL = f.public()
	other := start(t, c)
	if got := exchange(t, other.addr, "POST", request("POST /message", f.host(), "", `{"text":"there"}`, "Cookie: "+g.cookie)); got.status != 200 {
		t.Errorf("at another Catflap: %d %s", got.status, got.body)
	}
	c.env = []string{"GUEST_KEY=" + strings.Repeat("other-key-", 4)}
	stranger := start(t, c)
	if got := exchange(t, stranger.addr, "POST", request("POST /message", f.host(), "", `{"text":"there"}`, "Cookie: "+g.cookie)); got.status != 401 {
		t.Errorf("at one with other keys: %d", got.status)
	}
	if socket, status = g.socket(t, f); socket == nil {
		t.Fatal(status)
	}
	expectTurn(t, socket, "again", g.id)
	f.rewrite(indent(manyGuests), "")
	if status, text := f.reload(); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if end := closed(t, socket, patience); end.Code != 4401 {
		t.Errorf("without the handler the socket is closed with %d", end.Code)
	}
	if got := g.says(t, f, "no more"); got.status != 401 {
		t.Errorf("without the handler: %d", got.status)
	}
}

// TestGuestWithoutKeys: a reload leaves the key of the process alone.
func TestGuestWithoutKeys(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, handlers: guestLines, permissions: "everyone: []"})
	g := f.mustBecome(t)
	if status, text := f.reload(); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if got := g.says(t, f, "after a reload"); got.status != 200 {
		t.Errorf("after a reload: %d", got.status)
	}
	f.kill()
	f.again()
	if got := g.says(t, f, "after a restart"); got.status != 401 {
		t.Errorf("after a restart: %d", got.status)
	}
	if next, got := f.become(t, "Cookie: "+g.cookie); next.id == "" || next.id == g.id {
		t.Errorf("a guest of before is not taken in: %d %s", got.status, got.body)
	}
	// A browser is led to be a guest, and back, where nobody signs in.
	const browser = "Accept: text/html"
	got := exchange(t, f.addr, "GET", request("GET /custom/page?x=1", f.host(), "", "", browser))
	if to := got.header.Get("Location"); got.status != 302 || to != "/_catflap/guest?return_to=%2Fcustom%2Fpage%3Fx%3D1" {
		t.Errorf("%d to %s", got.status, to)
	}
	got = exchange(t, f.addr, "GET", request("GET "+got.header.Get("Location"), f.host(), "", "", browser))
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	to := got.header.Get("Location")
	if got.status != 303 || cookie == "" || !strings.HasPrefix(to, "/_catflap/guest?made=1&return_to=") {
		t.Fatalf("%d to %s: %v", got.status, to, got.header)
	}
	if got = exchange(t, f.addr, "GET", request("GET "+to, f.host(), "", "", browser, "Cookie: "+cookie)); got.status != 303 || got.header.Get("Location") != "/custom/page?x=1" {
		t.Errorf("%d to %s", got.status, got.header.Get("Location"))
	}
	if got = exchange(t, f.addr, "GET", request("GET "+to, f.host(), "", "", browser)); got.status != 400 || !strings.Contains(string(got.body), "guest_without_cookies") {
		t.Errorf("a browser without cookies: %d %s", got.status, got.body)
	}
	if got = exchange(t, f.addr, "GET", request("GET /_catflap/guest?return_to=https://evil.example/", f.host(), "", "", browser, "Cookie: "+cookie)); got.header.Get("Location") != "/" {
		t.Errorf("leads to %s", got.header.Get("Location"))
	}
}
