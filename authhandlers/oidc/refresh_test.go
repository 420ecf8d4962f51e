package oidc_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

func TestRefreshReadsAnew(t *testing.T) {
	f := start(t, nil)
	f.p.id = []issuer.Change{issuer.Claim("groups", []string{"admins", "users"})}
	old := f.signedIn(t)
	kept := *old
	f.clock.Advance(4 * time.Minute)
	f.p.set(func() { f.p.id = []issuer.Change{issuer.Claim("groups", []string{"users"})} })
	l, err := f.h.RefreshLogin(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.Person.Groups, []string{"users"}) || l.Person.Subject != "alice" || l.Person.SessionID != "session-1" {
		t.Errorf("got %+v", l.Person)
	}
	if l.RefreshToken == old.RefreshToken || l.IDToken == old.IDToken || !l.IssuedAt.Equal(f.clock.Now()) || !l.Until.Equal(f.clock.Now().Add(5*time.Minute)) {
		t.Errorf("got %+v", l)
	}
	if old.RefreshToken != kept.RefreshToken || !slices.Equal(old.Person.Groups, kept.Person.Groups) {
		t.Error("the old login was changed")
	}
	// The old token is spent: whoever comes with it is out.
	if _, err := f.h.RefreshLogin(t.Context(), old); code(err) != "login_ended" {
		t.Errorf("the second time: %v", err)
	}
	f.p.set(func() { f.p.extra["refresh_token"] = nil })
	again, err := f.h.RefreshLogin(t.Context(), l)
	if err != nil || again.RefreshToken != l.RefreshToken {
		t.Errorf("no new refresh token: %+v, %v", again, err)
	}
}

func TestRefreshRefused(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"invalid grant":       {oauthError(400, "invalid_grant"), "login_ended"},
		"unauthorized client": {oauthError(400, "unauthorized_client"), "login_ended"},
		"denied":              {oauthError(403, "access_denied"), "login_ended"},
		"interaction":         {oauthError(400, "interaction_required"), "login_ended"},
		"wrong secret":        {oauthError(401, "invalid_client"), "fault"},
		"keycloak's secret":   {oauthError(401, "unauthorized_client"), "fault"},
		"invalid client, 400": {oauthError(400, "invalid_client"), "fault"},
		"too often":           {oauthError(429, "invalid_grant"), "fault"},
		"500":                 {oauthError(500, "invalid_grant"), "fault"},
		"502":                 {issuer.Status(502), "fault"},
		"400 of a gateway":    {issuer.Status(400), "fault"},
		"cut":                 {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "fault"},
	} {
		f := start(t, nil)
		old := f.signedIn(t)
		f.p.set(func() { f.p.fault["/token"] = c.answer })
		l, err := f.h.RefreshLogin(t.Context(), old)
		if code(err) != c.want || l != nil {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		shown(t, err)
		f.p.set(func() { delete(f.p.fault, "/token") })
		if _, err := f.h.RefreshLogin(t.Context(), old); err != nil {
			t.Errorf("%s: after the outage: %v", name, err)
		}
	}
	f := start(t, nil)
	old := f.signedIn(t)
	f.p.set(func() { f.p.fault["/token"] = f.p.Hang() })
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	if _, err := f.h.RefreshLogin(ctx, old); code(err) != "fault" {
		t.Errorf("a provider that does not answer: %v", err)
	}
	old.RefreshToken = ""
	if _, err := f.h.RefreshLogin(t.Context(), old); code(err) != "login_ended" {
		t.Errorf("without a refresh token: %v", err)
	}
}

