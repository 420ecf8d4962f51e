package permission

import (
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

func policy(t *testing.T, rules Rules) *Policy {
	t.Helper()
	p, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func target(method, path string) Target {
	r, known := cat.V1().Route(method, path)
	return Target{Method: method, Path: path, Route: r, Known: known}
}

func person(handler string, groups ...string) *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{ID: handler + ":p", Handler: handler, Groups: groups}
}

func TestDecide(t *testing.T) {
	rules := Rules{
		Everyone: []string{"base"},
		Sets:     map[string][]string{"editors": {"UPLOAD:WRITE", "readers"}, "readers": {"MEMORY:READ"}},
		Grants: []Grant{
			{From: []string{"staff"}, Groups: []string{"admins"}, Allow: []string{"admin"}},
			{From: []string{"staff"}, Groups: []string{"editors"}, Allow: []string{"editors"}},
			{From: []string{"staff"}, Claims: map[string][]string{"department": {"web", "it"}}, Allow: []string{"UPLOAD_WEB:WRITE"}},
			{Users: []string{"staff:p"}, Groups: []string{"plugins"}, Allow: []string{"PLUGINS:*"}},
			{Groups: []string{"interns"}, Deny: []string{"PLUGINS:*", "UPLOAD:WRITE"}},
			{Groups: []string{"suspended"}, Deny: []string{"admin", "base"}},
		},
		Endpoints: []Endpoint{
			{Match: "GET /custom/report", Needs: "CONVERSATION:READ"},
			{Match: "GET /custom/mine", Needs: "CONVERSATION:READ", Own: true},
			{Match: "* /custom/open/**", Needs: "everyone"},
			{Match: "POST /custom/admin", Needs: "admin"},
		},
	}
	p := policy(t, rules)
	web := person("staff")
	web.Claims = map[string][]string{"department": {"it"}}
	own := person("staff", "admins")
	own.Permissions = []string{"CONVERSATION:WRITE"}
	ownDenied := person("staff", "interns")
	ownDenied.Permissions = []string{"admin"}
	for _, c := range []struct {
		name   string
		u      *authhandlers.AuthUserInfo
		method string
		path   string
		rule   string
		allow  bool
	}{
		{"base: own", person("staff"), "POST", "/message", "permissions.everyone", true},
		{"base: everybody's", person("staff"), "GET", "/memory/collections/episodic/points", "default", false},
		{"base: names and sizes", person("staff"), "GET", "/memory/collections", "default", false},
		{"base: own conversation", person("staff"), "DELETE", "/memory/conversation_history", "permissions.everyone", true},
		{"base: not in the set", person("staff"), "DELETE", "/memory/collections/episodic/points/1", "default", false},
		{"by name: everybody's", person("staff", "editors"), "GET", "/memory/collections/episodic/points", "permissions.grants[1]", true},
		{"a set within a set", person("staff", "editors"), "POST", "/rabbithole/", "permissions.grants[1]", true},
		{"upload is not fetching URLs", person("staff", "editors"), "POST", "/rabbithole/web", "default", false},
		{"fetching URLs by its own grant", web, "POST", "/rabbithole/web", "permissions.grants[2]", true},
		{"fetching URLs as admin", person("staff", "admins"), "POST", "/rabbithole/web", "permissions.grants[0]", true},
		{"admin", person("staff", "admins"), "DELETE", "/users/1", "permissions.grants[0]", true},
		{"admin: unknown endpoint", person("staff", "admins"), "GET", "/custom/x", "permissions.grants[0]", true},
		{"unknown endpoint", person("staff", "editors"), "GET", "/custom/x", "default", false},
		{"another handler's group of that name", person("partners", "admins"), "DELETE", "/users/1", "default", false},
		{"look-alike group", person("staff", "Admins", "admins ", "admin"), "DELETE", "/users/1", "default", false},
		{"users and groups: both", person("staff", "plugins"), "GET", "/plugins/", "permissions.grants[3]", true},
		{"users and groups: one", person("partners", "plugins"), "GET", "/plugins/", "default", false},
		{"deny beats admin", person("staff", "admins", "interns"), "GET", "/plugins/", "permissions.grants[4]", false},
		{"deny beats a grant", person("staff", "editors", "interns"), "POST", "/rabbithole/", "permissions.grants[4]", false},
		{"deny of uploads is deny of fetching URLs", person("staff", "admins", "interns"), "POST", "/rabbithole/web", "permissions.grants[4]", false},
		{"deny leaves the rest", person("staff", "editors", "interns"), "GET", "/memory/collections", "permissions.grants[1]", true},
		{"denied words", person("staff", "admins", "suspended"), "POST", "/message", "default", false},
		{"denied words: unknown endpoint", person("staff", "admins", "suspended"), "GET", "/custom/x", "default", false},
		{"the handler's own, instead of all else", own, "POST", "/message", "handlers.staff.permissions", true},
		{"the handler's own: nothing is added", own, "DELETE", "/users/1", "handlers.staff.permissions", false},
		{"the handler's own: deny applies", ownDenied, "GET", "/plugins/", "permissions.grants[4]", false},
		{"a plugin's endpoint: base is not enough", person("staff"), "GET", "/custom/report", "default", false},
		{"a plugin's endpoint of own data", person("staff"), "GET", "/custom/mine", "permissions.everyone", true},
		{"a plugin's endpoint for everyone", person("partners"), "PATCH", "/custom/open/a/b", "permissions.endpoints", true},
		{"a plugin's endpoint for admin", person("staff", "editors"), "POST", "/custom/admin", "default", false},
		{"the login of the Cat", person("staff", "editors"), "POST", "/auth/token", "default", false},
		{"HEAD is GET", person("staff"), "HEAD", "/", "permissions.everyone", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := p.Decide(c.u, target(c.method, c.path))
			if d.Allow != c.allow || d.Rule != c.rule || d.Reason == "" {
				t.Errorf("allow %v by %q because %q, want %v by %q", d.Allow, d.Rule, d.Reason, c.allow, c.rule)
			}
			if d.Allow && d.Route.Path == "" {
				t.Error("an allowed route has no path")
			}
		})
	}
	for handler, want := range map[string][]string{"staff": {"department"}, "partners": nil} {
		if got := p.Claims(handler); !slices.Equal(got, want) {
			t.Errorf("claims of %s: %v", handler, got)
		}
	}
}

