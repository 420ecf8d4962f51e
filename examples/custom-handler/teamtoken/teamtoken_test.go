package teamtoken

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
)

func digest(token string) string {
	d := sha256.Sum256([]byte(token))
	return hex.EncodeToString(d[:])
}

// token is the team token of a name. A real one is random.
func token(name string) string { return "team_" + digest(name) }

func open(t testing.TB, c *authtest.Clock) authhandlers.AuthHandler {
	t.Helper()
	config := &Config{Members: []Member{{Subject: "ada", SHA256: digest(token("ada")), Groups: []string{"editors"}}, {Subject: "bo", SHA256: digest(token("bo"))}}}
	h, err := authhandlers.Open(t.Context(), config, authtest.NewEnv(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestMembers(t *testing.T) {
	h := open(t, authtest.NewClock())
	for text, want := range map[string]string{
		token("ada"): "ada", token("bo"): "bo", token("eve"): "", "team_": "", "team_short": "", token("ada") + strings.Repeat("a", 1000): "", "eyJ.x.y": "-",
	} {
		u, err := h.Authenticate(t.Context(), authtest.Bearer(text))
		var rejected *authhandlers.Rejection
		switch {
		case want == "-" && !errors.Is(err, authhandlers.ErrNoCredential):
			t.Errorf("%s: %v, want to leave it to others", text, err)
		case want == "" && !errors.As(err, &rejected):
			t.Errorf("%s: %v, want a refusal", text, err)
		case len(want) > 1 && (err != nil || u.Subject != want):
			t.Errorf("%s: %v %v", text, u, err)
		}
	}
}

func TestValidate(t *testing.T) {
	c := &Config{Members: []Member{{Subject: "ada", SHA256: "xyz"}, {Subject: "ada", SHA256: digest("x")}}}
	err := c.Validate()
	if err == nil || !strings.Contains(err.Error(), "members[0].sha256") || !strings.Contains(err.Error(), "members[1].subject") {
		t.Errorf("%v", err)
	}
}

// TestConformance holds what every handler must hold.
func TestConformance(t *testing.T) {
	clock := authtest.NewClock()
	var members []Member
	for n := range 10 {
		members = append(members, Member{Subject: fmt.Sprint("person-", n), SHA256: digest(token(fmt.Sprint(n)))})
	}
	bearer := func(text string) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request { return authtest.Bearer(text) }
	}
	authtest.Run(t, authtest.Suite{
		Clock: clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			h, err := authhandlers.Open(t.Context(), &Config{Members: members}, env)
			if err != nil {
				t.Fatal(err)
			}
			return h
		},
		Request: func(_ *testing.T, n int) *authhandlers.Request { return authtest.Bearer(token(fmt.Sprint(n))) },
		Person:  func(n int) (issuer, subject string) { return "urn:teamtoken:test", fmt.Sprint("person-", n) },
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"unknown":    bearer(token("nobody")),
			"the digest": bearer("team_" + digest(token("0"))),
			"short":      bearer("team_0123456789"),
			"long":       bearer("team_" + strings.Repeat("a", 1000)),
		},
	})
}
