package oidc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/authhandlers/oidc"
)

// bearer is alice's access token for the API, as oidc-provider makes it.
func (f fixture) bearer(changes ...issuer.Change) *authhandlers.Request {
	return authtest.Bearer(f.p.Token("alice", append([]issuer.Change{issuer.Claim("aud", "catflap-api")}, changes...)...))
}

// asID makes an ID token of it.
func asID(changes ...issuer.Change) []issuer.Change {
	return append([]issuer.Change{issuer.Header("typ", nil), issuer.Claim("aud", clientID), issuer.Claim("nonce", "n"), issuer.Without("client_id")}, changes...)
}

func TestBearers(t *testing.T) {
	keycloak := []issuer.Change{ // PROVIDERS' access token, with its claim typ
		issuer.Header("typ", "JWT"), issuer.Claim("typ", "Bearer"), issuer.Claim("azp", clientID), issuer.Without("client_id"),
		issuer.Claim("aud", []string{"catflap-api", "account"}), issuer.Claim("sid", "VzNQ"), issuer.Claim("preferred_username", "alice"),
	}
	dex := []issuer.Change{ // access and ID token alike
		issuer.Header("typ", nil), issuer.Without("client_id", "jti"), issuer.Claim("at_hash", "x"), issuer.Claim("aud", clientID),
	}
	for name, c := range map[string]struct {
		changes        []issuer.Change
		access, id, no string // with audiences; with accept_id_tokens too; with that alone
	}{
		"oidc-provider's access token": {nil, "", "", "wrong_audience"},
		"Keycloak's access token":      {keycloak, "", "", "wrong_audience"},
		"Keycloak's ID token": {
			[]issuer.Change{issuer.Header("typ", "JWT"), issuer.Claim("typ", "ID"), issuer.Claim("azp", clientID), issuer.Claim("aud", clientID), issuer.Without("client_id")},
			"wrong_audience", "", "",
		},
		"oidc-provider's ID token":         {asID(), "wrong_audience", "", ""},
		"an ID token for the API":          {asID(issuer.Claim("aud", "catflap-api")), "wrong_token_type", "wrong_audience", "wrong_audience"},
		"an ID token of another client":    {asID(issuer.Claim("aud", []string{clientID, "x"}), issuer.Claim("azp", "x")), "wrong_audience", "client_not_allowed", "client_not_allowed"},
		"an ID token, azp ours":            {asID(issuer.Claim("azp", clientID)), "wrong_audience", "", ""},
		"Dex's":                            {dex, "wrong_audience", "", ""},
		"an access token for the client":   {[]issuer.Change{issuer.Claim("aud", clientID)}, "wrong_audience", "wrong_audience", "wrong_audience"},
		"Keycloak's refresh token":         {append(slices.Clip(keycloak), issuer.Claim("typ", "Refresh")), "wrong_token_type", "wrong_token_type", "wrong_audience"},
		"a logout token":                   {[]issuer.Change{issuer.Header("typ", "logout+jwt")}, "wrong_token_type", "wrong_token_type", "wrong_token_type"},
		"another issuer's":                 {[]issuer.Change{issuer.Claim("iss", "https://other.example")}, "no credential", "no credential", "no credential"},
		"an access token without audience": {[]issuer.Change{issuer.Without("aud")}, "wrong_audience", "wrong_audience", "wrong_audience"},
	} {
		f := start(t, nil)
		both := open(t, authtest.NewEnv(t, f.clock), f.p, func(c *oidc.Config) { c.AcceptIDTokens = true })
		alone := open(t, authtest.NewEnv(t, f.clock), f.p, func(c *oidc.Config) { c.AcceptIDTokens, c.Audiences = true, nil })
		r := f.bearer(c.changes...)
		for _, w := range []struct {
			h    handler
			want string
		}{{f.h, c.access}, {both, c.id}, {alone, c.no}} {
			if u, err := w.h.Authenticate(t.Context(), r); code(err) != w.want || (u == nil) != (w.want != "") {
				t.Errorf("%s: %v, want %q", name, err, w.want)
			}
		}
	}
}