// TestRenewedIDTokens must be the same person's, and in order.
func TestRenewedIDTokens(t *testing.T) {
	for name, c := range map[string]struct {
		change issuer.Change
		want   string
	}{
		"no nonce":       {issuer.Without("nonce"), ""},
		"a nonce":        {issuer.Claim("nonce", "another"), ""},
		"somebody else":  {issuer.Claim("sub", "bob"), "login_ended"},
		"other audience": {issuer.Claim("aud", "other"), "wrong_audience"},
		"other issuer":   {issuer.Claim("iss", "https://evil.example"), "wrong_issuer"},
		"none":           {issuer.Header("alg", "none"), "algorithm_not_allowed"},
		"no groups here": {issuer.Claim("_claim_names", map[string]any{"groups": "src1"}), "groups_overage"},
	} {
		f := start(t, nil)
		old := f.signedIn(t)
		f.p.set(func() { f.p.id = []issuer.Change{c.change} })
		if _, err := f.h.RefreshLogin(t.Context(), old); code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRefreshWithoutIDToken(t *testing.T) {
	start := func(t *testing.T, change func(*oidc.Config)) (fixture, *authhandlers.Login) {
		f := start(t, change)
		f.p.id = []issuer.Change{issuer.Claim("groups", []string{"admins"})}
		l := f.signedIn(t)
		f.p.set(func() {
			f.p.extra["id_token"] = nil
			f.p.userInfo = map[string]any{"sub": "alice", "groups": []string{"users"}, "name": "Alice", "sid": "another", "iss": "https://evil.example"}
		})
		f.clock.Advance(time.Minute)
		return f, l
	}
	t.Run("asks userinfo for the groups", func(t *testing.T) {
		f, old := start(t, nil)
		l, err := f.h.RefreshLogin(t.Context(), old)
		if err != nil || !slices.Equal(l.Person.Groups, []string{"users"}) || l.Person.Name != "Alice" || l.IDToken != old.IDToken || !l.IssuedAt.Equal(old.IssuedAt) {
			t.Errorf("got %+v, %v", l, err)
		}
		if l.Person.Issuer != f.p.URL() {
			t.Errorf("the issuer is %q", l.Person.Issuer)
		}
	})
	t.Run("keeps who nobody says more of", func(t *testing.T) {
		f, old := start(t, func(c *oidc.Config) { c.Groups = "" })
		l, err := f.h.RefreshLogin(t.Context(), old)
		if err != nil || l.Person.Subject != "alice" || l.Person.Name != "" || !l.Until.Equal(f.clock.Now().Add(5*time.Minute)) {
			t.Errorf("got %+v, %v", l, err)
		}
	})
	t.Run("is somebody else's", func(t *testing.T) {
		f, old := start(t, nil)
		f.p.set(func() { f.p.userInfo["sub"] = "bob" })
		if _, err := f.h.RefreshLogin(t.Context(), old); code(err) != "invalid_claim" {
			t.Error(err)
		}
	})
	t.Run("keeps the new refresh token through an outage", func(t *testing.T) {
		f, old := start(t, nil)
		f.p.set(func() { f.p.fault["/userinfo"] = issuer.Status(503) })
		l, err := f.h.RefreshLogin(t.Context(), old)
		if err != nil || l.RefreshToken == old.RefreshToken || !l.Until.Equal(old.Until) || !slices.Equal(l.Person.Groups, []string{"admins"}) {
			t.Fatalf("got %+v, %v", l, err)
		}
		f.p.set(func() { delete(f.p.fault, "/userinfo") })
		l, err = f.h.RefreshLogin(t.Context(), l)
		if err != nil || !slices.Equal(l.Person.Groups, []string{"users"}) {
			t.Errorf("got %+v, %v", l, err)
		}
	})
}

func TestAnotherUserIDEndsTheLogin(t *testing.T) {
	f := start(t, func(c *oidc.Config) { c.UserID = "upn" })
	f.p.id = []issuer.Change{issuer.Claim("upn", "alice@example.test")}
	old := f.signedIn(t)
	if old.Person.Subject != "alice@example.test" {
		t.Fatal(old.Person.Subject)
	}
	f.p.set(func() { f.p.id = []issuer.Change{issuer.Claim("upn", "bob@example.test")} })
	if _, err := f.h.RefreshLogin(t.Context(), old); code(err) != "login_ended" {
		t.Error(err)
	}
}
