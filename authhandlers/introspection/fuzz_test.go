package introspection_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzAnswer: whatever the endpoint says, nobody comes in whom encoding/json, read by the
// letter of RFC 7662, would not let in, and never as somebody else.
func FuzzAnswer(f *testing.F) {
	x := newFixture(f, nil)
	for _, seed := range []string{
		x.claims("alice", nil), x.claims("alice", map[string]any{"exp": nil}), `{"active":false}`, `{"active":true,"active":false,"sub":"a","aud":"cat"}`,
		`{"active":true,"sub":"a","aud":["cat"],"groups":["x"],"exp":1e300}`, `{"Active":true,"sub":"a","aud":"cat"}`, `[]`, `{"active":true,"sub":"\ud800","aud":"cat"}`, "",
	} {
		f.Add(seed)
	}
	var answer string
	x.fails(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
		return true
	})
	f.Fuzz(func(t *testing.T, text string) {
		answer = text
		x.clock.Advance(time.Minute)
		u, err := x.ask(t, "fuzzed-token")
		if err != nil {
			return
		}
		var said map[string]any
		if json.Unmarshal([]byte(text), &said) != nil || said["active"] != true || said["sub"] != u.Subject || u.Issuer != issuerName || !utf8.ValidString(u.Subject) {
			t.Errorf("%q lets in %q", text, u.Subject)
		}
	})
}
