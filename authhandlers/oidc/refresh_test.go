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
		"401":                 {oauthError(401, "invalid_grant"), "login_ended"},
		"invalid request":     {oauthError(400, "invalid_request"), "login_ended"},
		"its own word":        {oauthError(400, "token_expired"), "login_ended"},
		"empty 400":           {issuer.Status(400), "login_ended"},
		"empty 401":           {issuer.Status(401), "login_ended"},
		"empty 403":           {issuer.Status(403), "login_ended"},
		"gone":                {issuer.Status(410), "login_ended"},
		"a page":              {page(400), "login_ended"},
		"a page, 401":         {page(401), "login_ended"},
		"error is no text":    {answered(400, `{"error":{"code":"invalid_grant"}}`), "login_ended"},
		"a list":              {answered(400, `["invalid_grant"]`), "login_ended"},
		"200":                 {oauthError(200, "invalid_grant"), "login_ended"},
		"wrong secret":        {oauthError(401, "invalid_client"), "setup"},
		"keycloak's secret":   {oauthError(401, "unauthorized_client"), "setup"},
		"invalid client, 400": {oauthError(400, "invalid_client"), "setup"},
		"too often":           {oauthError(429, "invalid_grant"), "fault"},
		"too slow":            {oauthError(408, "invalid_grant"), "fault"},
		"later":               {oauthError(400, "temporarily_unavailable"), "fault"},
		"500":                 {oauthError(500, "invalid_grant"), "fault"},
		"502":                 {issuer.Status(502), "fault"},
		"a page, 503":         {page(503), "fault"},
		"a page, 200":         {page(200), "fault"},
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

// page is a web page in the place of an answer.
func page(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<!doctype html><title>" + planted + "</title>"))
	}
}

// answered is an answer of the token endpoint.
func answered(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
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
