package jwt_test

import (
	"context"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// TestSiblings: handlers of one issuer find out together which of them a token is for,
// and its answer is final.
func TestSiblings(t *testing.T) {
	shared := newKey(t, "", "HS256")
	shared.Private = []byte("the secret of the years before, of 32 bytes and more")
	t.Setenv("OLD_SECRET", string(shared.Private.([]byte)))
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock, "ES256", "RS256")
	keys := write(t, "keys.json", idp.JWKS())
	with := func(change func(*jwt.Config)) *jwt.Config {
		c := jwt.NewConfig()
		c.Issuer, c.Audiences, c.Keys.JWKSFile = idp.URL(), []string{audience}, keys
		change(c)
		return c
	}
	secret := with(func(c *jwt.Config) { c.Keys.JWKSFile, c.Keys.Secret.Env = "", "OLD_SECRET" })
	elliptic := with(func(c *jwt.Config) { c.Algorithms = []string{"ES256"} })
	es, rs := issuer.SignedBy(idp.Key("es256")), issuer.SignedBy(idp.Key("rs256"))
	hs := issuer.SignedBy(shared)
	stranger := issuer.ForgedBy(newKey(t, "es256", "ES256"))
	aud := func(names ...string) issuer.Change { return issuer.Claim("aud", names) }
	for _, pair := range []struct {
		name   string
		first  *jwt.Config
		second *jwt.Config
		tokens []sibling
	}{
		{"HS256 to ES256", secret, elliptic, []sibling{
			{"the old", []issuer.Change{hs}, "h0"},
			{"the new", []issuer.Change{es}, "h1"},
			{"neither", []issuer.Change{rs}, "algorithm_not_allowed"},
			{"none", []issuer.Change{es, issuer.Header("alg", "none")}, "algorithm_not_allowed"},
			{"the new, forged", []issuer.Change{stranger}, "bad_signature"},
			{"the new, expired", []issuer.Change{es, issuer.Claim("exp", clock.Now().Add(-time.Hour).Unix())}, "token_expired"},
			{"the new, for somebody else", []issuer.Change{es, aud("x")}, "wrong_audience"},
			{"the old's algorithm, signed as the new", []issuer.Change{es, issuer.Header("alg", "HS256")}, "bad_signature"},
		}},
		{"two audiences", with(func(c *jwt.Config) { c.RequireTyp = "at+jwt" }), with(func(c *jwt.Config) { c.Audiences = []string{"robots"} }), []sibling{
			{"the first's", []issuer.Change{es}, "h0"},
			{"the second's", []issuer.Change{es, aud("robots")}, "h1"},
			{"of both", []issuer.Change{es, aud("robots", audience)}, "h0"},
			{"of neither", []issuer.Change{es, aud("x")}, "wrong_audience"},
			{"without", []issuer.Change{es, issuer.Without("aud")}, "wrong_audience"},
			{"of both, refused by the first", []issuer.Change{es, aud("robots", audience), issuer.Header("typ", "JWT")}, "wrong_token_type"},
			{"of both, forged", []issuer.Change{stranger, aud("robots", audience)}, "bad_signature"},
			{"the second's, forged", []issuer.Change{stranger, aud("robots")}, "bad_signature"},
			{"no list", []issuer.Change{es, issuer.Claim("aud", 7)}, "invalid_claim"},
		}},
		{"two clients", with(func(c *jwt.Config) { c.Clients = []string{"web"} }), with(func(c *jwt.Config) { c.Clients, c.AcceptIDTokens = []string{"robot"}, true }), []sibling{
			{"the first's", []issuer.Change{es, issuer.Claim("client_id", "web")}, "h0"},
			{"the second's", []issuer.Change{es, issuer.Claim("client_id", "robot")}, "h1"},
			{"of neither", []issuer.Change{es, issuer.Claim("client_id", "x")}, "client_not_allowed"},
			{"of both", []issuer.Change{es, issuer.Claim("client_id", "web"), issuer.Claim("azp", "robot")}, "client_not_allowed"},
			{"of neither, for somebody else", []issuer.Change{es, issuer.Claim("client_id", "x"), aud("x")}, "wrong_audience"},
			{"the first's, of a kind that only the second takes", []issuer.Change{es, issuer.Claim("client_id", "web"), issuer.Claim("nonce", "n")}, "wrong_token_type"},
			{"the second's, of a kind that only the second takes", []issuer.Change{es, issuer.Claim("client_id", "robot"), issuer.Claim("nonce", "n")}, "h1"},
		}},
		{"all, and some", with(func(*jwt.Config) {}), with(func(c *jwt.Config) { c.InsecureAnyAudience, c.Audiences, c.Clients = true, nil, []string{"robot"} }), []sibling{
			{"the first's", []issuer.Change{es, issuer.Claim("client_id", "robot")}, "h0"},
			{"the first's, forged", []issuer.Change{stranger, issuer.Claim("client_id", "robot")}, "bad_signature"},
			{"the second's", []issuer.Change{es, issuer.Claim("client_id", "robot"), aud("x")}, "h1"},
		}},
	} {
		t.Run(pair.name, func(t *testing.T) {
			env := authtest.NewEnv(t, clock)
			first, second := openConfig(t, env, pair.first), openConfig(t, env, pair.second)
			ch := chain(t, clock, first, second)
			swapped := chain(t, clock, second, first)
			for _, s := range pair.tokens {
				token := idp.Token("alice", s.changes...)
				for range 3 { // remembered answers, too
					if got := who(ch.Authenticate(t.Context(), authtest.Bearer(token))); got != s.want {
						t.Errorf("%s: %q, want %q", s.name, got, s.want)
					}
				}
				_, err := swapped.Authenticate(t.Context(), authtest.Bearer(token))
				if (err == nil) != (len(s.want) == 2) && s.name != "of both, refused by the first" {
					t.Errorf("%s, in the other order: %v", s.name, err)
				}
			}
		})
	}
}