func TestNoBearers(t *testing.T) {
	f := start(t, func(c *oidc.Config) { c.Audiences = nil })
	_, err := f.h.Authenticate(t.Context(), f.bearer())
	r, ok := err.(*authhandlers.Rejection) //nolint:errorlint // as it is
	if !ok || r.Code != "bearer_not_accepted" || !strings.Contains(r.Hint, "sign in") {
		t.Errorf("got %v", err)
	}
	for name, r := range map[string]*authhandlers.Request{
		"Google's access token": authtest.Bearer("ya29.a0AfB_byC-opaque"),
		"another issuer's":      f.bearer(issuer.Claim("iss", "https://other.example")),
		"encrypted":             authtest.Bearer("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d"),
		"nothing":               authtest.NewRequest(),
	} {
		if _, err := f.h.Authenticate(t.Context(), r); code(err) != "no credential" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.login(t, nil); err != nil {
		t.Errorf("the login: %v", err)
	}
}

func TestServiceAccounts(t *testing.T) {
	for name, changes := range map[string][]issuer.Change{
		"RFC 9068": {issuer.Claim("sub", "bot"), issuer.Claim("client_id", "bot")},
		"azp":      {issuer.Claim("sub", "bot"), issuer.Claim("azp", "bot"), issuer.Without("client_id")},
		"Keycloak": {issuer.Claim("azp", "bot"), issuer.Without("client_id"), issuer.Claim("preferred_username", "service-account-bot")},
		"Keycloak's address": {
			issuer.Claim("client_id", "bot"), issuer.Claim("clientAddress", "127.0.0.1"), issuer.Claim("preferred_username", "renamed"),
		},
		"Auth0":           {issuer.Claim("azp", "bot"), issuer.Without("client_id"), issuer.Claim("sub", "bot@clients"), issuer.Claim("gty", "client-credentials")},
		"Auth0's subject": {issuer.Claim("azp", "bot"), issuer.Without("client_id"), issuer.Claim("sub", "bot@clients")},
		"Auth0's list":    {issuer.Claim("client_id", "bot"), issuer.Claim("gty", []string{"client-credentials"})},
		"Okta":            {issuer.Claim("cid", "bot"), issuer.Claim("sub", "bot"), issuer.Without("client_id")},
		"Entra ID":        {issuer.Claim("azp", "bot"), issuer.Without("client_id"), issuer.Claim("idtyp", "app")},
		"Entra ID, v1":    {issuer.Claim("appid", "bot"), issuer.Without("client_id"), issuer.Claim("tid", "t"), issuer.Claim("oid", "alice")},
	} {
		f := start(t, nil)
		if _, err := f.h.Authenticate(t.Context(), f.bearer(changes...)); code(err) != "client_not_allowed" {
			t.Errorf("%s: %v", name, err)
		}
		allowed := open(t, authtest.NewEnv(t, f.clock), f.p, func(c *oidc.Config) { c.ServiceAccounts = []string{"bot"} })
		if _, err := allowed.Authenticate(t.Context(), f.bearer(changes...)); err != nil {
			t.Errorf("%s, allowed: %v", name, err)
		}
		other := open(t, authtest.NewEnv(t, f.clock), f.p, func(c *oidc.Config) { c.ServiceAccounts = []string{"other"} })
		if _, err := other.Authenticate(t.Context(), f.bearer(changes...)); code(err) != "client_not_allowed" {
			t.Errorf("%s, another one is allowed: %v", name, err)
		}
	}
	f := start(t, func(c *oidc.Config) { c.ServiceAccounts = []string{"bot"} })
	if _, err := f.h.Authenticate(t.Context(), f.bearer(issuer.Claim("idtyp", "app"), issuer.Without("client_id"))); code(err) != "client_not_allowed" {
		t.Errorf("a program without a name: %v", err)
	}
	if _, err := f.h.Authenticate(t.Context(), f.bearer(issuer.Claim("idtyp", "user"), issuer.Claim("tid", "t"), issuer.Claim("oid", "o"))); err != nil {
		t.Errorf("a person: %v", err)
	}
}

func TestClients(t *testing.T) {
	f := start(t, func(c *oidc.Config) { c.Clients, c.AcceptIDTokens = []string{"web"}, true })
	for name, c := range map[string]struct {
		changes []issuer.Change
		want    string
	}{
		"web":             {nil, ""},
		"another":         {[]issuer.Change{issuer.Claim("client_id", "x")}, "client_not_allowed"},
		"none":            {[]issuer.Change{issuer.Without("client_id")}, "client_not_allowed"},
		"our ID token":    {asID(), ""},
		"another's azp":   {asID(issuer.Claim("azp", "web")), "client_not_allowed"},
		"our azp":         {asID(issuer.Claim("azp", clientID)), ""},
		"expired":         {[]issuer.Change{f.p.Lifetime(-time.Hour)}, "token_expired"},
		"no at+jwt at ID": {asID(issuer.Header("typ", "at+jwt")), ""},
	} {
		if _, err := f.h.Authenticate(t.Context(), f.bearer(c.changes...)); code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestBesideJWT: people sign in through one handler, and programs send tokens to the
// next one of the same issuer; what is refused is refused by the one that it is for.
func TestBesideJWT(t *testing.T) {
	clock := authtest.NewClock()
	p := newProvider(t, clock)
	second := jwt.NewConfig()
	second.Issuer, second.Audiences, second.Keys.JWKSURL = p.URL(), []string{"programs"}, p.JWKSURL()
	programs, err := authhandlers.Open(t.Context(), second, authtest.NewEnv(t, clock))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := issuer.NewKey("es256", "ES256")
	if err != nil {
		t.Fatal(err)
	}
	program := issuer.Claim("aud", "programs")
	for _, c := range []struct {
		name              string
		changes           []issuer.Change
		alone, api, wants string // without audiences; with catflap-api; and with accept_id_tokens
	}{
		{"a program's", []issuer.Change{program}, "programs", "programs", "programs"},
		{"a person's", nil, "wrong_audience", "people", "people"},
		{"a person's ID token", asID(), "wrong_audience", "wrong_audience", "people"},
		{"an ID token, forged", append(asID(), issuer.ForgedBy(stranger)), "wrong_audience", "wrong_audience", "bad_signature"},
		{"a program's, forged", []issuer.Change{program, issuer.ForgedBy(stranger)}, "bad_signature", "bad_signature", "bad_signature"},
		{"of both, forged", []issuer.Change{issuer.Claim("aud", []string{"programs", "catflap-api"}), issuer.ForgedBy(stranger)}, "bad_signature", "bad_signature", "bad_signature"},
		{"a program that is not accepted, of both", []issuer.Change{issuer.Claim("aud", []string{"programs", "catflap-api"}), issuer.Claim("idtyp", "app")}, "programs", "client_not_allowed", "client_not_allowed"},
		{"another issuer's", []issuer.Change{issuer.Claim("iss", "https://other.example")}, "unknown_credential", "unknown_credential", "unknown_credential"},
	} {
		for i, want := range []string{c.alone, c.api, c.wants} {
			people := open(t, authtest.NewEnv(t, clock), p, func(o *oidc.Config) {
				if o.AcceptIDTokens = i == 2; i == 0 {
					o.Audiences = nil
				}
			})
			chain, err := authhandlers.NewChain(clock.Now, authhandlers.Link{Name: "people", Alias: "p", Handler: people}, authhandlers.Link{Name: "programs", Alias: "p", Handler: programs})
			if err != nil {
				t.Fatal(err)
			}
			u, err := chain.Authenticate(t.Context(), fixture{clock, p, people}.bearer(c.changes...))
			got := code(err)
			if err == nil {
				got = u.Handler
			}
			if got != want {
				t.Errorf("%s, %d: %q, want %q: %v", c.name, i, got, want, err)
			}
		}
	}
}
