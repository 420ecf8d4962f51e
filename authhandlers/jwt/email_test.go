package jwt_test

import (
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// TestEmailCase: two spellings of one address are two people, or one where that is
// told; and nobody gets another's id by a letter that only looks like ASCII.
func TestEmailCase(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	as := func(how string) *authhandlers.Chain {
		return chain(t, clock, open(t, authtest.NewEnv(t, clock), keys, func(c *jwt.Config) {
			c.Issuer, c.UserID, c.EmailCase = idp.URL(), "email", how
		}))
	}
	for how, ids := range map[string][3]string{
		"":      {"kim@example.com", "Kim@Example.COM", "~e2~84~aaim@example.com"},
		"keep":  {"kim@example.com", "Kim@Example.COM", "~e2~84~aaim@example.com"},
		"lower": {"kim@example.com", "kim@example.com", "~e2~84~aaim@example.com"},
	} {
		ch := as(how)
		for i, address := range []string{"kim@example.com", "Kim@Example.COM", "\u212aim@example.com"} {
			token := idp.Token("7", issuer.Claim("email", address), issuer.Claim("email_verified", true))
			u, err := ch.Authenticate(t.Context(), authtest.Bearer(token))
			if err != nil || u.ID != ids[i] {
				t.Errorf("%q, %s: %v %v", how, address, u, err)
			}
		}
		unverified := idp.Token("7", issuer.Claim("email", "KIM@example.com"))
		if _, err := ch.Authenticate(t.Context(), authtest.Bearer(unverified)); code(err) != "invalid_claim" {
			t.Errorf("%q, not verified: %v", how, err)
		}
	}
	for _, c := range []struct {
		claim, how string
		doubts     bool
		source     string
	}{
		{"sub", "", false, "i sub"}, {"email", "", true, "i email"}, {"email", "keep", false, "i email"}, {"email", "lower", false, "i email/lower"},
	} {
		config := jwt.NewConfig()
		config.Issuer, config.UserID, config.EmailCase = "i", c.claim, c.how
		if err := config.Doubts(); (err != nil) != c.doubts {
			t.Errorf("%s %s: %v", c.claim, c.how, err)
		}
		if got := config.IdentitySource(); got != c.source {
			t.Errorf("%s %s: %q", c.claim, c.how, got)
		}
	}
}

// TestIssuerThatIsNoURL: an issuer is known by its name, whatever the name is like.
func TestIssuerThatIsNoURL(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	for _, name := range []string{"urn:example:idp", "cats", "spiffe://example.org/idp"} {
		h := open(t, authtest.NewEnv(t, clock), write(t, "keys.json", idp.JWKS()), func(c *jwt.Config) { c.Issuer = name })
		for _, c := range []struct{ iss, want string }{
			{name, ""}, {name + "/", "no credential"}, {name + "#", "no credential"}, {idp.URL(), "no credential"},
		} {
			if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", issuer.Claim("iss", c.iss)))); code(err) != c.want {
				t.Errorf("%s at %s: %v", c.iss, name, err)
			}
		}
	}
}
