package jwt_test

import (
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// TestClients: the client for which a token was made is known by each claim in which a
// provider says it, and the standard ones come first.
func TestClients(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	h := open(t, authtest.NewEnv(t, clock), write(t, "keys.json", idp.JWKS()), func(c *jwt.Config) {
		c.Issuer, c.Clients = idp.URL(), []string{"web"}
	})
	claim, without := issuer.Claim, issuer.Without("client_id", "azp")
	for _, c := range []struct {
		name    string
		changes []issuer.Change
		want    string
	}{
		{"azp", []issuer.Change{without, claim("azp", "web")}, ""},
		{"client_id", []issuer.Change{claim("client_id", "web")}, ""},
		{"Okta's cid", []issuer.Change{without, claim("cid", "web")}, ""},
		{"Entra ID's appid", []issuer.Change{without, claim("appid", "web")}, ""},
		{"another cid", []issuer.Change{without, claim("cid", "x")}, "client_not_allowed"},
		{"another appid", []issuer.Change{without, claim("appid", "x")}, "client_not_allowed"},
		{"cid and another appid", []issuer.Change{without, claim("cid", "x"), claim("appid", "web")}, "client_not_allowed"},
		{"cid beside another azp", []issuer.Change{without, claim("azp", "x"), claim("cid", "web")}, "client_not_allowed"},
		{"something else by the name of cid", []issuer.Change{claim("client_id", "web"), claim("cid", 7)}, ""},
		{"a number", []issuer.Change{without, claim("cid", 7)}, "client_not_allowed"},
		{"none", []issuer.Change{without}, "client_not_allowed"},
		{"empty", []issuer.Change{without, claim("cid", "")}, "client_not_allowed"},
	} {
		if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", c.changes...))); code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
