package oidc_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

func TestLogoutURL(t *testing.T) {
	f := start(t, nil)
	l := f.signedIn(t)
	const back = "https://cat.example.com/_catflap/signed-out"
	for name, c := range map[string]struct {
		end            any
		login          *authhandlers.Login
		to, state      string
		base           string
		want           url.Values
		withoutHintKey bool
	}{
		"whole": {f.p.URL() + "/logout", l, back, "s1", "/logout", url.Values{
			"client_id": {clientID}, "id_token_hint": {l.IDToken}, "post_logout_redirect_uri": {back}, "state": {"s1"}}, false},
		"without a hint": {f.p.URL() + "/logout", nil, back, "s1", "/logout", url.Values{
			"client_id": {clientID}, "post_logout_redirect_uri": {back}, "state": {"s1"}}, false},
		"without a way back": {f.p.URL() + "/logout", l, "", "s1", "/logout", url.Values{"client_id": {clientID}, "id_token_hint": {l.IDToken}}, false},
		"with a query": {f.p.URL() + "/logout?tenant=a%26b", l, "", "", "/logout", url.Values{
			"client_id": {clientID}, "id_token_hint": {l.IDToken}, "tenant": {"a&b"}}, false},
	} {
		f.p.Discover(map[string]any{"end_session_endpoint": c.end})
		h := open(t, authtest.NewEnv(t, f.clock), f.p, nil)
		if _, err := h.BeginLogin(t.Context(), attempt()); err != nil { // the document is there
			t.Fatal(err)
		}
		u, err := url.Parse(h.LogoutURL(c.login, c.to, c.state))
		if err != nil || u.Path != c.base || !reflect.DeepEqual(u.Query(), c.want) {
			t.Errorf("%s: %v, %v", name, u, err)
		}
	}
	f.p.Discover(map[string]any{"end_session_endpoint": nil})
	h := open(t, authtest.NewEnv(t, f.clock), f.p, nil)
	if _, err := h.BeginLogin(t.Context(), attempt()); err != nil {
		t.Fatal(err)
	}
	if got := h.LogoutURL(l, back, "s"); got != "" {
		t.Errorf("a provider without the place: %q", got)
	}
}

const event = "http://schemas.openid.net/event/backchannel-logout"

// logoutToken is one as Keycloak sends it.
func (f fixture) logoutToken(changes ...issuer.Change) string {
	now := f.clock.Now().Unix()
	return f.p.Token("alice", append([]issuer.Change{
		issuer.Header("typ", "logout+jwt"), issuer.Claim("aud", clientID), issuer.Without("client_id"), issuer.Claim("sid", "session-1"),
		issuer.Claim("exp", now+120), issuer.Claim("jti", "j1"), issuer.Claim("typ", "Logout"), issuer.Claim("events", map[string]any{event: map[string]any{}}),
	}, changes...)...)
}

