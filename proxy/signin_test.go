package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/signin"
)

// desk is a provider that lets people in by their name: the code is the name.
type desk struct {
	tokens
	title string

	mu       sync.Mutex
	answers  map[string]error // what happens to a code or to a refresh token
	renewals int
	life     time.Duration // of its access tokens; 0: they are not renewed
	ahead    atomic.Int64  // how far everybody's clock has been moved
	still    time.Time     // if set, the clock stands there but for that
}

func (d *desk) now() time.Time {
	at := time.Now()
	if !d.still.IsZero() {
		at = d.still
	}
	return at.Add(time.Duration(d.ahead.Load()))
}

func (d *desk) LoginIssuer() string { return "https://idp.example/" + d.title }
func (d *desk) LoginTitle() string  { return d.title }
func (d *desk) OwnCallback() bool   { return false }

func (d *desk) BeginLogin(_ context.Context, a authhandlers.LoginAttempt) (string, error) {
	if err := d.answer("begin"); err != nil {
		return "", err
	}
	q := url.Values{"state": {a.State}, "nonce": {a.Nonce}, "redirect_uri": {a.RedirectURI}}
	if a.Again {
		q.Set("prompt", "login")
	}
	return d.LoginIssuer() + "/authorize?" + q.Encode(), nil
}

func (d *desk) answer(to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answers[to]
}

func (d *desk) answersTo(what string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answers == nil {
		d.answers = map[string]error{}
	}
	d.answers[what] = err
}

func (d *desk) login(name string) *authhandlers.Login {
	l := &authhandlers.Login{
		Person:  authhandlers.AuthUserInfo{Issuer: d.LoginIssuer(), Subject: name, Name: strings.ToUpper(name), Groups: []string{name}, SessionID: "sid-" + name},
		IDToken: "id-token-of-" + name, IssuedAt: d.now(), Until: d.now().Add(time.Hour),
	}
	if d.life > 0 {
		l.RefreshToken, l.Until = "refresh-"+name, d.now().Add(d.life)
	}
	return l
}

func (d *desk) FinishLogin(_ context.Context, a authhandlers.LoginAttempt, answer url.Values) (*authhandlers.Login, error) {
	if a.Nonce == "" || a.Verifier == "" || a.State != answer.Get("state") || a.RedirectURI != publicURL+"/_catflap/callback" {
		return nil, errors.New("the attempt is not the one that was begun")
	}
	if err := d.answer(answer.Get("code")); err != nil {
		return nil, err
	}
	return d.login(answer.Get("code")), nil
}

func (d *desk) RefreshLogin(_ context.Context, old *authhandlers.Login) (*authhandlers.Login, error) {
	if err := d.answer(old.RefreshToken); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.renewals++
	d.mu.Unlock()
	return d.login(old.Person.Subject), nil
}

func (d *desk) LogoutURL(l *authhandlers.Login, returnTo, state string) string {
	return d.LoginIssuer() + "/logout?" + url.Values{"id_token_hint": {l.IDToken}, "post_logout_redirect_uri": {returnTo}, "state": {state}}.Encode()
}

func (d *desk) ReadLogoutToken(_ context.Context, token string) (*authhandlers.Logout, error) {
	name, jti, ok := strings.Cut(token, ".")
	if !ok {
		return nil, authhandlers.Reject(authhandlers.CodeMalformedToken, "", "no logout token")
	}
	return &authhandlers.Logout{
		Revocation: authhandlers.Revocation{Issuer: d.LoginIssuer(), SessionID: "sid-" + name}, TokenID: jti, IssuedAt: time.Now(), Expiry: time.Now().Add(time.Minute),
	}, nil
}

const publicURL = "http://localhost:8080"

