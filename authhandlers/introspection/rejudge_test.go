package introspection_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/introspection"
	"github.com/catflap/catflap/config/value"
)

// connect lets somebody in with something that stays open, through a chain.
func (f *fixture) connect(t testing.TB, token string) (*authhandlers.Chain, *authhandlers.AuthUserInfo) {
	t.Helper()
	chain, err := authhandlers.NewChain(f.clock.Now, authhandlers.Link{Name: "opaque", Alias: "opaque", Handler: f.h})
	if err != nil {
		t.Fatal(err)
	}
	r := authtest.Bearer(token)
	r.Lasting = true
	u, err := chain.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if u.Evidence == "" || strings.Contains(u.Evidence, token) {
		t.Fatalf("evidence %q", u.Evidence)
	}
	return chain, u
}

// ends moves the clock until somebody is no longer let in, and returns why. How long that
// takes is measured where the clock stands still (internal/inquiry).
func (f *fixture) ends(t testing.TB, chain *authhandlers.Chain, u *authhandlers.AuthUserInfo) (err error) {
	t.Helper()
	eventually(t, "out", func() bool {
		f.clock.Advance(time.Second)
		chain.Generation()
		_, err = chain.Rejudge(u)
		return err != nil
	})
	return err
}

// TestSocketsFall when access ends at the provider.
func TestSocketsFall(t *testing.T) {
	f := newFixture(t, func(c *introspection.Config) { c.StaleIfError = value.Duration(time.Hour) })
	token := f.token("alice", map[string]any{"exp": nil})
	chain, u := f.connect(t, token)
	for range 100 { // a long stay
		f.clock.Advance(3 * time.Second)
		chain.Generation()
		if _, err := chain.Rejudge(u); err != nil {
			t.Fatal(err)
		}
	}
	f.says(token, "")
	if err := f.ends(t, chain, u); code(err) != "token_inactive" {
		t.Error(err)
	}
}

// TestAnotherGeneration: a handler that was opened later, or by another Catflap with the
// same keys, judges people of the one before, and asks about them.
func TestAnotherGeneration(t *testing.T) {
	f := newFixture(t, nil)
	f.env.Keys = [][]byte{[]byte("a key of the house, of 32 bytes.")}
	f.h = open(t, f.env, f.config(t))
	token := f.token("alice", nil)
	_, u := f.connect(t, token)

	f.env.Keys = [][]byte{[]byte("a newer key of the house, 32 b.."), f.env.Keys[0]}
	f.h = open(t, f.env, f.config(t))
	chain, err := authhandlers.NewChain(f.clock.Now, authhandlers.Link{Name: "opaque", Alias: "opaque", Handler: f.h})
	if err != nil {
		t.Fatal(err)
	}
	again, err := chain.Rejudge(u)
	if err != nil || again.ID != "opaque:alice" || fmt.Sprint(again.Groups) != "[/cat-users]" {
		t.Fatal(again, err)
	}
	f.says(token, "")
	if err := f.ends(t, chain, u); code(err) != "token_inactive" {
		t.Error(err)
	}

	for name, change := range map[string]func(*introspection.Config, *authhandlers.Env){
		"another endpoint": func(c *introspection.Config, _ *authhandlers.Env) { c.URL += "2" },
		"another key":      func(_ *introspection.Config, e *authhandlers.Env) { e.Keys = nil },
	} {
		c, env := f.config(t), f.env
		change(c, &env)
		h := open(t, env, c)
		if _, err := h.(authhandlers.Rejudger).Rejudge(u); code(err) != "unknown_credential" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
