package jwt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// presenting is a request that brings a token in a carrier; the zero one is Authorization.
func presenting(c jwt.Carrier, token string) *authhandlers.Request {
	r := authtest.NewRequest()
	switch {
	case c.Header != "":
		r.HTTP.Header[c.Header], r.Carried = []string{token}, true
	case c.Cookie != "":
		r.HTTP.Header["Cookie"], r.Carried = []string{"theme=dark; " + c.Cookie + "=" + token}, true
	default:
		r = authtest.Bearer("x")
		r.Credential.Value = token
	}
	return r
}

func TestConformanceOfCarriers(t *testing.T) {
	for _, carrier := range []jwt.Carrier{{Header: "X-Edge-Token"}, {Cookie: "edge_token"}} {
		t.Run(carrier.Header+carrier.Cookie, func(t *testing.T) {
			clock := authtest.NewClock()
			idp := authtest.NewIssuer(t, clock, "ES256")
			stranger := newKey(t, idp.Key("es256").ID, "ES256")
			bad := func(changes ...issuer.Change) func(*testing.T) *authhandlers.Request {
				return func(*testing.T) *authhandlers.Request { return presenting(carrier, idp.Token("alice", changes...)) }
			}
			text := func(token string) func(*testing.T) *authhandlers.Request {
				return func(*testing.T) *authhandlers.Request { return presenting(carrier, token) }
			}
			authtest.Run(t, authtest.Suite{
				Clock: clock,
				Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
					c := jwt.NewConfig()
					c.Issuer, c.Audiences, c.Keys.JWKSURL, c.Carrier = idp.URL(), []string{idp.Audience()}, idp.JWKSURL(), carrier
					return openConfig(t, env, c)
				},
				Request: func(_ *testing.T, n int) *authhandlers.Request {
					return presenting(carrier, idp.Token(fmt.Sprintf("person-%d", n)))
				},
				Person:   func(n int) (string, string) { return idp.URL(), fmt.Sprintf("person-%d", n) },
				Lifetime: 10*time.Minute + 30*time.Second,
				Refused: map[string]func(*testing.T) *authhandlers.Request{
					"forged":        bad(issuer.ForgedBy(stranger)),
					"expired":       bad(idp.Lifetime(-time.Hour)),
					"no audience":   bad(issuer.Without("aud")),
					"opaque":        text("of-no-kind-at-all"),
					"with a scheme": text("Bearer " + idp.Token("alice")),
					"two in one":    text(idp.Token("alice") + ", " + idp.Token("alice")),
					"five parts":    text("eyJhbGciOiJub25lIn0.e30.a.b.c"),
					"padded":        text(idp.Token("alice") + "="),
				},
				Foreign: map[string]func(*testing.T) *authhandlers.Request{
					"unsigned":         text("eyJhbGciOiJub25lIn0.e30."),
					"another issuer":   bad(issuer.Claim("iss", "https://evil.example")),
					"in Authorization": func(*testing.T) *authhandlers.Request { return authtest.Bearer(idp.Token("alice")) },
					"in another header": func(*testing.T) *authhandlers.Request {
						return presenting(jwt.Carrier{Header: "X_edge_token"}, idp.Token("alice"))
					},
					"in another cookie": func(*testing.T) *authhandlers.Request {
						return presenting(jwt.Carrier{Cookie: "Edge_Token"}, idp.Token("alice"))
					},
				},
			})
		})
	}
}