// newDesk is a lab whose people sign in at one or two desks.
func newDesk(t *testing.T, change func(*Options), desks ...*desk) *lab {
	t.Helper()
	pages, err := page.New(PagePrefix, page.Theme{})
	if err != nil {
		t.Fatal(err)
	}
	return newLab(t, func(o *Options) {
		links := []authhandlers.Link{{Name: "staff", Alias: "staff", Handler: tokens{}}}
		var grants []permission.Grant
		for _, d := range desks {
			links = append(links, authhandlers.Link{Name: d.title, Alias: d.title, Handler: d})
			grants = append(grants, permission.Grant{From: []string{d.title}, Groups: []string{"admin"}, Allow: []string{"admin"}})
		}
		if o.Chain, err = authhandlers.NewChain(desks[0].now, links...); err != nil {
			t.Fatal(err)
		}
		if o.Policy, err = permission.New(permission.Rules{
			Everyone: []string{"base"}, Grants: grants, Public: []string{"GET /custom/public/**"},
			Endpoints: []permission.Endpoint{{Match: "GET /custom/page", Needs: "everyone"}},
		}); err != nil {
			t.Fatal(err)
		}
		o.PublicURL, o.Pages = publicURL, pages
		o.Sessions, err = session.New(t.Context(), session.Options{
			Store: session.NewMemory(desks[0].now, 1000), Idle: time.Hour, Lifetime: 2 * time.Hour, PublicURL: publicURL, Now: desks[0].now,
			Log: slog.New(slog.DiscardHandler), Revoked: o.Hub.Revoke,
		})
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(o)
		}
		o.SignIn, err = signin.New(signin.Options{
			Chain: o.Chain, Sessions: o.Sessions, Pages: o.Pages, PublicURL: o.PublicURL, Origins: o.Origins, Prefix: PagePrefix,
			ClearCookies: []http.Cookie{PanelCookie(publicURL)},
			Own:          func(path string) bool { return strings.HasPrefix(path, PagePrefix) || cat.OwnLogin(path) }, Now: desks[0].now, Log: o.Log,
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// browser keeps cookies as one does, and follows nothing.
type browser struct {
	t   *testing.T
	lab *lab
	jar *cookiejar.Jar
}

func (l *lab) browser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, l, jar}
}

var site = &url.URL{Scheme: "http", Host: "localhost:8080", Path: "/"}

// send sends what a browser at the public address would.
func (b *browser) send(method, target, body string, header map[string]string) (*http.Response, string) {
	b.t.Helper()
	req := b.lab.request(b.t, method, target, "", body)
	req.Host = site.Host
	at := *site
	at.Path, _, _ = strings.Cut(target, "?")
	for _, c := range b.jar.Cookies(&at) {
		req.AddCookie(c)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	if method == http.MethodPost && body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, text := b.lab.send(b.t, req)
	b.jar.SetCookies(&at, resp.Cookies())
	return resp, text
}

// goTo navigates, as a link from nowhere does.
func (b *browser) goTo(target string) (*http.Response, string) {
	b.t.Helper()
	return b.send(http.MethodGet, target, "", map[string]string{
		"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none", "Accept": "text/html,*/*;q=0.8",
	})
}

// script is a request of a page of our own.
func (b *browser) script(method, target, body string) (*http.Response, string) {
	b.t.Helper()
	return b.send(method, target, body, map[string]string{
		"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin", "Origin": publicURL, "Content-Type": "application/json",
	})
}

// begin opens the login page and returns the state that went to the provider.
func (b *browser) begin(query string) string {
	b.t.Helper()
	resp, text := b.goTo("/_catflap/login" + query)
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || at.Query().Get("state") == "" {
		b.t.Fatalf("%d %q\n%s", resp.StatusCode, at, text)
	}
	return at.Query().Get("state")
}

func (b *browser) finish(state, code string) *http.Response {
	b.t.Helper()
	resp, _ := b.goTo("/_catflap/callback?" + url.Values{"state": {state}, "code": {code}}.Encode())
	return resp
}

// signIn signs somebody in.
func (b *browser) signIn(name string) {
	b.t.Helper()
	if resp := b.finish(b.begin("?idp=desk"), name); resp.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("the callback is answered %d", resp.StatusCode)
	}
}

// is asks who is signed in; empty for nobody.
func (b *browser) is() string {
	b.t.Helper()
	resp, text := b.script(http.MethodGet, "/_catflap/session", "")
	var a sessionAnswer
	if err := json.Unmarshal([]byte(text), &a); err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("%d %v\n%s", resp.StatusCode, err, text)
	}
	if !a.SignedIn {
		return ""
	}
	return a.User.ID
}

func TestSignInAndChat(t *testing.T) {
	d := &desk{title: "desk"}
	l := newDesk(t, nil, d)
	b := l.browser(t)

	resp, _ := b.goTo("/admin/memory?tab=2&token=abc")
	if want := "/_catflap/login?return_to=%2Fadmin%2Fmemory%3Ftab%3D2"; resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != want {
		t.Fatalf("%d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	resp = b.finish(b.begin("?return_to=/custom/page%3Fx=1"), "alice")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/custom/page?x=1" {
		t.Fatalf("%d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if who := b.is(); who != "desk:alice" {
		t.Fatalf("signed in as %q", who)
	}
	before := l.cat.count()
	if resp, text := b.script(http.MethodPost, "/message", `{"text":"hi"}`); resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	r := l.cat.last(t)
	if l.cat.count() != before+1 || r.Header["User_id"] == nil && r.Header.Get("user_id") != "desk:alice" || r.Header.Get("Cookie") != "" {
		t.Errorf("what reached the Cat: %v", r.Header)
	}
}

func TestProgramsAreNotSentToALoginPage(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	for _, header := range []map[string]string{
		{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Accept": "text/html"}, {"Accept": "*/*"}, nil, {"X-Requested-With": "XMLHttpRequest", "Accept": "text/html"},
	} {
		resp, text := b.send(http.MethodGet, "/memory/collections", "", header)
		var body struct {
			Detail struct {
				Code     string
				LoginURL string `json:"login_url"`
			}
		}
		if err := json.Unmarshal([]byte(text), &body); err != nil || resp.StatusCode != 401 || body.Detail.LoginURL != "/_catflap/login" {
			t.Errorf("%v: %d %v %s", header, resp.StatusCode, err, text)
		}
	}
	// A token that is refused never leads to a login page.
	req := l.request(t, http.MethodGet, "/", "forged", "")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Accept", "text/html")
	if resp, text := l.send(t, req); resp.StatusCode != 401 || !json.Valid([]byte(text)) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestEveryTabSignsIn(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	states := make([]string, 10)
	for i := range states {
		states[i] = b.begin("?idp=desk")
	}
	for i, state := range states {
		if resp := b.finish(state, "alice"); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
			t.Errorf("tab %d: %d", i, resp.StatusCode)
		}
	}
	if b.is() != "desk:alice" {
		t.Error("nobody is signed in")
	}
	// Late and repeated callbacks simply go on, as long as there is a session.
	for _, state := range []string{states[0], "nonsense", ""} {
		if resp := b.finish(state, "mallory"); resp.StatusCode != http.StatusSeeOther || b.is() != "desk:alice" {
			t.Errorf("%d, %s", resp.StatusCode, b.is())
		}
	}
}

// TestForgedCallbacks: whatever was not begun by this browser signs nobody in.
func TestForgedCallbacks(t *testing.T) {
	d := &desk{title: "desk"}
	l := newDesk(t, nil, d)
	attacker, victim := l.browser(t), l.browser(t)
	state := attacker.begin("?idp=desk")
	victim.begin("?idp=desk") // the victim has a browser cookie of their own
	used := victim.begin("?idp=desk")
	victim.finish(used, "denied-first")
	d.answersTo("denied", authhandlers.Reject("login_denied", "ask the operator", "access_denied"))
	for name, query := range map[string]string{
		"the attacker's state":    "?" + url.Values{"state": {state}, "code": {"mallory"}}.Encode(),
		"no state":                "?code=mallory",
		"an empty state":          "?state=&code=mallory",
		"two states":              "?" + url.Values{"state": {state, state}, "code": {"mallory"}}.Encode(),
		"a state of nobody's":     "?state=" + strings.Repeat("A", 200) + "&code=mallory",
		"a tampered state":        "?" + url.Values{"state": {flip(victim.begin("?idp=desk"))}, "code": {"mallory"}}.Encode(),
		"a malformed query":       "?state=%zz&code=mallory",
		"another handler's path":  "/other?" + url.Values{"state": {victim.begin("?idp=desk")}, "code": {"mallory"}}.Encode(),
		"refused by the provider": "?" + url.Values{"state": {victim.begin("?idp=desk")}, "code": {"denied"}}.Encode(),
	} {
		fresh := l.browser(t)
		fresh.jar = victim.jar
		fresh.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
		resp, text := fresh.goTo("/_catflap/callback" + query)
		if resp.StatusCode < 400 || resp.StatusCode > 403 || fresh.is() != "" || strings.Contains(text, "mallory") {
			t.Errorf("%s: %d, %q\n%s", name, resp.StatusCode, fresh.is(), text)
		}
	}
	// The same state again, without a session.
	state = victim.begin("?idp=desk")
	victim.finish(state, "alice")
	victim.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
	if resp := victim.finish(state, "alice"); resp.StatusCode != http.StatusBadRequest || victim.is() != "" {
		t.Errorf("used twice: %d", resp.StatusCode)
	}
	// A browser without cookies gets a page that says so, not a circle.
	bare := l.browser(t)
	state = bare.begin("")
	bare.jar, _ = cookiejar.New(nil)
	resp, text := bare.goTo("/_catflap/callback?" + url.Values{"state": {state}, "code": {"alice"}}.Encode())
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "cookies") || !strings.Contains(text, "login_attempt_of_another_browser") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func flip(s string) string {
	b := []byte(s)
	if b[len(b)/2]++; b[len(b)/2] == 'z'+1 || b[len(b)/2] == 'Z'+1 || b[len(b)/2] == '9'+1 {
		b[len(b)/2] = 'b'
	}
	return string(b)
}

func TestSessionFixation(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	b.signIn("mallory")
	planted := b.jar.Cookies(site)
	victim := l.browser(t)
	victim.jar.SetCookies(site, planted)
	victim.signIn("alice")
	mallory := l.browser(t)
	mallory.jar.SetCookies(site, planted)
	if who := mallory.is(); who != "" {
		t.Errorf("the planted cookie is %q", who)
	}
	if victim.is() != "desk:alice" {
		t.Errorf("the victim is %q", victim.is())
	}
	// Signing in again as the same person changes the cookie, too.
	before := cookies(victim)
	victim.signIn("alice")
	if after := cookies(victim); after == before || victim.is() != "desk:alice" {
		t.Error("the id did not change")
	}
}

func cookies(b *browser) string {
	var l []string
	for _, c := range b.jar.Cookies(site) {
		l = append(l, c.Name+"="+c.Value)
	}
	return strings.Join(l, "; ")
}

// TestOtherSites: the cookie alone changes nothing when another site's page sends it.
func TestOtherSites(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	b.signIn("alice")
	for _, c := range []struct {
		name, method, target string
		header               map[string]string
		want                 int
	}{
		{"our page", "POST", "/message", map[string]string{"Origin": publicURL, "Sec-Fetch-Site": "same-origin"}, 200},
		{"our page, an old browser", "POST", "/message", map[string]string{"Origin": publicURL}, 200},
		{"a listed page", "POST", "/message", map[string]string{"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"}, 200},
		{"nobody says where from", "POST", "/message", nil, 403},
		{"typed", "POST", "/message", map[string]string{"Sec-Fetch-Site": "none"}, 403},
		{"another site's form", "POST", "/message", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		{"a sandboxed page", "POST", "/message", map[string]string{"Origin": "null"}, 403},
		{"another site's PUT", "PUT", "/memory/collections/x/points/1", map[string]string{"Origin": "https://evil.example"}, 403},
		{"another site's DELETE", "DELETE", "/memory/conversation_history", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a neighbour", "POST", "/message", map[string]string{"Origin": "http://evil.localhost:8080", "Sec-Fetch-Site": "same-site"}, 403},
		{"a read of our page", "GET", "/", map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200},
		{"a read of nobody knows whom", "GET", "/", nil, 200},
		{"another site's script", "GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403},
		{"another site's fetch", "GET", "/", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403},
		{"a link on another site", "GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{"a frame on another site", "GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		{"another site signs out", "POST", "/_catflap/logout", map[string]string{"Origin": "https://evil.example"}, 403},
		{"another site's image signs out", "GET", "/_catflap/logout", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 200},
		{"another site gets a ticket", "POST", "/_catflap/ticket", map[string]string{"Origin": "https://evil.example"}, 403},
		{"another site logs out of the panel", "GET", "/auth/login", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{"an image of our own page", "GET", "/auth/login", map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 200},
		{"no browser", "GET", "/auth/login", nil, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := l.cat.count()
			resp, text := b.send(c.method, c.target, "{}", c.header)
			if resp.StatusCode != c.want {
				t.Errorf("%d, want %d\n%s", resp.StatusCode, c.want, text)
			}
			if c.want == 403 && l.cat.count() != before {
				t.Error("it reached the Cat")
			}
			if b.is() != "desk:alice" {
				t.Fatal("the session has ended")
			}
		})
	}
}

func TestLogout(t *testing.T) {
	d := &desk{title: "desk"}
	l := newDesk(t, nil, d)
	b, elsewhere, other := l.browser(t), l.browser(t), l.browser(t)
	for _, x := range []*browser{b, elsewhere} {
		x.signIn("alice")
	}
	other.signIn("bob")
	kept := cookies(b)
	resp, _ := b.send(http.MethodPost, "/_catflap/logout", "everywhere=0", map[string]string{"Origin": publicURL, "Accept": "text/html"})
	to, _ := url.Parse(resp.Header.Get("Location"))
	if resp.StatusCode != http.StatusSeeOther || to.Host != "idp.example" || to.Query().Get("id_token_hint") != "id-token-of-alice" ||
		to.Query().Get("post_logout_redirect_uri") != publicURL+"/_catflap/signed-out" || to.Query().Get("state") == "" {
		t.Errorf("%d to %s", resp.StatusCode, to)
	}
	cleared := 0
	for _, line := range resp.Header["Set-Cookie"] {
		if strings.Contains(line, "Max-Age=0") {
			cleared++
		}
	}
	if b.is() != "" || cleared < 2 {
		t.Errorf("%q, %v", b.is(), resp.Header["Set-Cookie"])
	}
	// The cookie is worth nothing any more, wherever it was kept.
	req := l.request(t, http.MethodGet, "/", "", "")
	req.Header.Set("Cookie", kept)
	if resp, _ := l.send(t, req); resp.StatusCode != 401 {
		t.Errorf("an old cookie: %d", resp.StatusCode)
	}
	if elsewhere.is() != "desk:alice" || other.is() != "desk:bob" {
		t.Error("others were signed out")
	}
	b.signIn("alice")
	resp, text := b.send(http.MethodPost, "/_catflap/logout", "everywhere=1", map[string]string{"Origin": publicURL, "Accept": "application/json"})
	var answer struct{ Redirect string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || resp.StatusCode != 200 || !strings.HasPrefix(answer.Redirect, "https://idp.example/desk/logout?") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if b.is() != "" || elsewhere.is() != "" || other.is() != "desk:bob" {
		t.Errorf("everywhere: %q %q %q", b.is(), elsewhere.is(), other.is())
	}
	if resp, text := b.goTo("/_catflap/signed-out"); resp.StatusCode != 200 || !strings.Contains(text, "/_catflap/login") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestBackChannelLogout(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b, other := l.browser(t), l.browser(t)
	b.signIn("alice")
	other.signIn("bob")
	post := func(path, kind, body string) (int, string) {
		req := l.request(t, http.MethodPost, path, "", body)
		req.Header.Set("Content-Type", kind)
		resp, text := l.send(t, req)
		if resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept", path)
		}
		return resp.StatusCode, text
	}
	const form = "application/x-www-form-urlencoded"
	for _, bad := range [][3]string{
		{"/_catflap/backchannel-logout/desk", form, "logout_token=nonsense"},
		{"/_catflap/backchannel-logout/desk", form, ""},
		{"/_catflap/backchannel-logout/desk", form, "logout_token=alice.1&logout_token=alice.2"},
		{"/_catflap/backchannel-logout/desk", form, "logout_token=" + strings.Repeat("a", 64<<10)},
		{"/_catflap/backchannel-logout/desk", "application/json", `{"logout_token":"alice.1"}`},
		{"/_catflap/backchannel-logout/other", form, "logout_token=alice.1"},
	} {
		if status, text := post(bad[0], bad[1], bad[2]); status != 400 || strings.Contains(text, "alice") || b.is() != "desk:alice" {
			t.Errorf("%.60s: %d %s", bad, status, text)
		}
	}
	if status, text := post("/_catflap/backchannel-logout/desk", form, "logout_token=alice.1"); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	if b.is() != "" || other.is() != "desk:bob" {
		t.Errorf("%q %q", b.is(), other.is())
	}
	if status, _ := post("/_catflap/backchannel-logout", form, "logout_token=alice.1"); status != 400 {
		t.Errorf("a replay: %d", status)
	}
	if resp, _ := b.goTo("/_catflap/backchannel-logout/desk"); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", resp.StatusCode)
	}
}

func TestRenewal(t *testing.T) {
	d := &desk{title: "desk", life: 5 * time.Minute}
	l := newDesk(t, nil, d)
	b, other := l.browser(t), l.browser(t)
	b.signIn("alice")
	other.signIn("bob")
	move := func(by time.Duration) { d.ahead.Add(int64(by)) }
	if b.is() != "desk:alice" || d.renewals != 0 {
		t.Fatalf("%q, renewed %d times at once", b.is(), d.renewals)
	}
	move(4*time.Minute + time.Second)
	if b.is() != "desk:alice" || d.renewals != 1 {
		t.Fatalf("%q, renewed %d times a minute before the end", b.is(), d.renewals)
	}
	d.answersTo("refresh-alice", io.ErrUnexpectedEOF)
	move(4*time.Minute + 30*time.Second)
	if resp, text := b.script(http.MethodGet, "/", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("an outage before the token's end: %d %s", resp.StatusCode, text)
	}
	move(31 * time.Second)
	if resp, text := b.script(http.MethodGet, "/", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an outage beyond the token's end: %d %s", resp.StatusCode, text)
	}
	resp, text := b.goTo("/custom/page")
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "/_catflap/login?return_to=%2Fcustom%2Fpage") {
		t.Errorf("the page of that outage: %d %s", resp.StatusCode, text)
	}
	if _, text := b.script(http.MethodGet, "/", ""); !strings.Contains(text, `"login_url":"/_catflap/login"`) {
		t.Errorf("the answer of that outage: %s", text)
	}
	d.answersTo("refresh-alice", nil)
	move(time.Minute)
	if b.is() != "desk:alice" {
		t.Errorf("back from the outage: %q", b.is())
	}
	d.answersTo("refresh-bob", authhandlers.Reject("login_ended", "sign in again", "invalid_grant"))
	for range 2 {
		if other.is() != "" {
			t.Error("a refused renewal left the session")
		}
	}
	if resp, _ := other.goTo("/"); resp.StatusCode != http.StatusFound {
		t.Errorf("a navigation after that: %d", resp.StatusCode)
	}
	move(61 * time.Minute) // idle
	if b.is() != "" {
		t.Error("an idle session lives on")
	}
}

func TestChoosing(t *testing.T) {
	one, two := &desk{title: "desk"}, &desk{title: "partners"}
	l := newDesk(t, nil, one, two)
	b := l.browser(t)
	resp, text := b.goTo("/_catflap/login?return_to=/custom/page")
	if resp.StatusCode != 200 || !strings.Contains(text, "idp=desk") || !strings.Contains(text, "idp=partners") || !strings.Contains(text, "return_to=%2Fcustom%2Fpage") {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	if resp, _ := b.goTo("/_catflap/login?idp=nobody"); resp.StatusCode != 404 {
		t.Errorf("an unknown provider: %d", resp.StatusCode)
	}
	b.finish(b.begin("?idp=partners"), "alice")
	if b.is() != "partners:alice" {
		t.Errorf("%q", b.is())
	}
	b.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
	if resp, _ := b.goTo("/_catflap/login"); !strings.HasPrefix(resp.Header.Get("Location"), "https://idp.example/partners/") {
		t.Errorf("the choice was forgotten: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, text := b.goTo("/_catflap/login?choose=1"); resp.StatusCode != 200 || !strings.Contains(text, "idp=desk") {
		t.Errorf("%d", resp.StatusCode)
	}
}

// loseSession is what a browser does that does not keep the session's cookie.
func (b *browser) loseSession() {
	b.jar.SetCookies(site, []*http.Cookie{{Name: "catflap-8080", Path: "/", MaxAge: -1}})
}

func TestLoopsAreBroken(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	for range 20 {
		resp, text := b.goTo("/_catflap/login")
		if resp.StatusCode == http.StatusLoopDetected {
			if !strings.Contains(text, "login_loop") || !strings.Contains(text, "idp=desk") {
				t.Error(text)
			}
			if resp, _ := b.goTo("/_catflap/login?idp=desk"); resp.StatusCode != http.StatusSeeOther {
				t.Errorf("who chooses by hand is not in a loop: %d", resp.StatusCode)
			}
			return
		}
		to, err := url.Parse(resp.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		b.finish(to.Query().Get("state"), "alice")
		b.loseSession()
	}
	t.Error("it goes on for ever")
}

// TestAnyNumberOfTabs: they are sent to sign in at once, by a browser that was never
// here and by one whose session has ended; each comes to its own page.
func TestAnyNumberOfTabs(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	const tabs = 30
	for range 2 {
		var states []string
		var given []*http.Cookie
		for i := range tabs { // none of these answers is read before the last request is sent
			begun := &browser{t, l, b.jar}
			if len(b.jar.Cookies(site)) == 0 {
				begun = l.browser(t)
			}
			states = append(states, begun.begin("?return_to="+url.QueryEscape(fmt.Sprintf("/custom/%d", i))))
			if begun.jar != b.jar {
				given = append(given, begun.jar.Cookies(site)...)
			}
		}
		b.jar.SetCookies(site, given)
		for i, state := range states {
			resp := b.finish(state, "alice")
			if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != fmt.Sprintf("/custom/%d", i) {
				t.Errorf("tab %d: %d to %q", i, resp.StatusCode, got)
			}
			if b.is() != "desk:alice" {
				t.Errorf("tab %d is %q", i, b.is())
			}
		}
		if got := len(b.jar.Cookies(site)); got != 3 {
			t.Errorf("%d cookies are left: %v", got, b.jar.Cookies(site))
		}
		b.loseSession()
	}
}

func TestAnotherNameOfTheHost(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	req := l.request(t, http.MethodGet, "/_catflap/login?return_to=/custom/page", "", "")
	resp, _ := l.send(t, req) // the test server's own address
	if want := publicURL + "/_catflap/login?here=1&return_to=%2Fcustom%2Fpage"; resp.Header.Get("Location") != want {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	req = l.request(t, http.MethodGet, "/_catflap/login?here=1", "", "")
	if resp, _ := l.send(t, req); !strings.HasPrefix(resp.Header.Get("Location"), "https://idp.example/") {
		t.Errorf("a circle: %s", resp.Header.Get("Location"))
	}
}

func TestTwoCookies(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	a, b := l.browser(t), l.browser(t)
	a.signIn("alice")
	b.signIn("bob")
	req := l.request(t, http.MethodGet, "/", "", "")
	req.Header["Cookie"] = []string{cookies(a), cookies(b)}
	if resp, _ := l.send(t, req); resp.StatusCode != 401 {
		t.Errorf("two sessions at once: %d", resp.StatusCode)
	}
	// A token decides over the cookie.
	req = l.request(t, http.MethodPost, "/message", "bob", "{}")
	req.Header.Set("Cookie", cookies(a))
	if resp, _ := l.send(t, req); resp.StatusCode != 200 || l.cat.last(t).Header.Get("user_id") != "staff:bob" {
		t.Errorf("%d as %v", resp.StatusCode, l.cat.last(t).Header)
	}
	req = l.request(t, http.MethodPost, "/message", "forged", "{}")
	req.Header.Set("Cookie", cookies(a))
	if resp, _ := l.send(t, req); resp.StatusCode != 401 {
		t.Errorf("a bad token falls back to the cookie: %d", resp.StatusCode)
	}
}
