package oidc_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
)

const (
	aliceID = "00000000-0000-4000-8000-00000000000a"
	one     = "11111111-0000-4000-8000-000000000001"
	two     = "22222222-0000-4000-8000-000000000002"
)

// startGraph is a provider with Microsoft Graph beside it, which knows alice.
func startGraph(t *testing.T, change func(*oidc.Config)) (f fixture, asked *[]string) {
	t.Helper()
	asked = new([]string)
	f = start(t, func(c *oidc.Config) {
		c.Overage, c.AcceptIDTokens = "microsoft_graph", true
		c.GraphURL = c.Issuer
		if change != nil {
			change(c)
		}
	})
	answer := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.p.mu.Lock()
		*asked = append(*asked, r.Header.Get("Authorization")+" "+r.PathValue("id")+" "+string(body))
		f.p.mu.Unlock()
		if r.PathValue("id") != aliceID {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"@odata.context": "x", "value": []string{one, two}})
	}
	f.p.Handle("POST /v1.0/users/{id}/getMemberGroups", func(w http.ResponseWriter, r *http.Request) {
		f.p.mu.Lock()
		fault := f.p.fault["graph"]
		f.p.mu.Unlock()
		if fault != nil {
			fault(w, r)
			return
		}
		answer(w, r)
	})
	return f, asked
}

func ofAlice(changes []issuer.Change) []issuer.Change {
	return append(slices.Clone(changes), issuer.Claim("oid", aliceID))
}

func TestOverageAtGraph(t *testing.T) {
	for name, changes := range tooMany() {
		f, asked := startGraph(t, nil)
		f.p.id = ofAlice(changes)
		if l := f.signedIn(t); !slices.Equal(l.Person.Groups, []string{one, two}) {
			t.Errorf("%s, login: %+v", name, l.Person)
		}
		u, err := f.h.Authenticate(t.Context(), f.bearer(ofAlice(changes)...))
		if err != nil || !slices.Equal(u.Groups, []string{one, two}) || u.Subject != "alice" {
			t.Errorf("%s, bearer: %+v, %v", name, u, err)
		}
		l, err := f.h.RefreshLogin(t.Context(), f.signedIn(t))
		if err != nil || !slices.Equal(l.Person.Groups, []string{one, two}) {
			t.Errorf("%s, renewed: %+v, %v", name, l, err)
		}
		for _, a := range *asked {
			if !strings.HasPrefix(a, "Bearer opaque-access-token "+aliceID+" ") || strings.Contains(a, "eyJ") {
				t.Errorf("Graph was asked %q", a)
			}
		}
	}
	f, asked := startGraph(t, nil)
	f.p.id = []issuer.Change{issuer.Claim("groups", []string{"few"})}
	if l := f.signedIn(t); !slices.Equal(l.Person.Groups, []string{"few"}) || len(*asked) != 0 {
		t.Errorf("few groups: %+v, asked %q", l.Person, *asked)
	}
}

