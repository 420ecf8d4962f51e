package catuser_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
)

var jwtHS256 = jwt.SigningMethodHS256

// TestLoginByPassword: the Cat is asked once for each name and password, so
// that neither the answer nor its time tells which names there are.
func TestLoginByPassword(t *testing.T) {
	clock := authtest.NewClock()
	cat := newCat(clock, "alice", "bob")
	opened := open(t, authtest.NewEnv(t, clock), cat, true)
	h, _ := opened.(authhandlers.PasswordLogin)
	var told []string
	for _, c := range []struct{ name, user, password, asked string }{
		{"a wrong password", "alice", "wrong", "alice"},
		{"nobody", "mallory", "wrong", "alice"},
		{"nobody, with somebody's password", "mallory", "password of alice", "alice"},
		{"more than bcrypt reads", "bob", strings.Repeat("x", 73), "alice"},
		{"what bcrypt refuses", "bob", "x\x00y", "alice"},
	} {
		_, err := h.LoginByPassword(t.Context(), c.user, c.password)
		r, _ := errors.AsType[*authhandlers.Rejection](err)
		if r == nil || r.Code != authhandlers.CodeWrongPassword {
			t.Fatalf("%s: %v", c.name, err)
		}
		told = append(told, r.Hint+r.Error())
		if got := cat.asked[len(cat.asked)-1]; got != c.asked {
			t.Errorf("%s: the Cat is asked for %q", c.name, got)
		}
	}
	if slices.Sort(told); told[0] != told[len(told)-1] {
		t.Errorf("the answers differ: %q", told)
	}
	if len(cat.asked) != 5 {
		t.Errorf("the Cat was asked %d times", len(cat.asked))
	}
	g, err := h.LoginByPassword(t.Context(), "bob", "password of bob")
	if err != nil || g.Login.Person.Subject != "bob" || *g.Login.Person.Sub != "id-1" {
		t.Fatalf("%+v, %v", g, err)
	}
	if u, err := opened.Authenticate(t.Context(), authtest.Bearer(g.Token)); err != nil || u.Subject != "bob" {
		t.Errorf("the token: %+v, %v", u, err)
	}
}

// TestLoginWhereThereIsOneUser: a password that bcrypt does not read costs the Cat the
// same under the only name that there is as under any other.
func TestLoginWhereThereIsOneUser(t *testing.T) {
	clock := authtest.NewClock()
	cat := newCat(clock, "alice")
	h, _ := open(t, authtest.NewEnv(t, clock), cat, true).(authhandlers.PasswordLogin)
	for _, c := range []struct{ user, password string }{
		{"alice", "wrong"}, {"alice", "x\x00y"}, {"alice", strings.Repeat("x", 73)}, {"mallory", "wrong"}, {"mallory", "x\x00y"},
	} {
		_, err := h.LoginByPassword(t.Context(), c.user, c.password)
		if rejected(err) != authhandlers.CodeWrongPassword {
			t.Fatalf("%q, %q: %v", c.user, c.password, err)
		}
		if got := cat.asked[len(cat.asked)-1]; got != "alice" {
			t.Errorf("%q, %q: the Cat is asked for %q", c.user, c.password, got)
		}
	}
}
