package jwt_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// lasting authenticates somebody whose socket stays open.
func lasting(t *testing.T, h authhandlers.AuthHandler, token string) *authhandlers.AuthUserInfo {
	t.Helper()
	r := authtest.Bearer(token)
	r.Lasting = true
	u, err := h.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	u.Handler = "h0"
	return u
}

// TestRejudge: each setting that decides about a token decides about the person of one
// that was let in before.
func TestRejudge(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock, "ES256", "RS256")
	env := authtest.NewEnv(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	base := func(c *jwt.Config) { c.Issuer, c.Groups = idp.URL(), "groups" }
	before := open(t, env, keys, base)
	token := idp.Token("alice", issuer.SignedBy(idp.Key("es256")), issuer.Without("client_id"), issuer.Claim("azp", "panel"), issuer.Claim("email", "alice"), issuer.Claim("email_verified", true), issuer.Header("typ", "JWT"),
		issuer.Claim("groups", []string{"a"}), issuer.Claim("roles", []string{"b"}))
	u := lasting(t, before, token)
	if strings.Contains(u.Evidence, token[strings.LastIndexByte(token, '.'):]) {
		t.Fatal("the evidence has the signature")
	}
	if _, err := before.Authenticate(t.Context(), authtest.Bearer(u.Evidence)); code(err) != "bad_signature" {
		t.Errorf("somebody comes in with the evidence: %v", err)
	}
	other := newKey(t, "other", "ES256")
	for _, c := range []struct {
		name   string
		keys   value.Path
		change func(*jwt.Config)
		want   string
	}{
		{"nothing", keys, func(*jwt.Config) {}, ""},
		{"more audiences", keys, func(c *jwt.Config) { c.Audiences = append(c.Audiences, "x") }, ""},
		{"another issuer", keys, func(c *jwt.Config) { c.Issuer = "https://other.example" }, "unknown_credential"},
		{"other audiences", keys, func(c *jwt.Config) { c.Audiences = []string{"x"} }, "wrong_audience"},
		{"other clients", keys, func(c *jwt.Config) { c.Clients = []string{"x"} }, "client_not_allowed"},
		{"its client", keys, func(c *jwt.Config) { c.Clients = []string{"panel"} }, ""},
		{"another claim, and somebody else", keys, func(c *jwt.Config) { c.UserID = "azp" }, "invalid_user_id"},
		{"a claim that is not there", keys, func(c *jwt.Config) { c.UserID = "oid" }, "invalid_claim"},
		{"another claim, and the same", keys, func(c *jwt.Config) { c.UserID = "email" }, ""},
		{"a shorter life", keys, func(c *jwt.Config) { c.MaxLifetime = value.Duration(time.Minute) }, "token_lifetime_too_long"},
		{"other algorithms", keys, func(c *jwt.Config) { c.Algorithms = []string{"RS256"} }, "algorithm_not_allowed"},
		{"a type", keys, func(c *jwt.Config) { c.RequireTyp = "at+jwt" }, "wrong_token_type"},
		{"other keys", keySet(t, other.JWK()), func(*jwt.Config) {}, "unknown_key"},
		{"another key by the same name", keySet(t, func() map[string]any {
			k := other.JWK()
			k["kid"] = "es256"
			return k
		}()), func(*jwt.Config) {}, "unknown_key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, env, c.keys, func(j *jwt.Config) { base(j); c.change(j) })
			ch := chain(t, clock, h)
			u := *u
			u.ID, _ = authhandlers.UserID("", u.Subject)
			again, err := ch.Rejudge(&u)
			if code(err) != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err == nil && (!again.Same(&u) || again.Evidence != u.Evidence || again.Handler != "h0") {
				t.Errorf("%+v", again)
			}
		})
	}
	t.Run("other groups", func(t *testing.T) {
		u := *u
		u.ID = "alice"
		again, err := chain(t, clock, open(t, env, keys, func(c *jwt.Config) { base(c); c.Groups = "roles" })).Rejudge(&u)
		if err != nil || len(again.Groups) != 1 || again.Groups[0] != "b" {
			t.Errorf("%+v %v", again, err)
		}
	})
	t.Run("an alias", func(t *testing.T) {
		u := *u
		u.ID = "alice"
		ch, err := authhandlers.NewChain(clock.Now, authhandlers.Link{Name: "h0", Alias: "staff", Handler: before})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.Rejudge(&u); code(err) != "invalid_user_id" {
			t.Error(err)
		}
	})
}

// TestRejudgeByTheKeys: a key that is withdrawn ends what it has vouched for, and keys
// that are not there yet end nothing.
func TestRejudgeByTheKeys(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	env := authtest.NewEnv(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	h := open(t, env, keys, func(c *jwt.Config) { c.Issuer = idp.URL() })
	r := h.(authhandlers.Rejudger)
	u := lasting(t, h, idp.Token("alice"))
	n := r.Generation()
	if _, err := r.Rejudge(u); err != nil {
		t.Fatal(err)
	}
	other := newKey(t, "new", "ES256")
	text := string(keySet(t, other.JWK()))
	content, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(string(keys), content, 0o600); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Second)
	if r.Generation() == n {
		t.Error("the generation stays, though nobody has come")
	}
	if _, err := r.Rejudge(u); code(err) != "unknown_key" {
		t.Errorf("the key was withdrawn: %v", err)
	}

	idp.SetFault(issuer.Status(500))
	e := authtest.NewEvents()
	env.Observe = e.Observe
	far := open(t, env, "", func(c *jwt.Config) { c.Issuer, c.Keys.JWKSFile, c.Keys.JWKSURL = idp.URL(), "", idp.JWKSURL() }).(authhandlers.Rejudger)
	e.Wait(t, "keys_fetch_failed", 1)
	if _, err := far.Rejudge(u); !strings.HasPrefix(code(err), "fault") {
		t.Errorf("no keys yet: %v", err)
	}
	n = far.Generation()
	idp.SetFault(nil)
	clock.Advance(10 * time.Second)
	far.Generation() // it looks at the clock, and has the keys fetched
	e.Wait(t, "keys_fetched", 1)
	if _, err := far.Rejudge(u); err != nil || far.Generation() == n {
		t.Errorf("the keys are there: %v", err)
	}
}
