package jwt_test

import (
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// TestGroupsAsProvidersWriteThem: each form grants something only where it is configured.
func TestGroupsAsProvidersWriteThem(t *testing.T) {
	const zitadel = "urn:zitadel:iam:org:project:roles"
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	keys := write(t, "keys.json", idp.JWKS())
	token := idp.Token("alice",
		issuer.Claim(zitadel, map[string]any{"admin": map[string]string{"1": "x.example"}, "nobody": map[string]string{}}),
		issuer.Claim("role", "editor"), issuer.Claim("memberOf", "a, b,,c"), issuer.Claim("groups", []string{"g", "a"}))
	for _, c := range []struct {
		groups            value.Names
		separator, object string
		want              string
	}{
		{"", "", "", ""},
		{"groups", "none", "none", "g,a"},
		{zitadel, "none", "none", ""},
		{zitadel, "none", "keys", "admin"},
		{"role", "none", "none", ""},
		{"role", "whole", "none", "editor"},
		{"memberOf", "comma", "none", "a,b,c"},
		{"memberOf", "space", "none", "a,,b,,c"},
		{"groups\nmemberOf\n" + zitadel + "\nmissing", "comma", "keys", "g,a,b,c,admin"},
	} {
		h := open(t, authtest.NewEnv(t, clock), keys, func(k *jwt.Config) {
			k.Issuer, k.Groups, k.GroupsSeparator, k.GroupsObject = idp.URL(), c.groups, c.separator, c.object
		})
		r := authtest.Bearer(token)
		r.Lasting = true
		ch := chain(t, clock, h)
		u, err := ch.Authenticate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(u.Groups, ","); got != c.want {
			t.Errorf("%q %s %s: %q, want %q", c.groups, c.separator, c.object, got, c.want)
		}
		if again, err := ch.Rejudge(u); err != nil || strings.Join(again.Groups, ",") != c.want {
			t.Errorf("%q, judged again: %v %v", c.groups, again, err)
		}
	}
}

func TestGroupsConfig(t *testing.T) {
	for want, change := range map[string]func(*jwt.Config){
		"":                                func(c *jwt.Config) { c.Groups, c.GroupsSeparator, c.GroupsObject = "a\nb.c", "comma", "keys" },
		"groups_separator: given without": func(c *jwt.Config) { c.GroupsSeparator = "comma" },
		"groups_object: given without":    func(c *jwt.Config) { c.GroupsObject = "keys" },
		`groups_separator: ";" is not one of none, space, comma and whole`: func(c *jwt.Config) { c.Groups, c.GroupsSeparator = "a", ";" },
		`groups_object: "values" is not one`:                               func(c *jwt.Config) { c.Groups, c.GroupsObject = "a", "values" },
		"groups[1]: a step":                                                func(c *jwt.Config) { c.Groups = "a\nb..c" },
		"groups: a step":                                                   func(c *jwt.Config) { c.Groups = "b..c" },
	} {
		c := jwt.NewConfig()
		c.Issuer, c.Audiences, c.Keys.JWKSFile = issuerName, []string{audience}, "keys.json"
		change(c)
		err := c.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
