package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func TestSignIn(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	a := l.begin()
	page := b.get(a.address)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `value="alice"`) || !strings.Contains(page.body, `value="bob"`) {
		t.Fatalf("the page: %d %s", page.StatusCode, page.body)
	}
	if p := page.Header.Get("Content-Security-Policy"); !strings.Contains(p, "form-action 'self' http://localhost:8080;") {
		t.Errorf("policy %s", p)
	}
	back := b.post(a.address, url.Values{"person": {"alice"}}, "Origin: "+l.o.Issuer).sentBack(t)
	if back.Get("state") != "the-state" || back.Get("iss") != l.o.Issuer || back.Has("error") {
		t.Fatalf("answer %v", back)
	}
	tokens, err := l.client.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(a.verifier))
	if err != nil {
		t.Fatal(err)
	}
	id, err := l.oidc.Verifier(&oidc.Config{ClientID: "catflap"}).Verify(t.Context(), hint(tokens))
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil || id.Nonce != "the-nonce" || id.Subject != "alice" || !slices.Equal(id.Audience, []string{"catflap"}) {
		t.Errorf("ID token %+v: %v", id, err)
	}
	var claims struct {
		Groups   []string
		SID      string `json:"sid"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := id.Claims(&claims); err != nil || !slices.Equal(claims.Groups, []string{"cat-admins"}) || claims.SID == "" || claims.AuthTime == 0 {
		t.Errorf("claims %+v: %v", claims, err)
	}
	if left := time.Until(tokens.Expiry); left > tokenLife || left < tokenLife-time.Minute {
		t.Errorf("the access token lives for %v", left)
	}
	access, err := l.keys.read(tokens.AccessToken, accessType, "cat", false)
	if err != nil || access["sub"] != "alice" || access["sid"] != claims.SID || access["client_id"] != "catflap" {
		t.Errorf("access token %v: %v", access, err)
	}
	info, err := l.oidc.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil || info.Subject != "alice" {
		t.Errorf("userinfo %+v: %v", info, err)
	}
}

func TestSingleSignOn(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	login := oauth2.SetAuthURLParam("prompt", "login")
	none := oauth2.SetAuthURLParam("prompt", "none")
	if e := b.get(l.begin(none).address).sentBack(t); e.Get("error") != "login_required" || e.Get("iss") != l.o.Issuer || e.Get("state") != "the-state" {
		t.Errorf("nobody is signed in: %v", e)
	}
	first := sidOf(t, l, l.tokens(b, "alice"))
	for _, o := range []oauth2.AuthCodeOption{none, oauth2.SetAuthURLParam("prompt", ""), oauth2.SetAuthURLParam("max_age", "60")} {
		if b.get(l.begin(o).address).sentBack(t).Get("code") == "" {
			t.Error("not known again")
		}
	}
	for _, o := range []oauth2.AuthCodeOption{login, oauth2.SetAuthURLParam("prompt", "select_account")} {
		if a := b.get(l.begin(o).address); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "as <strong>alice</strong>") {
			t.Errorf("asked to ask again: %d", a.StatusCode)
		}
	}
	if a := l.newBrowser().get(l.begin().address); a.StatusCode != http.StatusOK {
		t.Errorf("another browser is known: %d", a.StatusCode)
	}
	// The same person goes on; another one ends the session of the first.
	if again := sidOf(t, l, l.tokens(b, "alice")); again != first || len(l.logouts()) != 0 {
		t.Errorf("sid %s, then %s, %v", first, again, l.logouts())
	}
	l.later(2 * time.Minute)
	if a := b.get(l.begin(oauth2.SetAuthURLParam("max_age", "60")).address); a.StatusCode != http.StatusOK {
		t.Errorf("max_age: %d", a.StatusCode)
	}
	if bob := sidOf(t, l, l.tokens(b, "bob")); bob == first {
		t.Error("bob has alice's session")
	}
	if out := l.logouts(); len(out) != 1 || out[0]["sid"] != first || out[0]["sub"] != "alice" {
		t.Errorf("logouts %v", out)
	}
	l.later(sessionLife)
	if a := b.get(l.begin().address); a.StatusCode != http.StatusOK {
		t.Errorf("a session of yesterday: %d", a.StatusCode)
	}
}

func sidOf(t *testing.T, l *lab, tokens *oauth2.Token) string {
	t.Helper()
	claims, err := l.keys.read(hint(tokens), idType, "catflap", false)
	if err != nil {
		t.Fatal(err)
	}
	sid, _ := claims["sid"].(string)
	return sid
}

func TestTheOldCookieIsWorthNothing(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	l.tokens(b, "alice")
	home, err := url.Parse(l.o.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	old := b.client.Jar.Cookies(home)
	l.tokens(b, "alice")
	thief := l.newBrowser()
	thief.client.Jar.SetCookies(home, old)
	if a := thief.get(l.begin().address); a.StatusCode != http.StatusOK {
		t.Errorf("the cookie before the last login: %d", a.StatusCode)
	}
}

// TestRequestsThatAreRefused: where the client is known, it is told; where it is
// not, nobody is sent anywhere.
func TestRequestsThatAreRefused(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct {
		name, query string // what is set; "-name" is left out, "name=value" comes on top
		want        string // the error; empty: a page
	}{
		{"another client", "client_id=other", ""},
		{"no client", "-client_id", ""},
		{"two clients", "+client_id=catflap", ""},
		{"another address", "redirect_uri=http://localhost:8080/_catflap/callback/", ""},
		{"another case", "redirect_uri=http://LOCALHOST:8080/_catflap/callback", ""},
		{"a longer address", "redirect_uri=" + url.QueryEscape(labRedirect+"?x=1"), ""},
		{"no address", "-redirect_uri", ""},
		{"two addresses", "+redirect_uri=http://evil.example/", ""},
		{"unreadable", "x=%zz", ""},
		{"a token at once", "response_type=token", "unsupported_response_type"},
		{"hybrid", "response_type=code+id_token", "unsupported_response_type"},
		{"no type", "-response_type", "unsupported_response_type"},
		{"fragment", "response_mode=fragment", "invalid_request"},
		{"no openid", "scope=profile", "invalid_scope"},
		{"no scope", "-scope", "invalid_scope"},
		{"no challenge", "-code_challenge", "invalid_request"},
		{"a short challenge", "code_challenge=abc", "invalid_request"},
		{"plain", "code_challenge_method=plain", "invalid_request"},
		{"no method, which means plain", "-code_challenge_method", "invalid_request"},
		{"request object", "request=e30", "request_not_supported"},
		{"request by reference", "request_uri=http://evil.example/", "request_uri_not_supported"},
		{"twice", "+nonce=b", "invalid_request"},
		{"prompt", "prompt=consent", "invalid_request"},
		{"prompts", "prompt=none+login", "invalid_request"},
		{"max_age", "max_age=-1", "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := changed(t, l.begin().address, tt.query)
			for _, a := range []answer{l.newBrowser().get(address), l.newBrowser().post(address, url.Values{"person": {"alice"}})} {
				if tt.want == "" {
					if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || len(a.Cookies()) != 0 {
						t.Errorf("%d %s", a.StatusCode, a.Header.Get("Location"))
					}
					continue
				}
				if q := a.sentBack(t); q.Get("error") != tt.want || q.Has("code") || q.Get("iss") != l.o.Issuer || q.Get("state") != "the-state" {
					t.Errorf("answer %v", q)
				}
			}
		})
	}
}

func changed(t *testing.T, address, change string) string {
	t.Helper()
	base, raw, _ := strings.Cut(address, "?")
	q, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := strings.CutPrefix(change, "-"); ok {
		q.Del(name)
		return base + "?" + q.Encode()
	}
	if more, ok := strings.CutPrefix(change, "+"); ok {
		return address + "&" + more
	}
	name, _, _ := strings.Cut(change, "=")
	q.Del(name)
	return base + "?" + q.Encode() + "&" + change
}

func TestTheFormIsThePagesOwn(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct {
		name string
		form url.Values
		head []string
		want int
	}{
		{"another site's form", url.Values{"person": {"bob"}}, []string{"Origin: https://evil.example"}, http.StatusForbidden},
		{"another site's form, newer browser", url.Values{"person": {"bob"}}, []string{"Sec-Fetch-Site: cross-site"}, http.StatusForbidden},
		{"another port's form", url.Values{"person": {"bob"}}, []string{"Sec-Fetch-Site: same-site"}, http.StatusForbidden},
		{"a stranger", url.Values{"person": {"mallory"}}, nil, http.StatusBadRequest},
		{"nobody", url.Values{}, nil, http.StatusBadRequest},
	} {
		if a := l.newBrowser().post(l.begin().address, tt.form, tt.head...); a.StatusCode != tt.want || len(a.Cookies()) != 0 {
			t.Errorf("%s: %d %v", tt.name, a.StatusCode, a.Cookies())
		}
	}
	if q := l.newBrowser().post(l.begin().address, url.Values{"cancel": {"yes"}}).sentBack(t); q.Get("error") != "access_denied" {
		t.Errorf("cancel: %v", q)
	}
	b := l.newBrowser()
	for _, c := range b.post(l.begin().address, url.Values{"person": {"bob"}}).Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || len(c.Value) < 26 {
			t.Errorf("cookie %v", c)
		}
	}
}

func TestAnotherHostIsRefused(t *testing.T) {
	l := newLab(t)
	for _, path := range []string{"/", "/token/alice", "/jwks", "/authorize"} {
		req, err := http.NewRequest(http.MethodGet, l.o.Issuer+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		if a := l.newBrowser().do(req); a.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}
