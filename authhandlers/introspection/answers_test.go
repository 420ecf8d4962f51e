package introspection_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/introspection"
)

// TestAnswers: which answers let somebody in.
func TestAnswers(t *testing.T) {
	f := newFixture(t, func(c *introspection.Config) {
		c.Scopes, c.Audiences = []string{"cat"}, []string{"cat", clientID}
	})
	now := f.clock.Now().Unix()
	for _, row := range []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"whole", nil, ""},
		{"no exp, iat, iss, token_type, client_id", map[string]any{"exp": nil, "iat": nil, "iss": nil, "token_type": nil, "client_id": nil}, ""},
		{"several audiences", map[string]any{"aud": []string{"x", "cat"}}, ""},
		{"a list of scopes", map[string]any{"scope": []string{"cat"}}, ""},
		{"bearer in other letters", map[string]any{"token_type": "bEARER"}, ""},
		{"Keycloak's typ", map[string]any{"typ": "Bearer"}, ""},
		{"not active", map[string]any{"active": false}, "token_inactive"},
		{"active as a text", map[string]any{"active": "true"}, "fault"},
		{"active as a number", map[string]any{"active": 1}, "fault"},
		{"active not there", map[string]any{"active": nil}, "fault"},
		{"active in other letters", map[string]any{"active": nil, "Active": true}, "fault"},
		{"expired within the leeway", map[string]any{"exp": now - 29}, ""},
		{"expired", map[string]any{"exp": now - 30}, "token_expired"},
		{"exp as a text", map[string]any{"exp": "9999999999"}, "invalid_claim"},
		{"nbf ahead", map[string]any{"nbf": now + 31}, "token_not_yet_valid"},
		{"iat ahead", map[string]any{"iat": now + 31}, "token_not_yet_valid"},
		{"another issuer", map[string]any{"iss": issuerName + "/"}, "wrong_issuer"},
		{"issuer as a list", map[string]any{"iss": []string{issuerName}}, "invalid_claim"},
		{"no audience", map[string]any{"aud": nil}, "wrong_audience"},
		{"no audience, given to somebody", map[string]any{"aud": nil, "client_id": "cat"}, "wrong_audience"},
		{"no audience, given to us", map[string]any{"aud": nil, "client_id": clientID}, ""},
		{"null, given to us", map[string]any{"aud": json.RawMessage("null"), "client_id": clientID}, "invalid_claim"},
		{"another audience, given to us", map[string]any{"aud": "other", "client_id": clientID}, "wrong_audience"},
		{"an empty list, given to us", map[string]any{"aud": []string{}, "client_id": clientID}, "wrong_audience"},
		{"another audience", map[string]any{"aud": "cats"}, "wrong_audience"},
		{"an empty list", map[string]any{"aud": []string{}}, "wrong_audience"},
		{"audience as an object", map[string]any{"aud": map[string]any{"cat": true}}, "invalid_claim"},
		{"client as a number", map[string]any{"client_id": 7}, "invalid_claim"},
		{"no scope", map[string]any{"scope": nil}, "scope_missing"},
		{"a longer scope", map[string]any{"scope": "cats openid"}, "scope_missing"},
		{"scope as a number", map[string]any{"scope": 7}, "invalid_claim"},
		{"DPoP", map[string]any{"token_type": "DPoP"}, "wrong_token_type"},
		{"MAC", map[string]any{"token_type": "mac"}, "wrong_token_type"},
		{"bound to a key", map[string]any{"cnf": map[string]any{"jkt": "x"}}, "wrong_token_type"},
		{"Keycloak's refresh token", map[string]any{"typ": "Refresh"}, "wrong_token_type"},
		{"Keycloak's offline token", map[string]any{"typ": "Offline"}, "wrong_token_type"},
		{"an ID token", map[string]any{"typ": "ID"}, "wrong_token_type"},
		{"Hydra's refresh token", map[string]any{"token_use": "refresh_token"}, "wrong_token_type"},
		{"Hydra's access token", map[string]any{"token_use": "access_token"}, ""},
		{"refresh token", map[string]any{"token_type": "refresh_token"}, "wrong_token_type"},
		{"no subject", map[string]any{"sub": nil}, "invalid_claim"},
		{"an empty subject", map[string]any{"sub": ""}, "invalid_claim"},
		{"a subject that is a number", map[string]any{"sub": 7}, "invalid_claim"},
		{"a subject with a line end", map[string]any{"sub": "a\nb"}, "invalid_user_id"},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := f.token("alice-"+strings.ReplaceAll(row.name, " ", "-"), row.changes)
			if row.name == "an empty subject" || strings.HasPrefix(row.name, "a subject") {
				f.says(token, f.claims("alice", row.changes))
			}
			_, err := f.ask(t, token)
			if got := code(err); got != row.want {
				t.Errorf("%q (%v), want %q", got, err, row.want)
			}
		})
	}
}

