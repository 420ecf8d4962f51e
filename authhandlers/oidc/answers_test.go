package oidc_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

// manyGroups are as many as people in large companies have.
func manyGroups(n int) []string {
	l := make([]string, n)
	for i := range l {
		l[i] = fmt.Sprintf("CN=team-%04d,OU=Groups,OU=Headquarters,DC=corp,DC=example,DC=com", i)
	}
	return l
}

// TestManyGroups: the bound for what strangers send is none for what the token
// endpoint gives. A logout's address stays one that servers take.
func TestManyGroups(t *testing.T) {
	for _, n := range []int{300, 1500} {
		f := start(t, nil)
		groups := manyGroups(n)
		f.p.id = []issuer.Change{issuer.Claim("groups", groups)}
		l := f.signedIn(t)
		if !slices.Equal(l.Person.Groups, groups) {
			t.Errorf("%d groups of %d", len(l.Person.Groups), n)
		}
		f.clock.Advance(4 * time.Minute)
		f.p.set(func() { f.p.id = []issuer.Change{issuer.Claim("groups", groups[1:])} })
		l, err := f.h.RefreshLogin(t.Context(), l)
		if err != nil || !slices.Equal(l.Person.Groups, groups[1:]) {
			t.Fatalf("renewed: %v", err)
		}
		out := f.h.LogoutURL(l, "https://cat.example.com/_catflap/signed-out", "s")
		if len(out) > 8000 || !strings.Contains(out, "client_id="+clientID) {
			t.Errorf("a logout of %d bytes", len(out))
		}
	}
	f := start(t, nil)
	f.p.id = []issuer.Change{issuer.Claim("groups", manyGroups(5000))}
	if _, err := f.login(t, nil); code(err) != "token_too_large" {
		t.Errorf("an ID token beyond all bounds: %v", err)
	}
	// What a stranger sends has the small bound still.
	f = start(t, func(c *oidc.Config) { c.AcceptIDTokens = true })
	token := f.p.Token("alice", issuer.Claim("aud", clientID), issuer.Claim("groups", manyGroups(300)))
	if _, err := f.h.Authenticate(t.Context(), authtest.Bearer(token)); code(err) != "token_too_large" {
		t.Errorf("a large bearer: %v", err)
	}
}

// TestNoAccessToken is Azure AD B2C: whoever asks for no scope of an API gets an ID
// token alone.
func TestNoAccessToken(t *testing.T) {
	for name, hash := range map[string]issuer.Change{
		"no hash": issuer.Without("at_hash"), "a hash of nothing that we have": issuer.Claim("at_hash", "x"),
	} {
		f := start(t, nil)
		f.p.extra["access_token"], f.p.extra["expires_in"] = nil, nil
		f.p.id = []issuer.Change{issuer.Claim("groups", []string{"users"}), hash}
		l, err := f.login(t, nil)
		if err != nil || l.Person.Subject != "alice" || !slices.Equal(l.Person.Groups, []string{"users"}) || !l.Until.Equal(f.clock.Now().Add(10*time.Minute)) {
			t.Fatalf("%s: %+v, %v", name, l, err)
		}
		f.clock.Advance(9 * time.Minute)
		again, err := f.h.RefreshLogin(t.Context(), l)
		if err != nil || again.RefreshToken == l.RefreshToken || !again.Until.After(l.Until) {
			t.Errorf("%s: %+v, %v", name, again, err)
		}
	}
	// Where userinfo has to be asked, there is nothing to ask it with.
	f := start(t, func(c *oidc.Config) { c.UserInfo = true })
	f.p.extra["access_token"] = nil
	if _, err := f.login(t, nil); code(err) != "setup" {
		t.Errorf("userinfo without an access token: %v", err)
	}
	// A renewal that brings nothing keeps what there is, and its new refresh token.
	f = start(t, nil)
	l := f.signedIn(t)
	f.p.set(func() { f.p.extra["access_token"], f.p.extra["id_token"] = nil, nil })
	kept, err := f.h.RefreshLogin(t.Context(), l)
	if err != nil || kept.RefreshToken == l.RefreshToken || !kept.Until.Equal(l.Until) {
		t.Errorf("a renewal of nothing: %+v, %v", kept, err)
	}
}

// TestAnswersOfAnyType: some providers put another type over their JSON.
func TestAnswersOfAnyType(t *testing.T) {
	for _, kind := range []string{
		"text/plain", "text/plain; charset=utf-8", "application/json; charset=UTF-8", "text/html", "text/javascript",
		"application/octet-stream", "application/x-www-form-urlencoded", "no type at all", ";;;",
	} {
		f := start(t, nil)
		f.p.answersAs = kind
		l, err := f.login(t, func(url.Values) {})
		if err != nil || l.RefreshToken == "" || !l.Until.Equal(f.clock.Now().Add(5*time.Minute)) {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if _, err := f.h.RefreshLogin(t.Context(), l); err != nil {
			t.Errorf("%s: renewed: %v", kind, err)
		}
	}
}