func TestLogoutTokens(t *testing.T) {
	f := start(t, nil)
	other := open(t, authtest.NewEnv(t, f.clock), f.p, func(c *oidc.Config) { c.UserID = "email" })
	stranger, err := issuer.NewKey("es256", "ES256")
	if err != nil {
		t.Fatal(err)
	}
	now := f.clock.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	claim := func(name string, v any) []issuer.Change { return []issuer.Change{issuer.Claim(name, v)} }
	for name, c := range map[string]struct {
		changes []issuer.Change
		want    string
	}{
		"Keycloak's":           {nil, ""},
		"oidc-provider's":      {[]issuer.Change{issuer.Without("typ")}, ""},
		"typ JWT":              {[]issuer.Change{issuer.Header("typ", "JWT")}, ""},
		"no typ":               {[]issuer.Change{issuer.Header("typ", nil)}, ""},
		"application/":         {[]issuer.Change{issuer.Header("typ", "application/Logout+JWT")}, ""},
		"sub alone":            {[]issuer.Change{issuer.Without("sid")}, ""},
		"sid alone":            {[]issuer.Change{issuer.Without("sub")}, ""},
		"several audiences":    {claim("aud", []string{"x", clientID}), ""},
		"no exp":               {[]issuer.Change{issuer.Without("exp")}, ""},
		"another event beside": {claim("events", map[string]any{event: map[string]any{}, "https://x.example": 1}), ""},
		"4 minutes old":        {append(claim("iat", at(-4*time.Minute)), issuer.Without("exp")), ""},

		"access token":         {[]issuer.Change{issuer.Header("typ", "at+jwt")}, "wrong_token_type"},
		"security event":       {[]issuer.Change{issuer.Header("typ", "secevent+jwt")}, "wrong_token_type"},
		"typ ID":               {claim("typ", "ID"), "wrong_token_type"},
		"typ no text":          {claim("typ", 1), "wrong_token_type"},
		"nonce":                {claim("nonce", "n"), "wrong_token_type"},
		"nonce null":           {claim("nonce", nil), "wrong_token_type"},
		"no events":            {[]issuer.Change{issuer.Without("events")}, "wrong_token_type"},
		"events a text":        {claim("events", event), "wrong_token_type"},
		"events a list":        {claim("events", []string{event}), "wrong_token_type"},
		"event true":           {claim("events", map[string]any{event: true}), "wrong_token_type"},
		"event null":           {claim("events", map[string]any{event: nil}), "wrong_token_type"},
		"another event":        {claim("events", map[string]any{event + "/": map[string]any{}}), "wrong_token_type"},
		"event in capitals":    {claim("events", map[string]any{strings.ToUpper(event): map[string]any{}}), "wrong_token_type"},
		"other audience":       {claim("aud", "catflap-api"), "wrong_audience"},
		"no audience":          {[]issuer.Change{issuer.Without("aud")}, "wrong_audience"},
		"other issuer":         {claim("iss", "https://evil.example"), "wrong_issuer"},
		"no issuer":            {[]issuer.Change{issuer.Without("iss")}, "wrong_issuer"},
		"forged":               {[]issuer.Change{issuer.ForgedBy(stranger)}, "bad_signature"},
		"none":                 {[]issuer.Change{issuer.Header("alg", "none")}, "algorithm_not_allowed"},
		"HS256":                {[]issuer.Change{issuer.SignedBy(&issuer.Key{ID: "es256", Algorithm: "HS256", Private: []byte(secret)})}, "algorithm_not_allowed"},
		"unknown key":          {[]issuer.Change{issuer.Header("kid", "x")}, "unknown_key"},
		"no iat":               {[]issuer.Change{issuer.Without("iat")}, "invalid_claim"},
		"iat a text":           {claim("iat", "now"), "invalid_claim"},
		"iat ahead":            {claim("iat", at(time.Minute)), "token_not_yet_valid"},
		"old":                  {append(claim("iat", at(-6*time.Minute)), issuer.Claim("exp", at(time.Hour))), "token_expired"},
		"old, no exp":          {append(claim("iat", at(-6*time.Minute)), issuer.Without("exp")), "token_expired"},
		"expired":              {append(claim("exp", at(-time.Minute)), issuer.Claim("iat", at(-2*time.Minute))), "token_expired"},
		"exp a text":           {claim("exp", "x"), "invalid_claim"},
		"no jti":               {[]issuer.Change{issuer.Without("jti")}, "invalid_claim"},
		"empty jti":            {claim("jti", ""), "invalid_claim"},
		"jti a number":         {claim("jti", 7), "invalid_claim"},
		"long jti":             {claim("jti", strings.Repeat("j", 600)), "invalid_claim"},
		"neither sub nor sid":  {[]issuer.Change{issuer.Without("sub", "sid")}, "invalid_claim"},
		"empty sub":            {claim("sub", ""), "invalid_claim"},
		"sid a number":         {claim("sid", 7), "invalid_claim"},
		"encrypted":            {nil, "malformed_token"},
		"the login's ID token": {nil, "wrong_token_type"},
	} {
		token := f.logoutToken(c.changes...)
		switch name {
		case "encrypted":
			token = "eyJ.a.b.c.d"
		case "the login's ID token":
			token = f.signedIn(t).IDToken
		}
		l, err := f.h.ReadLogoutToken(t.Context(), token)
		if code(err) != c.want || (l == nil) != (c.want != "") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		shown(t, err)
		if l == nil {
			continue
		}
		want := authhandlers.Revocation{Issuer: f.p.URL(), Subject: "alice", SessionID: "session-1"}
		switch name {
		case "sub alone":
			want.SessionID = ""
		case "sid alone":
			want.Subject = ""
		}
		if l.Revocation != want || l.TokenID != "j1" || l.IssuedAt.After(now) || !l.Expiry.After(now) || l.Expiry.After(now.Add(6*time.Minute)) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	// Where people are known by another claim, their sub says nothing.
	l, err := other.ReadLogoutToken(t.Context(), f.logoutToken())
	if err != nil || l.Revocation != (authhandlers.Revocation{Issuer: f.p.URL(), SessionID: "session-1"}) {
		t.Errorf("got %+v, %v", l, err)
	}
	if _, err := other.ReadLogoutToken(t.Context(), f.logoutToken(issuer.Without("sid"))); code(err) != "invalid_claim" {
		t.Errorf("sub alone: %v", err)
	}
}