// TestGraphFailsClosed: with fewer groups than somebody has, a deny would not hold.
func TestGraphFailsClosed(t *testing.T) {
	answers := func(status int, kind, body string) func(*provider) {
		return func(p *provider) {
			p.fault["graph"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*provider)
		claims []issuer.Change
		want   string
	}{
		"down":                   {answers(503, "", ""), nil, "fault"},
		"busy":                   {answers(429, "", ""), nil, "fault"},
		"no permission":          {answers(403, "", ""), nil, "setup"},
		"another token":          {answers(401, "", ""), nil, "setup"},
		"nobody":                 {answers(404, "", ""), nil, "groups_overage"},
		"too many":               {answers(400, "", ""), nil, "groups_overage"},
		"several pages":          {answers(200, "application/json", `{"value":["`+one+`"],"@odata.nextLink":"https://graph.microsoft.com/x"}`), nil, "groups_overage"},
		"no list":                {answers(200, "application/json", `{"value":"`+one+`"}`), nil, "fault"},
		"no value":               {answers(200, "application/json", `{}`), nil, "fault"},
		"no ids":                 {answers(200, "application/json", `{"value":["cat-admins"]}`), nil, "fault"},
		"numbers":                {answers(200, "application/json", `{"value":[1]}`), nil, "fault"},
		"a name twice":           {answers(200, "application/json", `{"value":[],"value":["`+one+`"]}`), nil, "fault"},
		"no JSON":                {answers(200, "text/html", `<p>`), nil, "fault"},
		"huge":                   {answers(200, "application/json", `{"value":["`+strings.Repeat("a", 2<<20)+`"]}`), nil, "fault"},
		"elsewhere":              {func(p *provider) { p.fault["graph"] = issuer.RedirectTo("http://127.0.0.2:9/") }, nil, "fault"},
		"no oid":                 {func(*provider) {}, []issuer.Change{issuer.Without("oid")}, "groups_overage"},
		"an oid that leads away": {func(*provider) {}, []issuer.Change{issuer.Claim("oid", "../me")}, "groups_overage"},
		"somebody else's":        {func(*provider) {}, []issuer.Change{issuer.Claim("oid", one)}, "groups_overage"},
		"another claim, too":     {func(*provider) {}, []issuer.Change{issuer.Claim("_claim_names", map[string]any{"groups": "a", "department": "a"})}, "groups_overage"},
		"no token for it":        {func(p *provider) { p.fault["/token"] = oauthError(400, "invalid_scope") }, nil, "setup"},
		"no token now":           {func(p *provider) { p.fault["/token"] = issuer.Status(503) }, nil, "fault"},
		"an empty token":         {func(p *provider) { p.extra["access_token"] = nil }, nil, "setup"},
	} {
		f, _ := startGraph(t, nil)
		f.p.set(func() { c.change(f.p) })
		if name == "another claim, too" {
			f.h = open(t, withClaims(t, f, "department"), f.p, func(o *oidc.Config) { o.Overage, o.GraphURL = "microsoft_graph", o.Issuer })
		}
		changes := append(ofAlice(tooMany()["_claim_names"]), c.claims...)
		_, err := f.h.Authenticate(t.Context(), f.bearer(changes...))
		if code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "opaque-access-token") || strings.Contains(err.Error(), planted)) {
			t.Errorf("%s: the error shows too much: %v", name, err)
		}
		if setup := errors.Is(err, authhandlers.ErrSetup); setup != (c.want == "setup") {
			t.Errorf("%s: ErrSetup is %v", name, setup)
		}
	}
}

func TestGraphHangs(t *testing.T) {
	f, _ := startGraph(t, nil)
	f.p.set(func() { f.p.fault["graph"] = f.p.Hang() })
	ctx, cancel := contextFor(t, 100*time.Millisecond)
	defer cancel()
	if _, err := f.h.Authenticate(ctx, f.bearer(ofAlice(tooMany()["hasgroups"])...)); err == nil {
		t.Error("somebody came in without their groups")
	}
}

func TestGraphConfig(t *testing.T) {
	for _, c := range []struct {
		change func(*oidc.Config)
		want   string
	}{
		{func(*oidc.Config) {}, ""},
		{func(c *oidc.Config) { c.GraphURL = "https://graph.microsoft.us" }, ""},
		{func(c *oidc.Config) { c.GraphURL = "https://graph.microsoft.com.evil.example" }, "graph_url: no address"},
		{func(c *oidc.Config) { c.GraphURL = "https://evil.example" }, "graph_url: no address"},
		{func(c *oidc.Config) { c.GraphURL = "http://graph.microsoft.com" }, "graph_url: neither https"},
		{func(c *oidc.Config) { c.GraphURL = "https://graph.microsoft.com/v1.0" }, "graph_url: it has more"},
		{func(c *oidc.Config) { c.GraphURL = "https://graph.microsoft.com:444" }, "graph_url: no address"},
		{func(c *oidc.Config) { c.GraphURL = "https://x@graph.microsoft.com" }, "graph_url: it holds a user"},
		{func(c *oidc.Config) { c.GraphURL, c.Overage = "https://graph.microsoft.us", "userinfo" }, "graph_url: given without"},
		{func(c *oidc.Config) { c.Groups = "" }, "overage: groups is not"},
		{func(c *oidc.Config) { c.Groups = "roles" }, "overage: groups is not"},
		{func(c *oidc.Config) { c.Groups = "roles\ngroups" }, ""},
		{func(c *oidc.Config) { c.ClientSecret.Env = "" }, "overage: given without client_secret"},
	} {
		k := oidc.NewConfig()
		k.Issuer, k.ClientID, k.ClientSecret.Env, k.Groups, k.Overage = "https://idp.example", clientID, "SECRET", "groups", "microsoft_graph"
		c.change(k)
		err := k.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", k.GraphURL, k.Groups, err, c.want)
		}
	}
}

func withClaims(t *testing.T, f fixture, claims ...string) authhandlers.Env {
	t.Helper()
	env := authtest.NewEnv(t, f.clock)
	env.Claims = claims
	return env
}
