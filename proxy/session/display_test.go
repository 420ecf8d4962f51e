package session_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/session"
)

func shown() map[string][]string {
	return map[string][]string{"CONVERSATION": {"WRITE", "EDIT"}, "MEMORY": {"READ"}}
}

func TestDisplayTokens(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	s := f.start(t, b, login("alice", f.clock))
	token, err := f.DisplayToken(s, "Alice <b>\"Ü\"", shown())
	must(t, err)
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !session.IsDisplayToken(token) || !f.DisplayMatches(token, s) {
		t.Fatal(token)
	}
	var header, claims map[string]any
	for i, into := range []*map[string]any{&header, &claims} {
		plain, err := base64.RawURLEncoding.DecodeString(parts[i])
		must(t, err)
		must(t, json.Unmarshal(plain, into))
	}
	if header["alg"] != "HS256" || claims["username"] != "Alice <b>\"Ü\"" || claims["exp"] != float64(s.Ends.Unix()) || claims["iss"] != "catflap-display-1" {
		t.Errorf("%v %v", header, claims)
	}
	if p := claims["permissions"].(map[string]any); len(p) != 2 || len(p["CONVERSATION"].([]any)) != 2 {
		t.Errorf("%v", p)
	}

	// A later session of the same person in the same browser takes it.
	f.clock.Advance(2 * lifetime)
	later := f.start(t, b, login("alice", f.clock))
	if later.Handle == s.Handle || !f.DisplayMatches(token, later) {
		t.Error("an open page has to be loaded anew")
	}
	// Nobody else does.
	if f.DisplayMatches(token, f.start(t, newBrowser(), login("alice", f.clock))) {
		t.Error("in another browser")
	}
	if f.DisplayMatches(token, f.start(t, b, login("bob", f.clock))) {
		t.Error("of another person")
	}
	l := login("alice", f.clock)
	l.Person.Issuer = "https://other.example"
	if f.DisplayMatches(token, f.start(t, b, l)) || f.DisplayMatches(token, nil) {
		t.Error("of another issuer, or of nobody")
	}
	foreign := memoryFlap(t, func(o *session.Options) { o.Keys = [][]byte{key(9)} })
	if foreign.DisplayMatches(token, later) {
		t.Error("of another key")
	}
}

func TestTamperedDisplayTokens(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	s := f.start(t, b, login("alice", f.clock))
	token, err := f.DisplayToken(s, "alice", shown())
	must(t, err)
	for i := range len(token) {
		changed := []byte(token)
		changed[i] ^= 1
		if f.DisplayMatches(string(changed), s) {
			t.Fatalf("byte %d", i)
		}
	}
	end := strings.LastIndexByte(token, '.')
	for _, bad := range []string{
		"", token[:end], token[:end+1], token + ".", token + "=", token + "\n", token + "A", "." + token, token[:end] + "." + token[end:],
		token + strings.Repeat("A", 5000), "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", strings.Repeat(".", 10000),
	} {
		if session.IsDisplayToken(bad) || f.DisplayMatches(bad, s) {
			t.Errorf("%q", bad)
		}
	}
	if _, err := f.DisplayToken(s, strings.Repeat("ü", 10_000), shown()); err != nil {
		t.Errorf("a long name: %v", err)
	}
	_, err = f.DisplayToken(s, "alice", map[string][]string{strings.Repeat("x", 5000): nil})
	want(t, err, session.ErrTooLarge)
}

func TestIsDisplayTokenCostsNothing(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	token, err := f.DisplayToken(f.start(t, b, login("alice", f.clock)), "alice", shown())
	must(t, err)
	for _, text := range []string{token, "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"} {
		if n := testing.AllocsPerRun(100, func() { session.IsDisplayToken(text) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestDisplayTokensOutliveARotation(t *testing.T) {
	c := newClock()
	store := session.NewMemory(c.Now, 100)
	old := newFlap(t, c, store)
	b := newBrowser()
	s := old.start(t, b, login("alice", c))
	token, err := old.DisplayToken(s, "alice", shown())
	must(t, err)
	rotated := newFlap(t, c, store, func(o *session.Options) { o.Keys = [][]byte{key(2), key(1)} })
	if !rotated.DisplayMatches(token, rotated.finds(t, b)) {
		t.Error("a token of the old key")
	}
	c.Advance(time.Minute)
	token, err = rotated.DisplayToken(s, "alice", shown())
	must(t, err)
	if !rotated.DisplayMatches(token, s) || old.DisplayMatches(token, s) {
		t.Error("a token of the new key")
	}
}
