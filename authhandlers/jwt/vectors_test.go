package jwt_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// row is one row of testdata/jwts.json: a change to a good token, as a recipe.
type row struct {
	ID, Name, Expect, Why string
	Header, Claims        map[string]any
	SignWith              string  `json:"sign_with"`
	SignHash              string  `json:"sign_hash"`
	HMACKey               string  `json:"hmac_key"`
	Signature             *string `json:"signature"`
	Payload               string
	ClaimsJSON            string  `json:"claims_json"`
	ClaimsBytes           string  `json:"claims_bytes"`
	HeaderJSON            string  `json:"header_json"`
	Form                  *string `json:"form"`
	JWKS                  string
}

// atTheProxy are the rows about the Authorization field, which a handler never
// sees: the proxy's own test must hold them. What a handler would say to such a
// text, should the proxy hand it over, is tested here as well.
func atTheProxy() []string {
	return []string{"jw-164", "jw-165", "jw-176", "jw-194", "jw-195", "jw-196", "jw-197", "jw-198"}
}

func readRows(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/jwts.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Rows []row }
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Rows) != 202 {
		t.Fatalf("%d rows, want 202", len(doc.Rows))
	}
	return doc.Rows
}

// bench is what the rows are tested on: one issuer with three keys, and a second.
type bench struct {
	clock *authtest.Clock
	keys  map[string]*issuer.Key
}

func newBench(t *testing.T) *bench {
	b := &bench{clock: authtest.NewClock(), keys: map[string]*issuer.Key{}}
	for id, algorithm := range map[string]string{"rsa1": "RS256", "ec1": "ES256", "ed1": "EdDSA", "attacker": "RS256"} {
		b.keys[id] = newKey(t, id, algorithm)
	}
	return b
}

func (b *bench) published() []map[string]any {
	return []map[string]any{b.keys["rsa1"].JWK(), b.keys["ec1"].JWK(), b.keys["ed1"].JWK()}
}

// setting is one configuration that a row is tried with, and what it must say:
// accept, reject, or either.
type setting struct {
	name   string
	want   string
	change func(*jwt.Config)
	jwks   []map[string]any
	groups []string // of an accepted token, if the setting names a claim for them
	// siblings adds lax handlers of the same issuer.
	siblings bool
	// carrier takes the token from a place of its own.
	carrier jwt.Carrier
}

func (b *bench) chain(t *testing.T, s setting) *authhandlers.Chain {
	t.Helper()
	jwks := s.jwks
	if jwks == nil {
		jwks = b.published()
	}
	first := open(t, authtest.NewEnv(t, b.clock), keySet(t, jwks...), func(c *jwt.Config) {
		if c.Carrier = s.carrier; s.change != nil {
			s.change(c)
		}
	})
	other := newKey(t, "ec1", "ES256")
	second := open(t, authtest.NewEnv(t, b.clock), keySet(t, other.JWK()), func(c *jwt.Config) { c.Issuer = "https://second.example" })
	handlers := []authhandlers.AuthHandler{first, second}
	if s.siblings {
		handlers = append(handlers, b.siblings(t)...)
	}
	return chain(t, b.clock, handlers...)
}

// siblings are lax handlers of the same issuer, for other tokens than the first one's.
func (b *bench) siblings(t *testing.T) []authhandlers.AuthHandler {
	t.Helper()
	t.Setenv("SIBLING_SECRET", "a secret of thirty-two bytes or more")
	c := jwt.NewConfig()
	c.Issuer, c.Audiences, c.Keys.Secret.Env, c.AcceptIDTokens = issuerName, []string{audience}, "SIBLING_SECRET", true
	lax := func(c *jwt.Config) { c.Audiences, c.AcceptIDTokens = []string{"siblings-only"}, true }
	client := func(c *jwt.Config) {
		c.InsecureAnyAudience, c.Audiences, c.Clients = true, nil, []string{"siblings-only"}
	}
	env := authtest.NewEnv(t, b.clock)
	return []authhandlers.AuthHandler{
		openConfig(t, env, c), open(t, env, keySet(t, b.published()...), lax), open(t, env, keySet(t, b.published()...), client),
	}
}

// configured says for each row that hangs on an option what either value does.
func (b *bench) configured() map[string][]setting {
	strict := func(c *jwt.Config) { c.RequireTyp = "at+jwt" }
	byEmail := func(c *jwt.Config) { c.UserID = "email" }
	byRoles := func(c *jwt.Config) { c.Groups = "roles" }
	second := map[string]any{}
	maps.Copy(second, b.keys["attacker"].JWK())
	return map[string][]setting{
		"jw-006": {{name: "default", want: "accept"}, {name: "strict", want: "reject", change: strict}},
		"jw-036": {
			{name: "one key", want: "accept", jwks: b.published()[:1]},
			{name: "one key that fits", want: "accept"},
			{name: "two keys that fit", want: "reject", jwks: append(b.published(), second)},
		},
		"jw-064": {
			{name: "default", want: "reject"},
			{name: "accepted", want: "accept", change: func(c *jwt.Config) { c.AcceptIDTokens = true }},
		},
		"jw-091": {{name: "default", want: "accept"}, {name: "strict", want: "reject", change: strict}},
		"jw-123": {
			{name: "default", want: "accept"},
			{name: "clients", want: "reject", change: func(c *jwt.Config) { c.Clients = []string{"web"} }},
		},
		"jw-153": {{name: "default", want: "accept"}, {name: "by e-mail", want: "reject", change: byEmail}},
		"jw-154": {{name: "default", want: "accept"}, {name: "by e-mail", want: "reject", change: byEmail}},
		"jw-155": {
			{name: "default", want: "accept", change: byRoles},
			{name: "words", want: "accept", groups: []string{"admin"}, change: func(c *jwt.Config) {
				c.Groups, c.GroupsSeparator = "roles", "space"
			}},
		},
	}
}

