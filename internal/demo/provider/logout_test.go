package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func (l *lab) logoutURL(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return l.o.Issuer + "/end_session?" + q.Encode()
}

func TestTheClientSignsOut(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	tokens := l.tokens(b, "alice")
	l.later(time.Hour) // an old ID token is hint enough
	a := b.get(l.logoutURL("id_token_hint", hint(tokens), "post_logout_redirect_uri", labSignOut, "state", "s&t"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != labSignOut+"?state=s%26t" {
		t.Fatalf("%d %s %s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	if a := b.get(l.begin().address); a.StatusCode != http.StatusOK {
		t.Errorf("still signed in: %d", a.StatusCode)
	}
	if _, err := l.refresh(tokens.RefreshToken); err == nil {
		t.Error("the refresh token outlived the session")
	}
	out := l.logouts()
	if len(out) != 1 {
		t.Fatalf("%d logout tokens", len(out))
	}
	o := out[0]
	events, _ := o["events"].(map[string]any)
	event, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if o["iss"] != l.o.Issuer || o["aud"] != "catflap" || o["sub"] != "alice" || o["sid"] == "" || o["jti"] == "" || o["nonce"] != nil || event == nil || len(events) != 1 {
		t.Errorf("logout token %v", o)
	}
	// Once more: nobody is signed in, and people come home all the same.
	if a := b.get(l.logoutURL("id_token_hint", hint(tokens), "post_logout_redirect_uri", labSignOut)); a.Header.Get("Location") != labSignOut || len(l.logouts()) != 1 {
		t.Errorf("again: %d %s", a.StatusCode, a.Header.Get("Location"))
	}
}

// TestThePersonIsAsked: a link of anybody's can't sign people out.
func TestThePersonIsAsked(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	l.tokens(b, "alice")
	bob := hint(l.tokens(l.newBrowser(), "bob"))
	for _, address := range []string{l.logoutURL(), l.o.Issuer + "/", l.logoutURL("id_token_hint", bob, "post_logout_redirect_uri", labSignOut)} {
		if a := b.get(address); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "as <strong>alice</strong>") || !strings.Contains(a.body, `method="post"`) {
			t.Errorf("%s: %d %s", address, a.StatusCode, a.body)
		}
	}
	if a := b.post(l.logoutURL(), nil, "Sec-Fetch-Site: cross-site"); a.StatusCode != http.StatusForbidden || len(l.logouts()) != 0 {
		t.Errorf("another site's form: %d", a.StatusCode)
	}
	if a := b.post(l.logoutURL(), nil, "Sec-Fetch-Site: same-origin"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "and of Catflap") || len(l.logouts()) != 1 {
		t.Errorf("the own form: %d %s", a.StatusCode, a.body)
	}
	if a := b.get(l.o.Issuer + "/"); !strings.Contains(a.body, "Nobody is signed in") {
		t.Errorf("afterwards: %s", a.body)
	}
}

func TestLogoutsThatAreRefused(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	tokens := l.tokens(b, "alice")
	other, err := newKeys(l.o.Issuer, l.clock)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.sign(idType, tokenLife, jwt.MapClaims{"sub": "alice", "aud": "catflap", "sid": sidOf(t, l, tokens)})
	if err != nil {
		t.Fatal(err)
	}
	for name, pairs := range map[string][]string{
		"no hint":           {"post_logout_redirect_uri", labSignOut},
		"a longer address":  {"id_token_hint", hint(tokens), "post_logout_redirect_uri", labSignOut + "x"},
		"another address":   {"id_token_hint", hint(tokens), "post_logout_redirect_uri", "http://evil.example/"},
		"a login address":   {"id_token_hint", hint(tokens), "post_logout_redirect_uri", labRedirect},
		"no token":          {"id_token_hint", "x"},
		"an access token":   {"id_token_hint", tokens.AccessToken},
		"another key's":     {"id_token_hint", forged},
		"another client":    {"id_token_hint", hint(tokens), "client_id", "other"},
		"two hints":         {"id_token_hint", hint(tokens), "id_token_hint", hint(tokens)},
		"two addresses":     {"id_token_hint", hint(tokens), "post_logout_redirect_uri", labSignOut, "post_logout_redirect_uri", "http://evil.example/"},
		"unreadable":        {"id_token_hint", hint(tokens), "\xff;", ""},
		"an unsigned token": {"id_token_hint", unsigned(t, l, tokens.AccessToken)},
	} {
		address := l.logoutURL(pairs...)
		if name == "unreadable" {
			address += "&x=%zz"
		}
		for _, a := range []answer{b.get(address), b.post(address, nil)} {
			if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.Header.Get("Location"))
			}
		}
	}
	if len(l.logouts()) != 0 {
		t.Error("somebody was signed out")
	}
	b.get(l.begin().address).sentBack(t)
}

func unsigned(t *testing.T, l *lab, token string) string {
	t.Helper()
	claims, err := l.keys.read(token, accessType, "cat", false)
	if err != nil {
		t.Fatal(err)
	}
	claims["aud"] = "catflap"
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	return none
}

// TestAClientThatIsAway does not keep anybody signed in.
func TestAClientThatIsAway(t *testing.T) {
	l := newLab(t)
	l.breakClient()
	b := l.newBrowser()
	l.tokens(b, "alice")
	if a := b.post(l.logoutURL(), nil); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "could not be told") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := b.get(l.begin().address); a.StatusCode != http.StatusOK {
		t.Errorf("still signed in: %d", a.StatusCode)
	}
}

func TestNewRefuses(t *testing.T) {
	good := Options{Issuer: "http://127.0.0.1:1", ClientID: "c", ClientSecret: "s", Redirects: []string{"http://l/"}, PostLogout: []string{"http://l/"}, BackChannel: "http://l/", Audience: "a"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"path":     func(o *Options) { o.Issuer += "/" },
		"no host":  func(o *Options) { o.Issuer = "http:" },
		"no id":    func(o *Options) { o.ClientID = "" },
		"secret":   func(o *Options) { o.ClientSecret = "" },
		"redirect": func(o *Options) { o.Redirects = nil },
		"out":      func(o *Options) { o.PostLogout = nil },
		"channel":  func(o *Options) { o.BackChannel = "" },
		"audience": func(o *Options) { o.Audience = "" },
		"address":  func(o *Options) { o.Redirects = []string{"http://l:x/"} },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
