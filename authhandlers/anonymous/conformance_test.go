package anonymous

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
)

// passOf is the n-th guest's, made now.
func passOf(n int, now time.Time) pass {
	p := pass{made: now.Unix(), sealed: now.Unix()}
	copy(p.id[:], fmt.Sprintf("guest-%09d", n))
	return p
}

func withCookies(values ...string) *authhandlers.Request {
	r := authtest.NewRequest()
	for _, v := range values {
		r.HTTP.AddCookie(&http.Cookie{Name: cookieName, Value: v})
	}
	return r
}

func TestConformance(t *testing.T) {
	clock := authtest.NewClock()
	keys := newRing([][]byte{testKey(1)})
	good := func() string { return keys.seal(passOf(0, clock.Now())) }
	foreign := map[string]func(*testing.T) *authhandlers.Request{}
	for name, cookie := range map[string]func() string{
		"of another key": func() string { return newRing([][]byte{testKey(2)}).seal(passOf(0, clock.Now())) },
		"truncated":      func() string { return good()[:40] },
		"longer":         func() string { return good() + "A" },
		"padded":         func() string { return good() + "==" },
		"no text at all": func() string { return "-" },
		"only the facts": func() string {
			p := passOf(0, clock.Now())
			p.key = keys[0].name
			return base64.RawURLEncoding.EncodeToString(p.facts())
		},
		"expired": func() string {
			p := passOf(0, clock.Now().Add(-25*time.Hour))
			return keys.seal(p)
		},
		"of the future": func() string { return keys.seal(passOf(0, clock.Now().Add(time.Hour))) },
	} {
		foreign[name] = func(*testing.T) *authhandlers.Request { return withCookies(cookie()) }
	}
	carrying := func(change func(*authhandlers.Request)) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request {
			r := withCookies(good())
			change(r)
			return r
		}
	}
	for _, carrier := range []authhandlers.Carrier{
		authhandlers.CarrierAuthorization, authhandlers.CarrierLegacyHeader, authhandlers.CarrierQuery, authhandlers.CarrierSubprotocol, authhandlers.CarrierTicket,
	} {
		foreign["a good cookie beside a credential: "+string(carrier)] = carrying(func(r *authhandlers.Request) {
			r.Credential = &authhandlers.Credential{Scheme: "bearer", Value: "of-somebody-else", Carrier: carrier}
		})
	}
	foreign["a good cookie beside another scheme"] = carrying(func(r *authhandlers.Request) {
		r.Credential = &authhandlers.Credential{Scheme: "basic", Value: "dTpw", Carrier: authhandlers.CarrierAuthorization}
	})
	foreign["a good cookie beside what may be a credential"] = carrying(func(r *authhandlers.Request) { r.OtherCredential = true })
	authtest.Run(t, authtest.Suite{
		Clock: clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			c := NewConfig()
			env.Cookie, env.Keys = cookieName, [][]byte{testKey(1)}
			h, err := authhandlers.Open(t.Context(), c, env)
			if err != nil {
				t.Fatal(err)
			}
			return h
		},
		Request:  func(_ *testing.T, n int) *authhandlers.Request { return withCookies(keys.seal(passOf(n, clock.Now()))) },
		Person:   func(n int) (string, string) { return authhandlers.GuestIssuer, passOf(n, clock.Now()).subject() },
		Lifetime: 24 * time.Hour,
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"two cookies":        func(*testing.T) *authhandlers.Request { return withCookies(good(), keys.seal(passOf(1, clock.Now()))) },
			"the same one twice": func(*testing.T) *authhandlers.Request { return withCookies(good(), good()) },
		},
		Foreign: foreign,
	})
}