// TestPerson: what is read of an answer.
func TestPerson(t *testing.T) {
	f := newFixture(t, func(c *introspection.Config) { c.UserID, c.UserName = "username", "display.name" })
	token := f.token("alice", map[string]any{"display": map[string]any{"name": "Alice\nA."}, "username": "al", "sid": "s1"})
	u, err := f.ask(t, token)
	if err != nil {
		t.Fatal(err)
	}
	if u.Issuer != issuerName || u.Subject != "al" || u.Name != "AliceA." || u.SessionID != "s1" || u.Sub == nil || *u.Sub != "alice" ||
		fmt.Sprint(u.Groups) != "[/cat-users]" || u.IssuedAt != f.clock.Now().Unix() || u.Evidence != "" {
		t.Errorf("%+v", u)
	}
}

// TestWithoutAudience: a token type and a client can stand for what the answers lack.
func TestOtherBounds(t *testing.T) {
	f := newFixture(t, func(c *introspection.Config) {
		c.Audiences, c.Clients, c.RequireTokenType = nil, []string{"app", "bot"}, true
	})
	for _, row := range []struct {
		changes map[string]any
		want    string
	}{
		{map[string]any{"aud": nil}, ""},
		{map[string]any{"client_id": "bot"}, ""},
		{map[string]any{"client_id": "other"}, "client_not_allowed"},
		{map[string]any{"client_id": nil, "azp": "app"}, "client_not_allowed"},
		{map[string]any{"token_type": nil}, "wrong_token_type"},
	} {
		f.says("t", f.claims("alice", row.changes))
		f.clock.Advance(time.Minute)
		if _, err := f.ask(t, "t"); code(err) != row.want {
			t.Errorf("%v: %v, want %q", row.changes, err, row.want)
		}
	}
}

