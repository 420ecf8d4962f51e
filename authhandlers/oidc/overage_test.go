package oidc_test

import (
	"slices"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

// tooMany are the ways in which tokens say that the groups are elsewhere.
func tooMany() map[string][]issuer.Change {
	source := issuer.Claim("_claim_sources", map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/x"}})
	return map[string][]issuer.Change{
		"_claim_names": {issuer.Claim("_claim_names", map[string]any{"groups": "src1"}), source},
		"beside some":  {issuer.Claim("_claim_names", map[string]any{"groups": "src1"}), source, issuer.Claim("groups", []string{"stale"})},
		"hasgroups":    {issuer.Claim("hasgroups", true)},
		"as a text":    {issuer.Claim("hasgroups", "true")},
	}
}

func TestOverageRefused(t *testing.T) {
	for name, changes := range tooMany() {
		f := start(t, nil)
		f.p.id = changes
		if _, err := f.login(t, nil); code(err) != "groups_overage" {
			t.Errorf("%s, login: %v", name, err)
		}
		if _, err := f.h.Authenticate(t.Context(), f.bearer(changes...)); code(err) != "groups_overage" {
			t.Errorf("%s, bearer: %v", name, err)
		}
	}
	// What nothing hangs on may be anywhere.
	for name, changes := range map[string][]issuer.Change{
		"photo": {
			issuer.Claim("_claim_names", map[string]any{"photo": "src1"}),
			issuer.Claim("_claim_sources", map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/x"}}),
		},
		"false": {issuer.Claim("hasgroups", false)},
	} {
		f := start(t, nil)
		f.p.id = changes
		if _, err := f.login(t, nil); err != nil {
			t.Errorf("%s, login: %v", name, err)
		}
		if _, err := f.h.Authenticate(t.Context(), f.bearer(changes...)); err != nil {
			t.Errorf("%s, bearer: %v", name, err)
		}
	}
}

func TestOverageOfWhatPermissionsHangOn(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	env := authtest.NewEnv(t, clock)
	env.Claims = []string{"realm_access.roles"}
	f := fixture{clock, p, open(t, env, p, func(c *oidc.Config) { c.Groups = "" })}
	change := issuer.Claim("_claim_names", map[string]any{"realm_access": "src1"})
	if _, err := f.h.Authenticate(t.Context(), f.bearer(change)); code(err) != "groups_overage" {
		t.Error(err)
	}
}

func TestOverageLookedUp(t *testing.T) {
	lookUp := func(c *oidc.Config) { c.Overage, c.AcceptIDTokens = "userinfo", true }
	for name, changes := range tooMany() {
		f := start(t, lookUp)
		f.p.id = changes
		f.p.userInfo = map[string]any{"sub": "alice", "groups": []string{"one", "two"}, "name": "Alice", "exp": 1}
		l := f.signedIn(t)
		if !slices.Equal(l.Person.Groups, []string{"one", "two"}) {
			t.Errorf("%s, login: %+v", name, l.Person)
		}
		r := f.bearer(changes...)
		u, err := f.h.Authenticate(t.Context(), r)
		if err != nil || !slices.Equal(u.Groups, []string{"one", "two"}) || u.Subject != "alice" || !u.Expiry.After(f.clock.Now()) {
			t.Errorf("%s, bearer: %+v, %v", name, u, err)
		}
		// The answer is remembered with the token.
		f.p.set(func() { f.p.fault["/userinfo"] = issuer.Status(500) })
		if u, err := f.h.Authenticate(t.Context(), r); err != nil || !slices.Equal(u.Groups, []string{"one", "two"}) {
			t.Errorf("%s, the second time: %+v, %v", name, u, err)
		}
	}
}

func TestOverageLookUpFailsClosed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*provider)
		want   string
	}{
		"somebody else":     {func(p *provider) { p.userInfo["sub"] = "bob" }, "invalid_claim"},
		"nobody":            {func(p *provider) { delete(p.userInfo, "sub") }, "invalid_claim"},
		"no groups":         {func(p *provider) { delete(p.userInfo, "groups") }, "groups_overage"},
		"too many again":    {func(p *provider) { p.userInfo["hasgroups"] = true }, "groups_overage"},
		"down":              {func(p *provider) { p.fault["/userinfo"] = issuer.Status(503) }, "fault"},
		"no JSON":           {func(p *provider) { p.fault["/userinfo"] = issuer.Body("text/html", []byte("<p>")) }, "fault"},
		"a name twice":      {func(p *provider) { p.fault["/userinfo"] = issuer.Body("", []byte(`{"sub":"alice","sub":"bob"}`)) }, "fault"},
		"signed":            {func(p *provider) { p.fault["/userinfo"] = issuer.Body("application/jwt", []byte("e30.e30.")) }, "fault"},
		"huge":              {func(p *provider) { p.fault["/userinfo"] = issuer.Body("application/json", make([]byte, 2<<20)) }, "fault"},
		"redirect":          {func(p *provider) { p.fault["/userinfo"] = issuer.RedirectTo("http://127.0.0.2:9/") }, "fault"},
		"does not exist":    {func(p *provider) { p.Discover(map[string]any{"userinfo_endpoint": nil}) }, "setup"},
		"refuses the token": {func(p *provider) { p.fault["/userinfo"] = issuer.Status(401) }, "groups_overage"},
	} {
		clock := authtest.NewClock()
		p := newProvider(t, clock)
		p.userInfo = map[string]any{"sub": "alice", "groups": []string{"one"}}
		p.set(func() { c.change(p) })
		f := fixture{clock, p, open(t, authtest.NewEnv(t, clock), p, func(c *oidc.Config) { c.Overage = "userinfo" })}
		if _, err := f.h.Authenticate(t.Context(), f.bearer(tooMany()["hasgroups"]...)); code(err) != c.want {
			t.Errorf("%s, bearer: %v, want %s", name, err, c.want)
		}
		p.id = tooMany()["hasgroups"]
		want := c.want
		if name == "refuses the token" {
			want = "setup" // at a login it is the provider's own, fresh token
		}
		if _, err := f.login(t, nil); code(err) != want {
			t.Errorf("%s, login: %v, want %s", name, err, want)
		}
	}
}

