package jwt_test

import (
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// twoVersions are two issuers of one provider, with a handler for each.
type twoVersions struct {
	clock  *authtest.Clock
	v1, v2 *authtest.Issuer
	chain  *authhandlers.Chain
}

func newTwoVersions(t *testing.T, firstV1 bool) *twoVersions {
	t.Helper()
	v := &twoVersions{clock: authtest.NewClock()}
	v.v1, v.v2 = authtest.NewIssuer(t, v.clock), authtest.NewIssuer(t, v.clock)
	env := authtest.NewEnv(t, v.clock)
	handler := func(of *authtest.Issuer, same string) authhandlers.AuthHandler {
		return open(t, env, write(t, "keys.json", of.JWKS()), func(c *jwt.Config) { c.Issuer, c.UserID, c.SamePeopleAs = of.URL(), "oid", same })
	}
	links := []authhandlers.Link{
		{Name: "v1", Alias: "staff", Handler: handler(v.v1, v.v2.URL())},
		{Name: "v2", Alias: "staff", Handler: handler(v.v2, "")},
	}
	if !firstV1 {
		links[0], links[1] = links[1], links[0]
	}
	var err error
	if v.chain, err = authhandlers.NewChain(v.clock.Now, links...); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *twoVersions) person(t *testing.T, of *authtest.Issuer, sub, oid string) *authhandlers.AuthUserInfo {
	t.Helper()
	r := authtest.Bearer(of.Token(sub, issuer.Claim("oid", oid)))
	r.Lasting = true
	u, err := v.chain.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestOnePersonAtTwoIssuers: the same id, the same person to all who compare, and the
// same when judged again; another claim makes another person.
func TestOnePersonAtTwoIssuers(t *testing.T) {
	for _, first := range []bool{true, false} {
		v := newTwoVersions(t, first)
		one, two := v.person(t, v.v1, "pairwise-1", "alice"), v.person(t, v.v2, "pairwise-2", "alice")
		if one.ID != "staff:alice" || !one.Same(two) || one.Key() != two.Key() || one.Handler != "v1" || two.Handler != "v2" {
			t.Fatalf("%+v\n%+v", one, two)
		}
		for _, u := range []*authhandlers.AuthUserInfo{one, two} {
			again, err := v.chain.Rejudge(u)
			if err != nil || !again.Same(u) || again.Handler != u.Handler {
				t.Errorf("judged again: %+v %v", again, err)
			}
			for _, c := range []struct {
				r    authhandlers.Revocation
				want bool
			}{
				{authhandlers.Revocation{Issuer: v.v2.URL(), Subject: "alice"}, true},
				{authhandlers.Revocation{Issuer: v.v2.URL(), Subject: *u.Sub}, true},
				{authhandlers.Revocation{Issuer: v.v2.URL(), Subject: "bob"}, false},
				{authhandlers.Revocation{Issuer: "https://other.example", Subject: "alice"}, false},
			} {
				if c.r.Matches(u) != c.want {
					t.Errorf("%+v means %s: %v", c.r, u.Handler, !c.want)
				}
			}
		}
		if other := v.person(t, v.v1, "pairwise-1", "bob"); other.Same(one) || other.ID == one.ID {
			t.Error("the sub makes the person")
		}
		// A key of one issuer signs nothing of the other.
		forged := v.v1.Token("x", issuer.Claim("oid", "alice"), issuer.Claim("iss", v.v2.URL()))
		if _, err := v.chain.Authenticate(t.Context(), authtest.Bearer(forged)); code(err) != "bad_signature" {
			t.Errorf("signed by the other: %v", err)
		}
	}
}

// TestWithoutSamePeople: two issuers have two people, whatever their claims say.
func TestWithoutSamePeople(t *testing.T) {
	v := newTwoVersions(t, true)
	env := authtest.NewEnv(t, v.clock)
	old := open(t, env, write(t, "keys.json", v.v1.JWKS()), func(c *jwt.Config) { c.Issuer, c.UserID = v.v1.URL(), "oid" })
	ch, err := authhandlers.NewChain(v.clock.Now, authhandlers.Link{Name: "v1", Alias: "staff", Handler: old})
	if err != nil {
		t.Fatal(err)
	}
	u, err := ch.Rejudge(v.person(t, v.v1, "x", "alice"))
	if code(err) != "invalid_user_id" {
		t.Errorf("the setting is gone, and the socket stays: %+v %v", u, err)
	}
}

func TestSamePeopleConfig(t *testing.T) {
	const tid, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	v1, v2 := "https://sts.windows.net/"+tid+"/", "https://login.microsoftonline.com/"+tid+"/v2.0"
	for _, c := range []struct{ issuer, same, claim, want string }{
		{v1, v2, "oid", ""},
		{v2, v1, "oid", ""},
		{v1, v2, "sub", "user_id: with same_people_as"},
		{v1, v2, "upn", "user_id: with same_people_as"},
		{v1, strings.Replace(v2, tid, other, 1), "oid", "same_people_as: the two issuers"},
		{v1, "https://idp.example.com", "oid", "same_people_as: the two issuers"},
		{"https://idp.example.com", v2, "oid", "same_people_as: the two issuers"},
		{"https://old.example.com", "https://new.example.com", "sub", ""},
		{"https://old.example.com", "https://new.example.com", "email", "user_id: with same_people_as"},
		{v1, v1, "oid", "same_people_as: it is"},
	} {
		k := jwt.NewConfig()
		k.Issuer, k.SamePeopleAs, k.UserID, k.Audiences, k.Keys.JWKSFile = c.issuer, c.same, c.claim, []string{audience}, "keys.json"
		err := k.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		if got := k.IdentitySource(); got != c.same+" "+c.claim {
			t.Errorf("%s", got)
		}
		if warned := k.Doubts() != nil; c.want == "" && warned != (c.issuer != v1 && c.issuer != v2) {
			t.Errorf("%+v: warned is %v", c, warned)
		}
	}
}
