package oidc_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/oidc"
	"github.com/catflap/catflap/internal/keyset"
)

// half is at_hash as OpenID Connect Core §3.1.3.6 computes it.
func half(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) }

func TestIDTokens(t *testing.T) {
	stranger, err := issuer.NewKey("es256", "ES256")
	if err != nil {
		t.Fatal(err)
	}
	shared := &issuer.Key{ID: "es256", Algorithm: "HS256", Private: []byte(secret)}
	sum := sha256.Sum256([]byte("opaque-access-token"))
	claim := func(name string, v any) []issuer.Change { return []issuer.Change{issuer.Claim(name, v)} }
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, c := range map[string]struct {
		changes []issuer.Change
		want    string
	}{
		"as it is":              {nil, ""},
		"typ JWT":               {[]issuer.Change{issuer.Header("typ", "JWT")}, ""},
		"Keycloak's":            {append(claim("typ", "ID"), issuer.Header("typ", "JWT"), issuer.Claim("azp", clientID)), ""},
		"at_hash":               {claim("at_hash", half(sum[:])), ""},
		"two audiences and azp": {append(claim("aud", []string{"other", clientID}), issuer.Claim("azp", clientID)), ""},
		"expired within leeway": {append(claim("exp", in(-20*time.Second)), issuer.Claim("iat", in(-time.Minute))), ""},
		"fraction":              {claim("exp", float64(in(time.Minute))+0.5), ""},

		"forged":             {[]issuer.Change{issuer.ForgedBy(stranger)}, "bad_signature"},
		"none":               {[]issuer.Change{issuer.Header("alg", "none")}, "algorithm_not_allowed"},
		"HS256":              {[]issuer.Change{issuer.SignedBy(shared)}, "algorithm_not_allowed"},
		"unknown key":        {[]issuer.Change{issuer.Header("kid", "other")}, "unknown_key"},
		"crit":               {[]issuer.Change{issuer.Header("crit", []string{"exp"})}, "malformed_token"},
		"access token":       {[]issuer.Change{issuer.Header("typ", "at+jwt")}, "wrong_token_type"},
		"logout token":       {[]issuer.Change{issuer.Header("typ", "logout+jwt")}, "wrong_token_type"},
		"events":             {claim("events", map[string]any{}), "wrong_token_type"},
		"typ Bearer":         {claim("typ", "Bearer"), "wrong_token_type"},
		"typ Refresh":        {claim("typ", "Refresh"), "wrong_token_type"},
		"typ a number":       {claim("typ", 7), "wrong_token_type"},
		"token_use access":   {claim("token_use", "access"), "wrong_token_type"},
		"other issuer":       {claim("iss", "https://evil.example"), "wrong_issuer"},
		"no issuer":          {[]issuer.Change{issuer.Without("iss")}, "wrong_issuer"},
		"other audience":     {claim("aud", "other"), "wrong_audience"},
		"no audience":        {[]issuer.Change{issuer.Without("aud")}, "wrong_audience"},
		"audience object":    {claim("aud", map[string]any{clientID: true}), "invalid_claim"},
		"two audiences":      {claim("aud", []string{clientID, "other"}), "client_not_allowed"},
		"other azp":          {claim("azp", "other"), "client_not_allowed"},
		"azp no text":        {claim("azp", []string{clientID}), "client_not_allowed"},
		"expired":            {append(claim("exp", in(-time.Minute)), issuer.Claim("iat", in(-time.Hour))), "token_expired"},
		"no exp":             {[]issuer.Change{issuer.Without("exp")}, "invalid_claim"},
		"exp text":           {claim("exp", "never"), "invalid_claim"},
		"no iat":             {[]issuer.Change{issuer.Without("iat")}, "invalid_claim"},
		"iat ahead":          {claim("iat", in(time.Minute)), "token_not_yet_valid"},
		"nbf ahead":          {claim("nbf", in(time.Minute)), "token_not_yet_valid"},
		"lives for years":    {claim("exp", in(100000*time.Hour)), "token_lifetime_too_long"},
		"no sub":             {[]issuer.Change{issuer.Without("sub")}, "invalid_claim"},
		"empty sub":          {claim("sub", ""), "invalid_claim"},
		"sub a number":       {claim("sub", 7), "invalid_claim"},
		"sub a control":      {claim("sub", "a\nb"), "invalid_user_id"},
		"other nonce":        {claim("nonce", "nonce-of-another-attempt"), "login_failed"},
		"no nonce":           {[]issuer.Change{issuer.Without("nonce")}, "login_failed"},
		"nonce in a list":    {claim("nonce", []string{attempt().Nonce}), "invalid_claim"},
		"other at_hash":      {claim("at_hash", half(make([]byte, 32))), "login_failed"},
		"empty at_hash":      {claim("at_hash", ""), "login_failed"},
		"whole at_hash":      {claim("at_hash", base64.RawURLEncoding.EncodeToString(sum[:])), "login_failed"},
		"claim without home": {claim("_claim_names", map[string]any{"photo": "nowhere"}), "invalid_claim"},
		"huge":               {claim("filler", strings.Repeat("x", 300000)), "token_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, nil)
			f.p.id = c.changes
			l, err := f.login(t, nil)
			if code(err) != c.want || (l == nil) != (c.want != "") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			shown(t, err)
		})
	}
}