func TestAnIDTokenOpensNoUserInfo(t *testing.T) {
	f := start(t, func(c *oidc.Config) { c.Overage, c.AcceptIDTokens = "userinfo", true })
	f.p.userInfo = map[string]any{"sub": "alice", "groups": []string{"one"}}
	r := f.bearer(issuer.Header("typ", "JWT"), issuer.Claim("aud", clientID), issuer.Claim("nonce", "n"), issuer.Without("client_id"), issuer.Claim("hasgroups", true))
	if _, err := f.h.Authenticate(t.Context(), r); code(err) != "groups_overage" {
		t.Error(err)
	}
}

func TestUserInfo(t *testing.T) {
	ask := func(c *oidc.Config) { c.UserInfo, c.UserID = true, "email" }
	f := start(t, ask)
	f.p.userInfo = map[string]any{"sub": "alice", "groups": []string{"one"}, "name": "of userinfo", "email": "alice@example.test", "email_verified": true, "sid": "x"}
	f.p.id = []issuer.Change{issuer.Claim("name", "of the ID token")}
	l := f.signedIn(t)
	if l.Person.Name != "of the ID token" || l.Person.Subject != "alice@example.test" || !slices.Equal(l.Person.Groups, []string{"one"}) || l.Person.SessionID != "session-1" {
		t.Errorf("got %+v", l.Person)
	}
	// An address of one answer is not verified by the other.
	f.p.set(func() { f.p.id = []issuer.Change{issuer.Claim("email", "ceo@example.test")} })
	if _, err := f.login(t, nil); code(err) != "invalid_claim" {
		t.Errorf("an address that userinfo has not verified: %v", err)
	}
	f.p.set(func() { f.p.id = nil; f.p.userInfo["sub"] = "bob" })
	if _, err := f.login(t, nil); code(err) != "invalid_claim" {
		t.Errorf("somebody else's: %v", err)
	}
	f.p.set(func() { f.p.userInfo["sub"] = "alice"; f.p.userInfo["_claim_names"] = map[string]any{"groups": "src1"} })
	if _, err := f.login(t, nil); code(err) != "groups_overage" {
		t.Errorf("too many groups: %v", err)
	}
}