func TestNothingIsGrantedByDefault(t *testing.T) {
	p := policy(t, Rules{})
	for _, r := range cat.V1().Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if d := p.Decide(person("staff", "admin"), Target{Method: method, Path: path, Route: r, Known: true}); d.Allow {
			t.Errorf("%s is allowed", r.Pattern)
		}
	}
}

func TestPublic(t *testing.T) {
	p := policy(t, Rules{Public: []string{"GET /static/**", "GET /custom/*/logo"}})
	for _, c := range []struct {
		method, path string
		want         bool
	}{
		{"GET", "/static/a/b", true}, {"HEAD", "/static/a", true}, {"POST", "/static/a", false}, {"GET", "/static", false},
		{"GET", "/staticx/a", false}, {"GET", "/custom/x/logo", true}, {"GET", "/custom/x/logo/", true}, {"GET", "/custom/logo", false},
		{"GET", "/custom/x/y/logo", false}, {"GET", "/x/static/a", false},
	} {
		d, ok := p.Public(c.method, c.path)
		if ok != c.want || ok && (!d.Public || !d.Allow || d.Route.Path != c.path) {
			t.Errorf("%s %s: %v", c.method, c.path, ok)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, rules := range map[string]Rules{
		"unknown permission": {Everyone: []string{"MEMORY:LOOK"}},
		"unknown set":        {Grants: []Grant{{Allow: []string{"writers"}}}},
		"set in a circle":    {Everyone: []string{"a"}, Sets: map[string][]string{"a": {"b"}, "b": {"a"}}},
		"deny":               {Grants: []Grant{{Deny: []string{"nothing"}}}},
		"pattern":            {Public: []string{"/static/**"}},
		"needs":              {Endpoints: []Endpoint{{Match: "GET /x", Needs: "base"}}},
		"needs several":      {Endpoints: []Endpoint{{Match: "GET /x", Needs: "MEMORY:*"}}},
		"dots":               {Public: []string{"GET /static/../x"}},
		"rest in the middle": {Public: []string{"GET /a/**/b"}},
		"all of it":          {Public: []string{"GET /**"}},
		"options":            {Public: []string{"OPTIONS /x"}},
		"half a star":        {Public: []string{"GET /a*"}},
	} {
		if _, err := New(rules); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("GET /static/**", "/static/a")
	f.Add("* /a/*/b", "/a/x/b/")
	f.Fuzz(func(t *testing.T, text, path string) {
		p, err := ParsePattern(text)
		if err != nil || !p.Match("GET", path) {
			return
		}
		literal := strings.TrimSuffix(strings.SplitN(text, " ", 2)[1], "/")
		if !strings.Contains(literal, "*") && strings.Trim(path, "/") != strings.Trim(literal, "/") {
			t.Fatalf("%q takes %q", text, path)
		}
	})
}
