package permission

import (
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// TestOfAccount: what the Cat has stored for each of its new users opens their own data
// alone, and nothing is granted that is not stored.
func TestOfAccount(t *testing.T) {
	p, err := New(Rules{Everyone: []string{"base", "UPLOAD:WRITE"}})
	if err != nil {
		t.Fatal(err)
	}
	parse := func(names ...string) (all cat.Permissions) {
		for _, name := range names {
			one, err := cat.ParsePermissions(name)
			if err != nil {
				t.Fatal(err)
			}
			all |= one
		}
		return all
	}
	for _, c := range []struct {
		name         string
		stored       cat.Permissions
		method, path string
		want         bool
	}{
		{"a new user chats", cat.Base, "POST", "/message", true},
		{"and recalls", cat.Base, "GET", "/memory/recall", true},
		{"and clears the own conversation", cat.Base, "DELETE", "/memory/conversation_history", true},
		{"and reads nobody else's memories", cat.Base, "GET", "/memory/collections/episodic/points", false},
		{"and uploads nothing, whatever everyone may", cat.Base, "POST", "/rabbithole/", false},
		{"one without conversation", parse("STATUS:READ", "MEMORY:READ"), "POST", "/message", false},
		{"one with nothing", 0, "GET", "/", false},
		{"one with nothing clears nothing", 0, "DELETE", "/memory/conversation_history", false},
		{"a manager of users", cat.Base | parse("USERS:*"), "GET", "/users/", true},
		{"is no administrator", cat.Base | parse("USERS:*"), "GET", "/admin/", false},
		{"an administrator", cat.All, "GET", "/admin/", true},
		{"sees everybody's", cat.All, "GET", "/memory/collections/episodic/points", true},
		{"an uploader", cat.Base | parse("UPLOAD:WRITE"), "POST", "/rabbithole/", true},
		{"has no page fetched", cat.Base | parse("UPLOAD:WRITE"), "POST", "/rabbithole/web", false},
	} {
		u := &authhandlers.AuthUserInfo{Permissions: OfAccount(c.stored)}
		route, known := cat.V1().Route(c.method, c.path)
		if got := p.Decide(u, Target{Method: c.method, Path: c.path, Route: route, Known: known}); got.Allow != c.want {
			t.Errorf("%s: %v (%s)", c.name, got.Allow, got.Reason)
		}
		if p.Stored(u) != c.stored || p.Held(u) != c.stored {
			t.Errorf("%s: stored %v, held %v, want %v", c.name, p.Stored(u).Names(), p.Held(u).Names(), c.stored.Names())
		}
	}
}