// TestFaults: what is no answer is a fault, and never access or a refusal. What waiting
// does not mend says so.
func TestFaults(t *testing.T) {
	f := newFixture(t, nil)
	good := f.claims("alice", nil)
	as := func(kind, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	const plain = "application/json"
	for _, row := range []struct {
		name  string
		fails func(http.ResponseWriter, *http.Request) bool
		want  string
	}{
		{"401", status(401), "setup"}, {"403", status(403), "setup"}, {"400", status(400), "setup"}, {"404", status(404), "setup"},
		{"500", status(500), "fault"}, {"503", status(503), "fault"}, {"429", status(429), "fault"}, {"204", status(204), "fault"}, {"201", status(201), "fault"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/elsewhere" {
				t.Error("a redirect was followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return true
		}, "setup"},
		{"a signed answer", as("application/token-introspection+jwt", "eyJ.e30.x"), "setup"},
		{"HTML", as("text/html", good), "setup"},
		{"no type", as("", good), "setup"},
		{"no JSON", as(plain, "active"), "fault"},
		{"a list", as(plain, "["+good+"]"), "fault"},
		{"twice active", as(plain, `{"active":false,`+good[1:]), "fault"},
		{"twice sub", as(plain, `{"sub":"root",`+good[1:]), "fault"},
		{"data behind", as(plain, good+"{}"), "fault"},
		{"too large", as(plain, `{"x":"`+strings.Repeat("x", 300<<10)+`",`+good[1:]), "fault"},
		{"too deep", as(plain, `{"x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,`+good[1:]), "fault"},
		{"empty", as(plain, ""), "fault"},
		{"hung up", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, "fault"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.fails(row.fails)
			_, err := f.ask(t, "some-token-of-somebody")
			if got := code(err); got != row.want {
				t.Errorf("%q (%v), want %q", got, err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "some-token") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

// TestReadiness: a secret that the provider does not know is told at /readyz, and forgotten
// when it is mended.
func TestReadiness(t *testing.T) {
	clock := authtest.NewClock()
	f := &fixture{provider: newProvider(t, clock), clock: clock, env: authtest.NewEnv(t, clock)}
	f.fails(status(401))
	f.h = open(t, f.env, f.config(t))
	eventually(t, "said why", func() bool {
		reason := f.ready(t, false)
		return code(reason) == "setup" && strings.Contains(reason.Error(), "client_secret")
	})
	f.fails(nil)
	f.ready(t, true)
	f.fails(status(503))
	if _, err := f.ask(t, "x"); code(err) != "fault" {
		t.Error(err)
	}
	if reason := f.ready(t, false); !strings.Contains(reason.Error(), "503") {
		t.Error(reason)
	}
}

// TestAnEndpointThatKnowsEverything is not asked about anybody.
func TestAnEndpointThatKnowsEverything(t *testing.T) {
	clock := authtest.NewClock()
	f := &fixture{provider: newProvider(t, clock), clock: clock, env: authtest.NewEnv(t, clock)}
	good := f.claims("alice", nil)
	f.fails(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(good))
		return true
	})
	f.h = open(t, f.env, f.config(t))
	eventually(t, "said why", func() bool { return strings.Contains(f.ready(t, false).Error(), "made-up") })
}

// TestSignedTokens: signed tokens stay here, unless they name the issuer and are wanted.
func TestSignedTokens(t *testing.T) {
	i := authtest.NewIssuer(t, authtest.NewClock())
	own, foreign := i.Token("alice"), i.Token("alice", issuerClaim("https://elsewhere.example"))
	for _, row := range []struct {
		name, token  string
		accept, asks bool
		want         string
	}{
		{"off", own, false, false, "passed on"},
		{"on", own, true, true, ""},
		{"on, another issuer's", foreign, true, false, "passed on"},
		{"on, none to be read", "eyJ.x.y", true, false, "passed on"},
		{"off, a header that begins with a line end", "ewogImFsZyI6IlJTMjU2In0.e30.x", false, false, "passed on"},
		{"on, a header that begins with a line end", "ewogImFsZyI6IlJTMjU2In0.e30.x", true, false, "passed on"},
		{"encrypted", "eyJhbGciOiJkaXIifQ.a.b.c.d", false, true, "token_inactive"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t, func(c *introspection.Config) { c.AcceptJWTs, c.Issuer = row.accept, i.URL() })
			f.says(own, f.claims("alice", map[string]any{"iss": i.URL()}))
			f.says(foreign, f.claims("alice", map[string]any{"iss": i.URL()}))
			if _, err := f.ask(t, row.token); code(err) != row.want {
				t.Errorf("%v, want %q", err, row.want)
			}
			if asked := f.asked.Load() > 0; asked != row.asks {
				t.Errorf("asked: %v", asked)
			}
		})
	}
}

// TestKeysStayHere: what begins as one of Catflap's API keys is never sent away.
func TestKeysStayHere(t *testing.T) {
	f := newFixture(t, nil)
	for _, key := range []string{"catflap_", "catflap_abc", "CATFLAP_ABC"} {
		f.says(key, f.claims("alice", nil))
		if _, err := f.ask(t, key); code(err) != "passed on" {
			t.Errorf("%s: %v", key, err)
		}
	}
	if n := f.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// TestClientLeaves: an answer is worth remembering though nobody waits for it any more.
func TestClientLeaves(t *testing.T) {
	f := newFixture(t, nil)
	came, release := make(chan struct{}), make(chan struct{})
	f.fails(func(http.ResponseWriter, *http.Request) bool {
		close(came)
		<-release
		return false
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-came
		leave()
	}()
	if _, err := f.h.Authenticate(ctx, authtest.Bearer("left")); code(err) != "fault" {
		t.Error(err)
	}
	f.fails(nil)
	close(release)
	eventually(t, "remembered", func() bool {
		before := f.asked.Load()
		_, err := f.ask(t, "left")
		return code(err) == string(authhandlers.CodeTokenInactive) && f.asked.Load() == before
	})
}
