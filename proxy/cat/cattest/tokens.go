package cattest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// sign makes a token, HS256 with that secret.
func sign(t *testing.T, secret string, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc(body)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return text + "." + enc(m.Sum(nil))
}

// account makes an account at the Cat that lives as long as the test.
func (s *suite) account(t *testing.T, name string, permissions map[string][]string) string {
	t.Helper()
	body := map[string]any{"username": name, "password": "a long password"}
	if permissions != nil {
		body["permissions"] = permissions
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ID string }
	s.askJSON(t, "POST", "/users/", s.key(), string(b)).want(t, ok).into(t, &made)
	t.Cleanup(func() { s.ask(t, "DELETE", "/users/"+made.ID, s.key(), "") })
	return made.ID
}

// minted is a token that names a user and has an account's permissions.
func (s *suite) minted(t *testing.T, account, user string) string {
	t.Helper()
	return sign(t, s.JWTSecret, map[string]any{"sub": account, "username": user, "exp": time.Now().Add(time.Hour).Unix()})
}

func bearer(token string, more ...string) []string {
	return append([]string{"Authorization: Bearer " + token}, more...)
}

// login: the Cat's own accounts and what a password buys.
func (s *suite) login(t *testing.T) {
	t.Run("token", func(t *testing.T) {
		for _, name := range []string{"admin", "user"} {
			var v struct {
				Token string `json:"access_token"`
				Type  string `json:"token_type"`
			}
			s.askJSON(t, "POST", "/auth/token", nil, fmt.Sprintf(`{"username":%q,"password":%q}`, name, name)).want(t, ok).into(t, &v)
			if v.Type != "bearer" || strings.Count(v.Token, ".") != 2 {
				t.Errorf("token of %s: %+v", name, v)
			}
			want := forbidden
			if name == "admin" {
				want = ok
			}
			s.ask(t, "GET", "/users/", bearer(v.Token), "").want(t, want)
			s.ask(t, "GET", "/", bearer(v.Token), "").want(t, ok)
			if s.Plugin {
				if got := s.who(t, bearer(v.Token, "user_id: somebody")...); got != name {
					t.Errorf("the token of %s is %q", name, got)
				}
			}
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		began := time.Now()
		s.askJSON(t, "POST", "/auth/token", nil, `{"username":"admin","password":"wrong"}`).refused(t)
		if took := time.Since(began); took < 500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
	t.Run("a form is a fault", func(t *testing.T) {
		s.ask(t, "POST", "/auth/token", []string{"Content-Type: application/x-www-form-urlencoded"}, "username=admin&password=admin").want(t, fault)
	})
	t.Run("a field is missing", func(t *testing.T) {
		s.askJSON(t, "POST", "/auth/token", nil, `{"username":"admin"}`).want(t, http.StatusBadRequest)
	})
	t.Run("form", func(t *testing.T) {
		form := []string{"Content-Type: application/x-www-form-urlencoded"}
		a := s.ask(t, "POST", "/auth/login", form, "username=user&password=user&referer=https%3A%2F%2Felsewhere.example%2F").
			want(t, http.StatusSeeOther).wantHeader(t, "Location", "https://elsewhere.example/")
		cookie := a.Header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "ccat_user_token=") || !strings.Contains(cookie, "Path=/") || strings.Contains(cookie, "HttpOnly") {
			t.Errorf("cookie %q", short(cookie))
		}
		s.ask(t, "POST", "/auth/login", form, "username=user&password=wrong&referer=%2Fadmin%2F").
			want(t, http.StatusSeeOther).wantHeader(t, "Location", "/auth/login?referer=%2Fadmin%2F&retry=1").wantHeader(t, "Set-Cookie", "")
	})
	t.Run("page", func(t *testing.T) {
		a := s.ask(t, "GET", "/auth/login", nil, "").want(t, ok)
		if c := a.Header.Get("Set-Cookie"); !strings.Contains(c, "Max-Age=0") {
			t.Errorf("cookie %q", c)
		}
	})
}

// tokens: who a token of the Cat's secret stands for, and which are refused.
func (s *suite) tokens(t *testing.T) {
	s.secret(t)
	id := s.account(t, s.name("svc"), nil)
	alice := s.name("alice")
	good := s.minted(t, id, alice)

	t.Run("refused and accepted", func(t *testing.T) {
		now := time.Now()
		base := map[string]any{"sub": id, "username": alice, "exp": now.Add(time.Hour).Unix()}
		with := func(k string, v any) string {
			c := maps.Clone(base)
			if c[k] = v; v == nil {
				delete(c, k)
			}
			return sign(t, s.JWTSecret, c)
		}
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + good[strings.IndexByte(good, '.'):strings.LastIndexByte(good, '.')+1]
		for _, tt := range []struct {
			name, token string
			in          bool
		}{
			{"good", good, true},
			{"without exp", with("exp", nil), true},
			{"with iss", with("iss", "catflap"), true},
			{"expired", with("exp", now.Add(-time.Minute).Unix()), false},
			{"exp that is no number", with("exp", "soon"), false},
			{"early", with("nbf", now.Add(time.Minute).Unix()), false},
			{"issued later", with("iat", now.Add(time.Minute).Unix()), false},
			{"audience", with("aud", "catflap"), false},
			{"audiences", with("aud", []string{"catflap"}), false},
			{"unknown sub", with("sub", "00000000-0000-4000-8000-000000000000"), false},
			{"without sub", with("sub", nil), false},
			{"without username", with("username", nil), false},
			{"username that is no text", with("username", 7), false},
			{"another secret", sign(t, s.JWTSecret+"x", base), false},
			{"alg none", none, false},
			{"no signature", good[:strings.LastIndexByte(good, '.')+1], false},
			{"permissions of its own", with("permissions", map[string]any{"USERS": []string{"LIST"}}), true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a := s.ask(t, "GET", "/", bearer(tt.token), "")
				if tt.in {
					a.want(t, ok)
				} else {
					a.refused(t)
				}
				s.wantSocket(t, "/ws/x?token="+tt.token, tt.in)
			})
		}
		s.ask(t, "GET", "/users/", bearer(with("permissions", map[string]any{"USERS": []string{"LIST"}})), "").refused(t)
	})

	t.Run("the user is the username", func(t *testing.T) {
		s.plugin(t)
		if got := s.who(t, bearer(good, "user_id: bob")...); got != alice {
			t.Errorf("HTTP: %q", got)
		}
		if got := s.who(t, "access_token: "+good, "user_id: bob"); got != alice {
			t.Errorf("access_token: %q", got)
		}
		if s.APIKey != "" {
			if got := s.who(t, bearer(good, "access_token: "+s.APIKey, "user_id: bob")...); got != alice {
				t.Errorf("token and key: %q", got)
			}
			if got := s.who(t, bearer(s.APIKey, "access_token: "+good, "user_id: bob")...); got != "bob" {
				t.Errorf("key and token: %q", got)
			}
		}
	})
	t.Run("socket", func(t *testing.T) {
		w := s.dial(t, "/ws/bob?token="+good)
		defer w.Close()
		if got := w.turn(t, `{"text":"who?","user_id":"bob"}`)["user_id"]; got != alice {
			t.Errorf("%q", got)
		}
	})
	t.Run("names of any letters", func(t *testing.T) {
		s.plugin(t)
		for _, name := range []string{"a/b", "../x", "with space", "日本", "zoë", ""} {
			if got := s.who(t, bearer(s.minted(t, id, name))...); got != name {
				t.Errorf("%q is %q", name, got)
			}
		}
	})
	t.Run("one name space", func(t *testing.T) {
		s.say(t, s.as(alice), "said with the key")
		if h := strings.Join(s.history(t, bearer(good)), "\n"); !strings.Contains(h, "said with the key") {
			t.Errorf("history: %s", h)
		}
	})
	t.Run("permissions are those of now", func(t *testing.T) {
		id := s.account(t, s.name("falling"), nil)
		token := s.minted(t, id, alice)
		s.ask(t, "GET", "/", bearer(token), "").want(t, ok)
		s.askJSON(t, "PUT", "/users/"+id, s.key(), `{"permissions":{"CONVERSATION":["WRITE"]}}`).want(t, ok)
		s.ask(t, "GET", "/", bearer(token), "").refused(t)
		w := s.dial(t, "/ws/x?token="+token)
		defer w.Close()
		s.ask(t, "DELETE", "/users/"+id, s.key(), "").want(t, ok)
		s.wantSocket(t, "/ws/x?token="+token, false)
		if got := w.turn(t, `{"text":"still here"}`)["type"]; got != "chat" {
			t.Errorf("an open socket is not asked again: got %v", got)
		}
	})
}
