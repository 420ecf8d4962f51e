package jwt_test

import (
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// TestGroupsElsewhere: somebody whose token leaves the groups out is not somebody without
// groups. A deny by a group would else not hold.
func TestGroupsElsewhere(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	for _, c := range []struct {
		name    string
		changes []issuer.Change
		retain  []string
		want    string
	}{
		{"they are there", []issuer.Change{issuer.Claim("groups", []string{"a"})}, nil, ""},
		{"none", nil, nil, ""},
		{"_claim_names", []issuer.Change{issuer.Claim("_claim_names", map[string]any{"groups": "src1"})}, nil, "groups_overage"},
		{"hasgroups", []issuer.Change{issuer.Claim("hasgroups", true)}, nil, "groups_overage"},
		{"hasgroups, a text", []issuer.Change{issuer.Claim("hasgroups", "true")}, nil, "groups_overage"},
		{"hasgroups is false", []issuer.Change{issuer.Claim("hasgroups", false)}, nil, ""},
		{"nothing hangs on it", []issuer.Change{issuer.Claim("_claim_names", map[string]any{"photo": "src1"})}, nil, ""},
		{"a claim that is granted by", []issuer.Change{issuer.Claim("_claim_names", map[string]any{"address": "src1"})}, []string{"address.country"}, "groups_overage"},
	} {
		env := authtest.NewEnv(t, clock)
		env.Claims = c.retain
		h := open(t, env, keys, func(k *jwt.Config) { k.Issuer, k.Groups = idp.URL(), "groups" })
		r := authtest.Bearer(idp.Token("alice", c.changes...))
		if _, err := h.Authenticate(t.Context(), r); code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