type sibling struct {
	name    string
	changes []issuer.Change
	want    string // the handler, or the code
}

func who(u *authhandlers.AuthUserInfo, err error) string {
	if err != nil {
		return code(err)
	}
	return u.Handler
}

// TestNoFallThroughToAnotherKind: only handlers of the issuer are asked.
func TestNoFallThroughToAnotherKind(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	h := open(t, authtest.NewEnv(t, clock), write(t, "keys.json", idp.JWKS()), func(c *jwt.Config) { c.Issuer = idp.URL() })
	ch := chain(t, clock, h, anybody{})
	if u, err := ch.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", issuer.Claim("aud", "x")))); code(err) != "wrong_audience" {
		t.Errorf("%v %v", u, err)
	}
}

// TestRejudgeSiblings: after a reload, the handler counts that the token is for now.
func TestRejudgeSiblings(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock, "ES256")
	env := authtest.NewEnv(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	of := func(change func(*jwt.Config)) authhandlers.AuthHandler {
		return open(t, env, keys, func(c *jwt.Config) { c.Issuer = idp.URL(); change(c) })
	}
	wide := of(func(*jwt.Config) {})
	u := lasting(t, wide, idp.Token("alice", issuer.Claim("client_id", "robot")))
	u.Handler, u.ID = "wide", "staff:alice"
	for _, c := range []struct {
		name, alias string
		before      authhandlers.AuthHandler
		want        string
	}{
		{"another's client", "staff", of(func(c *jwt.Config) { c.Clients = []string{"x"} }), "wide"},
		{"its client", "staff", of(func(c *jwt.Config) { c.Clients = []string{"robot"} }), "narrow"},
		{"its client, whose people have other ids", "robots", of(func(c *jwt.Config) { c.Clients = []string{"robot"} }), "invalid_user_id"},
		{"its client, and refused", "staff", of(func(c *jwt.Config) { c.Clients, c.UserID = []string{"robot"}, "oid" }), "invalid_claim"},
		{"another issuer", "staff", open(t, env, keys, nil), "wide"},
	} {
		ch, err := authhandlers.NewChain(clock.Now,
			authhandlers.Link{Name: "narrow", Alias: c.alias, Handler: c.before, Permissions: []string{"few"}},
			authhandlers.Link{Name: "wide", Alias: "staff", Handler: wide})
		if err != nil {
			t.Fatal(err)
		}
		again, err := ch.Rejudge(u)
		if got := who(again, err); got != c.want || (got == "narrow") != (err == nil && len(again.Permissions) == 1) {
			t.Errorf("%s: %q %+v, want %q", c.name, got, again, c.want)
		}
	}
}

// anybody lets everybody in.
type anybody struct{}

func (anybody) Authenticate(context.Context, *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return &authhandlers.AuthUserInfo{Issuer: "anybody", Subject: "x"}, nil
}
