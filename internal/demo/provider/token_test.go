package provider

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
)

func basic(id, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func TestCodesThatAreRefused(t *testing.T) {
	l := newLab(t)
	right := basic("catflap", labSecret)
	for _, tt := range []struct {
		name, head string
		change     func(url.Values)
		wait       time.Duration
		status     int
		want       string
	}{
		{"another verifier", right, func(v url.Values) { v.Set("code_verifier", oauth2.GenerateVerifier()) }, 0, 400, "invalid_grant"},
		{"no verifier", right, func(v url.Values) { v.Del("code_verifier") }, 0, 400, "invalid_grant"},
		{"another address", right, func(v url.Values) { v.Set("redirect_uri", labSignOut) }, 0, 400, "invalid_grant"},
		{"no address", right, func(v url.Values) { v.Del("redirect_uri") }, 0, 400, "invalid_grant"},
		{"another code", right, func(v url.Values) { v.Set("code", "x") }, 0, 400, "invalid_grant"},
		{"late", right, func(url.Values) {}, codeLife, 400, "invalid_grant"},
		{"twice", right, func(v url.Values) { v.Add("code", "x") }, 0, 400, "invalid_request"},
		{"secret in the form too", right, func(v url.Values) { v.Set("client_secret", labSecret) }, 0, 400, "invalid_request"},
		{"another grant", right, func(v url.Values) { v.Set("grant_type", "client_credentials") }, 0, 400, "unsupported_grant_type"},
		{"a code as a refresh token", right, func(v url.Values) {
			v.Set("grant_type", "refresh_token")
			v.Set("refresh_token", v.Get("code"))
		}, 0, 400, "invalid_grant"},
		{"no client", "X-None: x", func(url.Values) {}, 0, 401, "invalid_client"},
		{"another client", basic("other", labSecret), func(url.Values) {}, 0, 401, "invalid_client"},
		{"a wrong secret", basic("catflap", "wrong"), func(url.Values) {}, 0, 401, "invalid_client"},
		{"no secret", basic("catflap", ""), func(url.Values) {}, 0, 401, "invalid_client"},
		{"secret in the form", "X-None: x", func(v url.Values) { v.Set("client_id", "catflap"); v.Set("client_secret", labSecret) }, 0, 401, "invalid_client"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, verifier := l.code(l.newBrowser(), "alice")
			form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {labRedirect}, "code_verifier": {verifier}}
			tt.change(form)
			l.later(tt.wait)
			a := l.newBrowser().post(l.o.Issuer+"/token", form, tt.head)
			var e struct{ Error string }
			if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.StatusCode != tt.status || e.Error != tt.want || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s: %v", a.StatusCode, a.body, err)
			}
			if tt.status == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Error("no challenge")
			}
		})
	}
}

func TestACodeIsWorthOneUse(t *testing.T) {
	l := newLab(t)
	code, verifier := l.code(l.newBrowser(), "alice")
	tokens, err := l.client.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.client.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code was worth two uses")
	}
	if _, err := l.refresh(tokens.RefreshToken); err == nil {
		t.Error("what the first use bought outlived the second")
	}
	// A wrong verifier spends it too: nobody guesses on.
	code, verifier = l.code(l.newBrowser(), "alice")
	_, _ = l.client.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()))
	if _, err := l.client.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code was tried twice")
	}
}

func TestRefreshTokensRotate(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	first := l.tokens(b, "bob")
	second, err := l.refresh(first.RefreshToken)
	if err != nil || second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Fatal("not rotated", err)
	}
	if claims, err := l.keys.read(hint(second), idType, "catflap", false); err != nil || claims["nonce"] != nil || claims["sid"] != sidOf(t, l, first) || claims["sub"] != "bob" {
		t.Errorf("the new ID token %v: %v", claims, err)
	}
	if _, err := l.refresh(first.RefreshToken); err == nil {
		t.Error("a refresh token was worth two uses")
	}
	if _, err := l.refresh(second.RefreshToken); err == nil {
		t.Error("the grant survived a refresh token that was used twice")
	}

	other := l.tokens(b, "bob")
	l.later(sessionLife)
	if _, err := l.refresh(other.RefreshToken); err == nil {
		t.Error("a refresh token outlived its session")
	}
}

func TestOneOfManyRefreshesSucceeds(t *testing.T) {
	l := newLab(t)
	token := l.tokens(l.newBrowser(), "bob").RefreshToken
	var wg sync.WaitGroup
	good := make(chan struct{}, 20)
	for range cap(good) {
		wg.Go(func() {
			if _, err := l.refresh(token); err == nil {
				good <- struct{}{}
			}
		})
	}
	wg.Wait()
	if len(good) != 1 {
		t.Errorf("%d succeeded", len(good))
	}
}

func TestUserinfoRefuses(t *testing.T) {
	l := newLab(t)
	b := l.newBrowser()
	tokens := l.tokens(b, "alice")
	ask := func(token string) int {
		req, err := http.NewRequest(http.MethodGet, l.o.Issuer+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		a := l.newBrowser().do(req)
		if a.StatusCode == http.StatusUnauthorized && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Error("no challenge")
		}
		return a.StatusCode
	}
	other, err := newKeys(l.o.Issuer, l.clock)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.sign(accessType, tokenLife, jwt.MapClaims{"sub": "alice", "aud": "cat"})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := l.access(people()[0], tokenLife, "catflap", jwt.MapClaims{})
	if err != nil || ask(elsewhere) != http.StatusOK || ask(tokens.AccessToken) != http.StatusOK {
		t.Fatal("a good token is refused", err)
	}
	wrongAudience, err := l.keys.sign(accessType, tokenLife, jwt.MapClaims{"sub": "alice", "aud": "other"})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"none": "", "an ID token": hint(tokens), "a refresh token": tokens.RefreshToken, "another key's": forged,
		"another audience": wrongAudience, "cut": tokens.AccessToken[:len(tokens.AccessToken)-4],
	} {
		if got := ask(token); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got)
		}
	}
	b.post(l.o.Issuer+"/end_session", nil)
	if got := ask(tokens.AccessToken); got != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", got)
	}
	l.later(tokenLife)
	if got := ask(elsewhere); got != http.StatusUnauthorized {
		t.Errorf("after its life: %d", got)
	}
}

func TestTokensForTheCommandLine(t *testing.T) {
	l := newLab(t)
	a := l.newBrowser().get(l.o.Issuer + "/token/bob")
	claims, err := l.keys.read(a.body, accessType, "cat", false)
	if err != nil || claims["sub"] != "bob" || claims["iss"] != l.o.Issuer || claims["sid"] != nil {
		t.Errorf("bob's token %v: %v", claims, err)
	}
	if a := l.newBrowser().get(l.o.Issuer + "/token/mallory"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a token for a stranger: %d", a.StatusCode)
	}
}
