package jwt_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// watched is a handler whose warnings are read.
type watched struct {
	t     *testing.T
	clock *authtest.Clock
	key   *issuer.Key
	h     authhandlers.AuthHandler
	log   bytes.Buffer
	n     int
}

func newWatched(t *testing.T, change func(*jwt.Config), claims ...string) *watched {
	w := &watched{t: t, clock: authtest.NewClock(), key: newKey(t, "k", "ES256")}
	env := authtest.NewEnv(t, w.clock)
	env.Log, env.Claims = slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelWarn})), claims
	w.h = open(t, env, keySet(t, w.key.JWK()), func(c *jwt.Config) {
		c.Groups = "groups"
		if change != nil {
			change(c)
		}
	})
	return w
}

// comes is somebody's new token, and returns what it has made the log say.
func (w *watched) comes(signer *issuer.Key, claims map[string]any) string {
	w.t.Helper()
	w.n++
	all := map[string]any{
		"iss": issuerName, "aud": audience, "sub": "alice", "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Unix() + 300, "jti": fmt.Sprint(w.n),
	}
	maps.Copy(all, claims)
	w.log.Reset()
	_, err := w.h.Authenticate(w.t.Context(), authtest.Bearer(issuer.Sign(signer, map[string]any{"alg": signer.Algorithm, "kid": "k"}, all)))
	if (err == nil) != (signer == w.key) {
		w.t.Fatal(err)
	}
	return w.log.String()
}

// TestAClaimThatNobodyHas is told, now and then, until somebody has it.
func TestAClaimThatNobodyHas(t *testing.T) {
	w := newWatched(t, nil, "department")
	if got := w.comes(newKey(t, "k", "ES256"), nil); got != "" {
		t.Errorf("a forged token writes into the log: %s", got)
	}
	for n := 1; n <= 30; n++ {
		got := w.comes(w.key, map[string]any{"groups": nil})
		want := 0
		if n == 1 || n == 10 {
			want = 2
		}
		if strings.Count(got, "no token has had a configured claim yet") != want || want > 0 &&
			(!strings.Contains(got, "claim=groups") || !strings.Contains(got, "claim=department") || !strings.Contains(got, fmt.Sprintf("tokens=%d", n))) {
			t.Fatalf("token %d: %s", n, got)
		}
	}
	w.comes(w.key, map[string]any{"groups": []string{}, "department": "felines"})
	for range 70 { // the hundredth is among them
		if got := w.comes(w.key, nil); got != "" {
			t.Fatalf("somebody has had it: %s", got)
		}
	}
}

// TestGroupsOfAnOddShape grant nothing, and say so.
func TestGroupsOfAnOddShape(t *testing.T) {
	for name, c := range map[string]struct {
		groups any
		words  bool
		want   string // "": it is no odd shape
	}{
		"list":               {[]string{"a"}, false, ""},
		"empty list":         {[]string{}, false, ""},
		"text":               {"a,b", false, "one text"},
		"text to be split":   {"a b", true, ""},
		"numbers":            {[]int{1, 2}, false, "something else than texts"},
		"a null among them":  {[]any{"a", nil}, false, "something else than texts"},
		"objects":            {[]any{map[string]any{"name": "a"}}, false, "something else than texts"},
		"object":             {map[string]any{"roles": []string{"a"}}, false, "an object"},
		"object, with words": {map[string]any{"roles": []string{"a"}}, true, "an object"},
		"number":             {7, false, "neither list nor text"},
		"true":               {true, false, "neither list nor text"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatched(t, func(c2 *jwt.Config) {
				if c.words {
					c2.GroupsSeparator = "space"
				}
			})
			got := w.comes(w.key, map[string]any{"groups": c.groups})
			if c.want == "" {
				if got != "" {
					t.Errorf("the log: %s", got)
				}
				return
			}
			if !strings.Contains(got, c.want) || !strings.Contains(got, "claim=groups") {
				t.Errorf("the log: %s", got)
			}
			if got := w.comes(w.key, map[string]any{"groups": c.groups}); got != "" {
				t.Errorf("at once again: %s", got)
			}
			w.clock.Advance(11 * time.Minute)
			if got := w.comes(w.key, map[string]any{"groups": c.groups}); !strings.Contains(got, c.want) {
				t.Errorf("after a while: %s", got)
			}
		})
	}
}