// settings returns with what a row is tried.
func (b *bench) settings(r row) []setting {
	switch r.ID {
	case "jw-008": // also where the algorithm is allowed but not the key's
		return []setting{{want: "reject"}, {name: "allowed", want: "reject", change: allow("RS256", "PS256")}}
	case "jw-031":
		return []setting{{want: "reject"}, {name: "allowed", want: "reject", change: allow("RS256", "RS384")}}
	case "jw-045":
		twin := b.keys["ec1"].JWK()
		twin["kid"] = "rsa1"
		return []setting{{want: "accept", jwks: []map[string]any{twin, b.keys["rsa1"].JWK()}}}
	case "jw-152":
		return []setting{{want: "reject", change: func(c *jwt.Config) { c.UserID = "email" }}}
	case "jw-156", "jw-158":
		return []setting{{want: r.Expect, change: func(c *jwt.Config) { c.Groups = "roles" }}}
	case "jw-157":
		return []setting{{want: "accept", groups: []string{"Admin"}, change: func(c *jwt.Config) { c.Groups = "roles" }}}
	}
	if r.Expect == "configured" {
		return b.configured()[r.ID]
	}
	return []setting{{want: r.Expect}}
}

func allow(algorithms ...string) func(*jwt.Config) {
	return func(c *jwt.Config) { c.Algorithms = algorithms }
}

func TestVectors(t *testing.T) {
	b := newBench(t)
	controls, joined := regexp.MustCompile(`[\x00-\x1f\x7f]`), regexp.MustCompile(`\nh\d: `)
	for _, r := range readRows(t) {
		if r.JWKS != "" && r.ID != "jw-045" {
			continue // TestVectorsOfKeySets
		}
		settings := b.settings(r)
		if len(settings) == 0 {
			t.Errorf("%s %s: no setting says what is expected", r.ID, r.Name)
		}
		for _, s := range slices.Concat(settings, beside(settings), carried(settings)) {
			t.Run(strings.TrimSpace(r.ID+" "+s.name), func(t *testing.T) {
				token, ok := b.token(t, r)
				if !ok {
					t.Skip("at the proxy")
				}
				began := time.Now()
				u, err := b.chain(t, s).Authenticate(t.Context(), presenting(s.carrier, token))
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				got := code(err)
				switch {
				case strings.HasPrefix(got, "fault"), strings.HasPrefix(got, "no credential"):
					t.Fatalf("%s: %s", r.Name, got)
				case s.want == "accept" && err != nil:
					t.Fatalf("%s: %v", r.Name, err)
				case s.want == "reject" && err == nil:
					t.Fatalf("%s: accepted as %s", r.Name, u.ID)
				case err != nil && controls.MatchString(joined.ReplaceAllString(err.Error(), " ")):
					t.Errorf("%s: a control character in %q", r.Name, err)
				case err == nil:
					b.checkPerson(t, r, s, u)
				}
			})
		}
	}
}

// beside returns the same settings with further handlers of the issuer, which must
// change no answer.
func beside(settings []setting) []setting {
	var all []setting
	for _, s := range settings {
		s.name, s.siblings = strings.TrimSpace(s.name+" beside siblings"), true
		all = append(all, s)
	}
	return all
}

// carried returns the same settings with the token in a header of its own, which must
// change no answer.
func carried(settings []setting) []setting {
	var all []setting
	for _, s := range settings {
		s.name, s.carrier = strings.TrimSpace(s.name+" in a carrier"), jwt.Carrier{Header: "X-Edge-Token"}
		all = append(all, s)
	}
	return all
}

func (b *bench) checkPerson(t *testing.T, r row, s setting, u *authhandlers.AuthUserInfo) {
	t.Helper()
	want := "alice"
	if sub, ok := r.Claims["sub"].(string); ok {
		want, _ = authhandlers.UserID("", sub)
	}
	if u.ID != want || u.Issuer != issuerName {
		t.Errorf("%s is %q of %q, want %q", r.Name, u.ID, u.Issuer, want)
	}
	if strings.Join(u.Groups, ",") != strings.Join(s.groups, ",") {
		t.Errorf("%s: groups %q, want %q", r.Name, u.Groups, s.groups)
	}
}

// TestVectorsLeftToTheProxy keeps the list of atTheProxy honest: each is a row.
func TestVectorsLeftToTheProxy(t *testing.T) {
	known := map[string]bool{}
	for _, r := range readRows(t) {
		known[r.ID] = true
	}
	for _, id := range atTheProxy() {
		if !known[id] {
			t.Errorf("%s is no row", id)
		}
	}
}