// TestTextsOfIDTokens is what no encoder would write.
func TestTextsOfIDTokens(t *testing.T) {
	f := start(t, nil)
	now := f.clock.Now().Unix()
	good := fmt.Sprintf(`"iss":%q,"aud":%q,"iat":%d,"exp":%d,"nonce":%q`, f.p.URL(), clientID, now, now+60, attempt().Nonce)
	head, err := json.Marshal(map[string]any{"alg": "ES256", "kid": "es256"})
	if err != nil {
		t.Fatal(err)
	}
	for payload, want := range map[string]string{
		`{` + good + `,"sub":"alice"}`:                  "",
		`{` + good + `,"sub":"alice","sub":"bob"}`:      "malformed_token",
		`{` + good + `,"sub":"alice","\u0073ub":"bob"}`: "malformed_token",
		`{` + good + `,"SUB":"alice"}`:                  "invalid_claim",
		`{` + good + `,"sub":"alice"}x`:                 "malformed_token",
		`[]`:                                            "malformed_token",
		"\ufeff{" + good + `,"sub":"alice"}`:            "malformed_token",
		`{` + good + `,"sub":"al` + "\xff" + `ice"}`:    "malformed_token",
	} {
		f.p.set(func() {
			f.p.extra["id_token"] = issuer.SignRaw(f.p.Key("es256"), head, []byte(payload))
		})
		if _, err := f.login(t, nil); code(err) != want {
			t.Errorf("%s: %v, want %q", payload, err, want)
		}
	}
	// What another decoder might fold is two claims here, of which only one counts.
	f.p.set(func() {
		f.p.extra["id_token"] = issuer.SignRaw(f.p.Key("es256"), head, []byte(`{`+good+`,"sub":"alice","Sub":"bob"}`))
	})
	if l, err := f.login(t, nil); err == nil && l.Person.Subject != "alice" {
		t.Errorf("a look-alike made it %q", l.Person.Subject)
	}
}

func TestAccessTokenHashes(t *testing.T) {
	h256, h512 := sha256.Sum256([]byte("opaque-access-token")), sha512.Sum512([]byte("opaque-access-token"))
	h384 := sha512.Sum384([]byte("opaque-access-token"))
	for algorithm, sum := range map[string][]byte{"RS256": h256[:], "ES384": h384[:], "ES512": h512[:], "EdDSA": h512[:], "Ed25519": h512[:]} {
		clock := authtest.NewClock()
		p := newProvider(t, clock, keyset.Canonical(algorithm))
		f := fixture{clock, p, open(t, authtest.NewEnv(t, clock), p, func(c *oidc.Config) { c.Algorithms = []string{algorithm} })}
		p.id = []issuer.Change{issuer.Claim("at_hash", half(sum)), issuer.Header("alg", algorithm)}
		if _, err := f.login(t, nil); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		p.set(func() { p.extra["access_token"] = "opaque-another" })
		if _, err := f.login(t, nil); code(err) != "login_failed" {
			t.Errorf("%s, another access token: %v", algorithm, err)
		}
	}
}
