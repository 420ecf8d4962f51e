package teamtoken

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
)

func digest(token string) string {
	d := sha256.Sum256([]byte(token))
	return hex.EncodeToString(d[:])
}

func open(t testing.TB, c *authtest.Clock) authhandlers.AuthHandler {
	t.Helper()
	config := &Config{Members: []Member{{Subject: "ada", SHA256: digest("team_ada"), Groups: []string{"editors"}}, {Subject: "bo", SHA256: digest("team_bo")}}}
	h, err := authhandlers.Open(t.Context(), config, authtest.NewEnv(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestMembers(t *testing.T) {
	h := open(t, authtest.NewClock())
	for token, want := range map[string]string{"team_ada": "ada", "team_bo": "bo", "team_eve": "", "team_": "", "eyJ.x.y": "-"} {
		u, err := h.Authenticate(t.Context(), authtest.Bearer(token))
		var rejected *authhandlers.Rejection
		switch {
		case want == "-" && !errors.Is(err, authhandlers.ErrNoCredential):
			t.Errorf("%s: %v, want to leave it to others", token, err)
		case want == "" && !errors.As(err, &rejected):
			t.Errorf("%s: %v, want a refusal", token, err)
		case len(want) > 1 && (err != nil || u.Subject != want):
			t.Errorf("%s: %v %v", token, u, err)
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
