package jwt_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

func TestPerson(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*jwt.Config)
		claims  []issuer.Change
		retain  []string
		want    authhandlers.AuthUserInfo // without issuer and expiry
		refused string
	}{
		{name: "plain", want: authhandlers.AuthUserInfo{Subject: "alice"}},
		{
			name: "Keycloak",
			change: func(c *jwt.Config) {
				c.Groups, c.UserID, c.UserName = "realm_access.roles", "sub", "preferred_username"
			},
			claims: []issuer.Change{
				issuer.Claim("realm_access", map[string]any{"roles": []string{"cat-admin", "cat-user"}}),
				issuer.Claim("preferred_username", "Alice"), issuer.Claim("sid", "s1"), issuer.Claim("typ", "Bearer"),
				issuer.Claim("azp", "catflap"), issuer.Claim("nonce", "n"), issuer.Header("typ", "JWT"),
			},
			want: authhandlers.AuthUserInfo{Subject: "alice", Name: "Alice", SessionID: "s1", Groups: []string{"cat-admin", "cat-user"}},
		},
		{
			name:   "Auth0",
			change: func(c *jwt.Config) { c.Groups = "https://example.com/roles" },
			claims: []issuer.Change{issuer.Claim("https://example.com/roles", []string{"admin"})},
			want:   authhandlers.AuthUserInfo{Subject: "alice", Groups: []string{"admin"}},
		},
		{
			name:   "client roles",
			change: func(c *jwt.Config) { c.Groups = "resource_access.my-client.roles" },
			claims: []issuer.Change{issuer.Claim("resource_access", map[string]any{"my-client": map[string]any{"roles": []string{"x"}}})},
			want:   authhandlers.AuthUserInfo{Subject: "alice", Groups: []string{"x"}},
		},
		{
			name:   "groups of one text",
			change: func(c *jwt.Config) { c.Groups = "scope" },
			claims: []issuer.Change{issuer.Claim("scope", "a b")},
			want:   authhandlers.AuthUserInfo{Subject: "alice"},
		},
		{
			name:   "groups of one text, words",
			change: func(c *jwt.Config) { c.Groups, c.GroupsSeparator = "scope", "space" },
			claims: []issuer.Change{issuer.Claim("scope", " a  b ")},
			want:   authhandlers.AuthUserInfo{Subject: "alice", Groups: []string{"a", "b"}},
		},
		{
			name:   "groups with a number",
			change: func(c *jwt.Config) { c.Groups = "groups" },
			claims: []issuer.Change{issuer.Claim("groups", []any{"admin", 1})},
			want:   authhandlers.AuthUserInfo{Subject: "alice"},
		},
		{
			name:   "groups with an object",
			change: func(c *jwt.Config) { c.Groups = "groups" },
			claims: []issuer.Change{issuer.Claim("groups", map[string]any{"admin": true})},
			want:   authhandlers.AuthUserInfo{Subject: "alice"},
		},
		{
			name:   "retained claims",
			retain: []string{"scope", "org.id", "amr", "paid", "level", "absent", "mixed", "org"},
			claims: []issuer.Change{
				issuer.Claim("scope", "a b"), issuer.Claim("org", map[string]any{"id": "o1"}), issuer.Claim("amr", []string{"pwd", "otp"}),
				issuer.Claim("paid", true), issuer.Claim("level", 3), issuer.Claim("mixed", []any{"a", 1}),
			},
			want: authhandlers.AuthUserInfo{Subject: "alice", Claims: map[string][]string{
				"scope": {"a b"}, "org.id": {"o1"}, "amr": {"pwd", "otp"}, "paid": {"true"}, "level": {"3"},
			}},
		},
		{
			name:   "name of another type",
			claims: []issuer.Change{issuer.Claim("name", []string{"Alice"})},
			want:   authhandlers.AuthUserInfo{Subject: "alice"},
		},
		{
			name:   "name with controls, too long",
			claims: []issuer.Change{issuer.Claim("name", "A\r\n\x00lice\u0085 "+strings.Repeat("é", 200))},
			want:   authhandlers.AuthUserInfo{Subject: "alice", Name: "Alice " + strings.Repeat("é", 97)},
		},
		{
			name:   "e-mail, verified",
			change: func(c *jwt.Config) { c.UserID = "email" },
			claims: []issuer.Change{issuer.Claim("email", "a@example.com"), issuer.Claim("email_verified", true)},
			want:   authhandlers.AuthUserInfo{Subject: "a@example.com"},
		},
		{
			name:    "e-mail, not said to be verified",
			change:  func(c *jwt.Config) { c.UserID = "email" },
			claims:  []issuer.Change{issuer.Claim("email", "a@example.com")},
			refused: "invalid_claim",
		},
		{
			name:    "e-mail, verified as a text",
			change:  func(c *jwt.Config) { c.UserID = "email" },
			claims:  []issuer.Change{issuer.Claim("email", "a@example.com"), issuer.Claim("email_verified", "true")},
			refused: "invalid_claim",
		},
		{
			name:    "no such claim",
			change:  func(c *jwt.Config) { c.UserID = "oid" },
			refused: "invalid_claim",
		},
		{
			name:    "no user id can be made of it",
			claims:  []issuer.Change{issuer.Claim("sub", "a\nb")},
			refused: "invalid_user_id",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, idp, h := local(t, func(e *authhandlers.Env) { e.Claims = c.retain }, c.change)
			for range 2 { // the second time it is remembered
				u, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", c.claims...)))
				if got := code(err); got != c.refused {
					t.Fatalf("%q, want %q: %v", got, c.refused, err)
				}
				if err != nil {
					continue
				}
				got := *u
				if got.Issuer != idp.URL() || got.Expiry.IsZero() || got.IssuedAt == 0 {
					t.Errorf("issuer %q, expiry %v", got.Issuer, got.Expiry)
				}
				got.Issuer, got.Expiry, got.IssuedAt, got.Sub = "", time.Time{}, 0, nil
				if !reflect.DeepEqual(got, c.want) {
					t.Errorf("%+v, want %+v", got, c.want)
				}
			}
		})
	}
}

