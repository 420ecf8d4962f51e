package jwt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// TestTheLogHasTheValues: the error has what an operator needs to mend the cause, and
// that is no secret: whom the token is for and whom it has to be for, and how far off its
// times are.
func TestTheLogHasTheValues(t *testing.T) {
	r := newRemote(t, nil, func(c *jwt.Config) { c.Clients = []string{"the-panel", "web"} }, nil)
	r.events.Wait(t, "keys_fetched", 1)
	now := r.clock.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	many := make([]string, 50)
	for i := range many {
		many[i] = strings.Repeat("x", 200)
	}
	for name, c := range map[string]struct {
		change []issuer.Change
		want   []string
	}{
		"audience":      {[]issuer.Change{issuer.Claim("aud", "account")}, []string{`"account"`, "wanted", r.idp.Audience()}},
		"audiences":     {[]issuer.Change{issuer.Claim("aud", []string{"account", "evil\nline"})}, []string{`"account"`, `"evil\nline"`, r.idp.Audience()}},
		"many":          {[]issuer.Change{issuer.Claim("aud", many)}, []string{"and 42 more"}},
		"no audience":   {[]issuer.Change{issuer.Without("aud")}, []string{"aud is missing", r.idp.Audience()}},
		"expired":       {[]issuer.Change{issuer.Claim("exp", at(-90*time.Second)), issuer.Claim("iat", at(-5*time.Minute))}, []string{"exp", "1m30", "clock", "30s"}},
		"not yet":       {[]issuer.Change{issuer.Claim("nbf", at(2*time.Minute))}, []string{"nbf", "2m", "clock", "30s"}},
		"ahead":         {[]issuer.Change{issuer.Claim("iat", at(3*time.Minute))}, []string{"iat", "3m", "clock"}},
		"a long life":   {[]issuer.Change{issuer.Claim("exp", at(1000*time.Hour))}, []string{"max_lifetime", "1000h"}},
		"other client":  {[]issuer.Change{issuer.Claim("azp", "a-robot")}, []string{`"a-robot"`, "clients"}},
		"other type":    {[]issuer.Change{issuer.Header("typ", "secevent+jwt")}, []string{`"secevent+jwt"`}},
		"other cipher":  {[]issuer.Change{issuer.Header("alg", "HS256")}, []string{`"HS256"`}},
		"other key id ": {[]issuer.Change{issuer.Header("kid", "gone")}, []string{`"gone"`}},
	} {
		token := r.idp.Token("alice", append([]issuer.Change{issuer.Claim("azp", "the-panel")}, c.change...)...)
		_, err := r.h.Authenticate(t.Context(), authtest.Bearer(token))
		if err == nil {
			t.Errorf("%s: let in", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in %v", name, want, err)
			}
		}
		if len(err.Error()) > 1200 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
