package examples

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// TestMoving starts each configuration of moving/ as it is, but for addresses: people have
// the user ids that they had, and nobody else comes in.
func TestMoving(t *testing.T) {
	for _, c := range []struct {
		file, id  string
		in, noOne []issuer.Change // who comes in, and who may nothing
	}{
		{
			"catcloak", "alice",
			[]issuer.Change{issuer.Claim("preferred_username", "alice"), issuer.Claim("realm_access", map[string]any{"roles": []string{"cat-user"}})},
			[]issuer.Change{issuer.Claim("preferred_username", "alice"), issuer.Claim("realm_access", map[string]any{"roles": []string{"offline_access"}})},
		},
		{"api-key", "people:f3a1", nil, nil},
		{
			"oauth2-proxy", "alice@example.com",
			[]issuer.Change{issuer.Claim("email", "alice@example.com"), issuer.Claim("email_verified", true), issuer.Claim("groups", []string{"cat-users"})},
			[]issuer.Change{issuer.Claim("email", "alice@example.com"), issuer.Claim("email_verified", true)},
		},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			s := serveMoved(t, c.file)
			if status, user := s.get(t, ""); status != http.StatusUnauthorized || user != "" {
				t.Errorf("a stranger: %d, at the Cat %q", status, user)
			}
			if status, user := s.get(t, s.issuer.Token("f3a1", c.in...)); status != http.StatusOK || user != c.id {
				t.Errorf("alice: %d, at the Cat %q", status, user)
			}
			if status, user := s.get(t, s.issuer.Token("f3a1", append(c.in, issuer.Claim("aud", "account"))...)); status != http.StatusUnauthorized || user != "" {
				t.Errorf("with a token for others: %d, at the Cat %q", status, user)
			}
			if c.noOne == nil {
				return
			}
			if status, user := s.get(t, s.issuer.Token("f3a1", c.noOne...)); status != http.StatusForbidden || user != "" {
				t.Errorf("without the role: %d, at the Cat %q", status, user)
			}
		})
	}
}

func serveMoved(t *testing.T, name string) served {
	t.Helper()
	config := read(t, "moving/"+name+".catflap.yaml")
	client := regexp.MustCompile(`client_id: (\S+)`).FindStringSubmatch(config)
	from, err := issuer.New(issuer.Options{Audience: client[1]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	from.Discover(map[string]any{"authorization_endpoint": from.URL() + "/authorize", "token_endpoint": from.URL() + "/token"})
	l := newLab(t)
	config = l.localize(t, config, [2]string{`^    issuer: \S+`, "    issuer: " + from.URL()})
	for _, m := range regexp.MustCompile(`\{env: (\w+)\}`).FindAllStringSubmatch(config, -1) {
		value, known := l.values[m[1]]
		if !known {
			value = strings.Repeat("z", 40) // one of the client's or of ours
		}
		l.env = append(l.env, m[1]+"="+value)
	}
	file := l.write(t, "catflap.yaml", config)
	l.check(t, file)
	s := l.run(t, "run", "--config", file)
	s.issuer = from
	return s
}