// TestTokenTypes tells access tokens from what else an issuer signs.
func TestTokenTypes(t *testing.T) {
	plain := func(*jwt.Config) {}
	ids := func(c *jwt.Config) { c.AcceptIDTokens = true }
	web := func(c *jwt.Config) { c.AcceptIDTokens, c.Clients = true, []string{"web"} }
	strict := func(c *jwt.Config) { c.RequireTyp = "at+jwt" }
	jwtTyp := issuer.Header("typ", "JWT")
	for _, c := range []struct {
		name    string
		config  func(*jwt.Config)
		changes []issuer.Change
		want    string
	}{
		{"access", plain, nil, ""},
		{"typ JWT", plain, []issuer.Change{jwtTyp}, ""},
		{"typ application/jwt", plain, []issuer.Change{issuer.Header("typ", "application/JWT")}, ""},
		{"typ JWT, strict", strict, []issuer.Change{jwtTyp}, "wrong_token_type"},
		{"typ at+jwt, strict", strict, nil, ""},
		{"typ of something else", plain, []issuer.Change{issuer.Header("typ", "JOSE")}, "wrong_token_type"},
		{"typ a number", plain, []issuer.Change{issuer.Header("typ", 1)}, "malformed_token"},
		{"nonce", plain, []issuer.Change{issuer.Claim("nonce", "n")}, "wrong_token_type"},
		{"c_hash", plain, []issuer.Change{issuer.Claim("c_hash", "n")}, "wrong_token_type"},
		{"claim typ ID", plain, []issuer.Change{issuer.Claim("typ", "ID")}, "wrong_token_type"},
		{"token_use id", plain, []issuer.Change{issuer.Claim("token_use", "id")}, "wrong_token_type"},
		{"token_use access", plain, []issuer.Change{issuer.Claim("token_use", "access")}, ""},
		{"token_use access, typ ID", plain, []issuer.Change{issuer.Claim("token_use", "access"), issuer.Claim("typ", "ID")}, "wrong_token_type"},
		{"token_use refresh", ids, []issuer.Change{issuer.Claim("token_use", "refresh")}, "wrong_token_type"},
		{"claim typ Offline", ids, []issuer.Change{issuer.Claim("typ", "Offline")}, "wrong_token_type"},
		{"claim typ Logout", ids, []issuer.Change{issuer.Claim("typ", "Logout")}, "wrong_token_type"},
		{"claim typ a number", plain, []issuer.Change{issuer.Claim("typ", 1)}, "invalid_claim"},
		{"nonce beside typ Bearer", plain, []issuer.Change{issuer.Claim("nonce", "n"), issuer.Claim("typ", "Bearer")}, ""},
		{"events", ids, []issuer.Change{issuer.Claim("events", map[string]any{})}, "wrong_token_type"},
		{"bound to a key", plain, []issuer.Change{issuer.Claim("cnf", map[string]any{"jkt": "x"})}, "wrong_token_type"},
		{"bound to nothing", plain, []issuer.Change{issuer.Claim("cnf", map[string]any{})}, ""},
		{"ID token, accepted", ids, []issuer.Change{issuer.Claim("nonce", "n")}, ""},
		{"ID token, azp ours", ids, []issuer.Change{issuer.Claim("nonce", "n"), issuer.Claim("azp", audience)}, ""},
		{"ID token, azp another", ids, []issuer.Change{issuer.Claim("nonce", "n"), issuer.Claim("azp", "evil")}, "client_not_allowed"},
		{
			"ID token, azp another that is in aud", ids,
			[]issuer.Change{issuer.Claim("nonce", "n"), issuer.Claim("azp", "evil"), issuer.Claim("aud", []string{"evil", audience})},
			"client_not_allowed",
		},
		{"ID token, azp a client", web, []issuer.Change{issuer.Claim("nonce", "n"), issuer.Claim("azp", "web")}, ""},
		{"client", web, nil, ""},
		{"other client", web, []issuer.Change{issuer.Claim("client_id", "evil")}, "client_not_allowed"},
		{"other azp", web, []issuer.Change{issuer.Claim("azp", "evil")}, "client_not_allowed"},
		{"no client", web, []issuer.Change{issuer.Without("client_id")}, "client_not_allowed"},
		{"client of another type", plain, []issuer.Change{issuer.Claim("client_id", 1)}, "invalid_claim"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, idp, h := local(t, nil, c.config)
			_, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", c.changes...)))
			if got := code(err); got != c.want {
				t.Errorf("%q, want %q: %v", got, c.want, err)
			}
		})
	}
}

func TestAnyAudience(t *testing.T) {
	_, idp, h := local(t, nil, func(c *jwt.Config) { c.Audiences, c.InsecureAnyAudience = nil, true })
	for name, c := range map[string]struct {
		change issuer.Change
		want   string
	}{
		"other":  {issuer.Claim("aud", "other"), ""},
		"absent": {issuer.Without("aud"), ""},
		"number": {issuer.Claim("aud", 1), "invalid_claim"},
	} {
		_, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("alice", c.change)))
		if got := code(err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