// TestCarrierTwice: a carrier that comes twice is refused, whatever is in it.
func TestCarrierTwice(t *testing.T) {
	clock := authtest.NewClock()
	key := newKey(t, "k", "ES256")
	keys := keySet(t, key.JWK())
	for _, c := range []struct {
		carrier jwt.Carrier
		header  map[string][]string
		want    string // what is presented; "twice"
	}{
		{jwt.Carrier{Header: "x-edge"}, map[string][]string{"X-Edge": {"a"}}, "a header X-Edge"},
		{jwt.Carrier{Header: "x-edge"}, map[string][]string{"X-Edge": {"a", "a"}}, "twice"},
		{jwt.Carrier{Header: "x-edge"}, map[string][]string{"X-Edge": {"", "a"}}, "twice"},
		{jwt.Carrier{Header: "x-edge"}, map[string][]string{"X-Edge": {""}}, ""},
		{jwt.Carrier{Header: "x-edge"}, map[string][]string{"X_edge": {"a"}, "Authorization": {"Bearer a"}}, ""},
		{jwt.Carrier{Cookie: "edge"}, map[string][]string{"Cookie": {"a=1; edge=b"}}, "b cookie edge"},
		{jwt.Carrier{Cookie: "edge"}, map[string][]string{"Cookie": {"edge=b;edge=b"}}, "twice"},
		{jwt.Carrier{Cookie: "edge"}, map[string][]string{"Cookie": {"edge=b", "\tedge=c"}}, "twice"},
		{jwt.Carrier{Cookie: "edge"}, map[string][]string{"Cookie": {"edge=; edge=c"}}, "twice"},
		{jwt.Carrier{Cookie: "edge"}, map[string][]string{"Cookie": {"edge; Edge=c; xedge=d; edge =e"}}, ""},
		{jwt.Carrier{}, map[string][]string{"Authorization": {"Bearer a"}}, ""},
	} {
		h := open(t, authtest.NewEnv(t, clock), keys, func(to *jwt.Config) { to.Carrier = c.carrier })
		r := authtest.NewRequest()
		r.HTTP.Header = c.header
		got, err := h.(authhandlers.Presenter).Presented(r.HTTP)
		text := ""
		if got != nil {
			text = got.Value + " " + string(got.Carrier)
		}
		if err != nil {
			text = "twice"
			if _, err := h.Authenticate(t.Context(), r); code(err) != "malformed_token" {
				t.Errorf("%v: %v", c.header, err)
			}
		}
		if text != c.want {
			t.Errorf("%v: %q, want %q", c.header, text, c.want)
		}
	}
}

// TestSiblingsOfCarriers: handlers of one issuer take a token from their own carrier,
// judge it again as that alone, and none hides the other.
func TestSiblingsOfCarriers(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	edge := jwt.Carrier{Header: "X-Edge"}
	config := func(carrier jwt.Carrier) *jwt.Config {
		c := jwt.NewConfig()
		c.Issuer, c.Audiences, c.Keys.JWKSFile, c.Carrier = idp.URL(), []string{audience}, keys, carrier
		return c
	}
	env := authtest.NewEnv(t, clock)
	in, usual := openConfig(t, env, config(edge)), openConfig(t, env, config(jwt.Carrier{}))
	for _, c := range []struct {
		name  string
		first authhandlers.AuthHandler
		next  authhandlers.AuthHandler
		from  jwt.Carrier
		want  string
	}{
		{"the edge's, which is first", in, usual, edge, "h0"},
		{"the edge's, which is second", usual, in, edge, "h1"},
		{"the usual, second", in, usual, jwt.Carrier{}, "h1"},
		{"the usual, first", usual, in, jwt.Carrier{}, "h0"},
	} {
		ch, err := authhandlers.NewChain(clock.Now, authhandlers.Link{Name: "h0", Handler: c.first}, authhandlers.Link{Name: "h1", Handler: c.next})
		if err != nil {
			t.Fatal(err)
		}
		r := presenting(c.from, idp.Token("alice"))
		r.Lasting = true
		u, err := ch.Authenticate(t.Context(), r)
		if got := who(u, err); got != c.want {
			t.Fatalf("%s: %s", c.name, got)
		}
		if strings.Contains(u.Evidence, idp.Token("alice")) {
			t.Error("the evidence is the token")
		}
		again, err := ch.Rejudge(u)
		if got := who(again, err); got != c.want || !again.Same(u) {
			t.Errorf("%s, judged again: %s", c.name, got)
		}
	}
	alone := chain(t, clock, usual)
	r := presenting(edge, idp.Token("alice"))
	r.Lasting = true
	u, err := chain(t, clock, in).Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone.Rejudge(u); code(err) != "unknown_credential" {
		t.Errorf("the carrier is no more, and: %v", err)
	}
	if _, err := alone.Authenticate(t.Context(), r); code(err) != "unknown_credential" {
		t.Errorf("nobody takes it, and: %v", err)
	}
	if by := config(edge).HiddenBehind([]any{config(jwt.Carrier{})}); by >= 0 {
		t.Error("hidden behind a handler of another carrier")
	}
	if by := config(edge).HiddenBehind([]any{config(jwt.Carrier{Header: "x-edge"})}); by != 0 {
		t.Error("not hidden behind a handler of the same carrier")
	}
}

func TestCarrierConfig(t *testing.T) {
	for want, c := range map[string]jwt.Carrier{
		"":                               {Header: "Cf-Access-Jwt-Assertion"},
		"carrier: both":                  {Header: "A", Cookie: "b"},
		"carrier.header: it is":          {Header: "authorization"},
		"carrier.header: it is a ":       {Header: "Access-Token"},
		"carrier.cookie: cookies of thi": {Cookie: "__Host-Catflap"},
	} {
		k := jwt.NewConfig()
		k.Issuer, k.Audiences, k.Keys.JWKSFile, k.Carrier = issuerName, []string{audience}, "keys.json", c
		err := k.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
}
