package catuser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/catuser"
)

func TestConformance(t *testing.T) {
	clock := authtest.NewClock()
	var names []string
	for i := range 8 {
		names = append(names, fmt.Sprintf("person-%d", i))
	}
	cat := newCat(clock, append(names, "twice", "twice")...)
	alice := cat.users[0]
	bad := func(changes map[string]any) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request { return authtest.Bearer(cat.token(alice, changes)) }
	}
	by := func(key string, m jwt.SigningMethod) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request { return authtest.Bearer(signed(key, m, cat.claims(alice, nil))) }
	}
	authtest.Run(t, authtest.Suite{
		Clock: clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			return open(t, env, cat, true)
		},
		Request:  func(_ *testing.T, n int) *authhandlers.Request { return authtest.Bearer(cat.token(cat.users[n], nil)) },
		Person:   func(n int) (string, string) { return catuser.Issuer, names[n] },
		Lifetime: time.Hour,
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"another secret":         by("another secret, which is long enough too", jwt.SigningMethodHS256),
			"the Cat's default":      by("secret", jwt.SigningMethodHS256),
			"HS512":                  by(secret, jwt.SigningMethodHS512),
			"none":                   by("", jwt.SigningMethodNone),
			"expired":                bad(map[string]any{"exp": clock.Now().Add(-time.Second).Unix()}),
			"without end":            bad(map[string]any{"exp": nil}),
			"end is a text":          bad(map[string]any{"exp": "9999999999"}),
			"for a year":             bad(map[string]any{"exp": clock.Now().Add(365 * 24 * time.Hour).Unix()}),
			"not yet":                bad(map[string]any{"nbf": clock.Now().Add(time.Hour).Unix()}),
			"for an audience":        bad(map[string]any{"aud": "cat"}),
			"without user":           bad(map[string]any{"sub": nil}),
			"user is a number":       bad(map[string]any{"sub": 7}),
			"nobody's":               bad(map[string]any{"sub": "00000000-0000-4000-8000-000000000000"}),
			"another's name":         bad(map[string]any{"username": "person-1"}),
			"an aliased name":        bad(map[string]any{"username": "staff:alice"}),
			"without name":           bad(map[string]any{"username": nil}),
			"as minted before":       bad(map[string]any{"permissions": nil}),
			"permissions are a text": bad(map[string]any{"permissions": "*"}),
			"one of two of a name": func(*testing.T) *authhandlers.Request {
				return authtest.Bearer(cat.token(cat.users[8], nil))
			},
		},
		Foreign: map[string]func(*testing.T) *authhandlers.Request{
			"as minted":        bad(map[string]any{"iss": "catflap"}),
			"a foreign issuer": bad(map[string]any{"iss": "https://evil.example"}),
			"an empty issuer":  bad(map[string]any{"iss": ""}),
			"no text issuer":   bad(map[string]any{"iss": 7}),
			"the cookie": func(*testing.T) *authhandlers.Request {
				r := authtest.NewRequest()
				r.HTTP.Header.Set("Cookie", "ccat_user_token="+cat.token(alice, nil))
				return r
			},
		},
	})
}

// TestWhatATokenIsWorth: the token's own permissions count for nothing, and what names
// an issuer is left to others.
func TestWhatATokenIsWorth(t *testing.T) {
	clock := authtest.NewClock()
	cat := newCat(clock, "alice")
	h := open(t, authtest.NewEnv(t, clock), cat, false)
	if _, login := h.(authhandlers.LoginProvider); login {
		t.Error("people sign in without login: true")
	}
	u, err := h.Authenticate(t.Context(), authtest.Bearer(cat.token(cat.users[0], nil)))
	if err != nil || *u.Sub != "id-0" || strings.Join(u.Permissions, " ") != "own:STATUS:READ" {
		t.Errorf("%+v, %v", u, err)
	}
	for name, token := range map[string]string{
		"minted": cat.token(cat.users[0], map[string]any{"iss": "catflap"}), "opaque": "abc.def.ghi", "none of ours": "catflap_abc",
	} {
		if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); rejected(err) != "" || err == nil {
			t.Errorf("%s: %v, want that others are asked", name, err)
		}
	}
}
