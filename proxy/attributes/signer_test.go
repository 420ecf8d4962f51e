package attributes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/attributes"
)

type fixture struct {
	*attributes.Signer
	now time.Time
	log bytes.Buffer
}

func newFixture(t testing.TB, claims ...string) *fixture {
	t.Helper()
	keys, err := attributes.NewKeys([][]byte{secret(1), secret(2)})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{now: time.Unix(1_800_000_000, 0)}
	f.Signer, err = attributes.New(attributes.Options{
		Keys: keys, Issuer: "https://chat.example.com", Claims: claims, Lifetime: 2 * time.Minute,
		Now: func() time.Time { return f.now }, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	const want = "attributes.Options has no Claims, Issuer, Keys, Lifetime, Log, Now"
	if _, err := attributes.New(attributes.Options{}); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func secret(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func (f *fixture) token(t testing.TB, u *authhandlers.AuthUserInfo) string {
	t.Helper()
	token, err := f.Token(u)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// read verifies a token by the published keys, as a plugin does.
func (f *fixture) read(t testing.TB, token string) jwt.MapClaims {
	t.Helper()
	public := keysOf(t, f.Keys().JWKS())
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, func(got *jwt.Token) (any, error) { return public[got.Header["kid"].(string)], nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience(attributes.Audience), jwt.WithIssuer("https://chat.example.com"),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return f.now }))
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Header["typ"] != "catflap-attributes+jwt" {
		t.Errorf("typ %v", parsed.Header["typ"])
	}
	return claims
}

func alice() *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{
		ID: "staff:alice", Name: "Alice", Issuer: "https://idp.example.com", Subject: "alice", Groups: []string{"/cat-users"},
		Claims: map[string][]string{"email": {"alice@example.com"}, "email_verified": {"true"}, "roles": {"one"}, "department": {"x", "y"}},
	}
}

func TestToken(t *testing.T) {
	f := newFixture(t, "name", "email", "email_verified", "groups", "roles", "department", "missing", "nickname")
	got := f.read(t, f.token(t, alice()))
	want := `{"aud":"cheshire-cat","department":["x","y"],"email":"alice@example.com","email_verified":true,"exp":1800000120,"groups":["/cat-users"],"iat":1800000000,"iss":"https://chat.example.com","name":"Alice","roles":["one"],"sub":"staff:alice"}`
	if text, _ := json.Marshal(got); string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
}

// TestNothingElseIsTold: neither what is not chosen nor a list where a text is meant.
func TestNothingElseIsTold(t *testing.T) {
	f := newFixture(t, "groups", "email", "email_verified")
	u := alice()
	u.Groups, u.Claims = nil, map[string][]string{"email": {"a@example.com", "b@example.com"}, "email_verified": {"yes"}, "secret": {"x"}}
	got := f.read(t, f.token(t, u))
	if text, _ := json.Marshal(got); string(text) != `{"aud":"cheshire-cat","email_verified":false,"exp":1800000120,"groups":[],"iat":1800000000,"iss":"https://chat.example.com","sub":"staff:alice"}` {
		t.Errorf("%s", text)
	}
}

// TestSignedOncePerHalfLife: and at once when something about the person has changed.
func TestSignedOncePerHalfLife(t *testing.T) {
	f := newFixture(t, "groups")
	first := f.token(t, alice())
	f.now = f.now.Add(59 * time.Second)
	if f.token(t, alice()) != first {
		t.Error("signed again within half of the lifetime")
	}
	changed := alice()
	changed.Groups = []string{"/others"}
	if got := f.read(t, f.token(t, changed)); fmt.Sprint(got["groups"]) != "[/others]" {
		t.Errorf("groups %v", got["groups"])
	}
	other := alice()
	other.ID = "guest:alice"
	if got := f.read(t, f.token(t, other)); got["sub"] != "guest:alice" {
		t.Errorf("sub %v", got["sub"])
	}
	f.token(t, alice())
	f.now = f.now.Add(61 * time.Second)
	second := f.token(t, alice())
	if second == first {
		t.Error("not signed again")
	}
	f.read(t, second)
}

// TestTooMuch: 300 groups go out; where they are too long, they are left out by name, and
// the log says so once.
func TestTooMuch(t *testing.T) {
	f := newFixture(t, "name", "groups", "roles")
	u := alice()
	u.Groups = groups(300, 50)
	if got := f.read(t, f.token(t, u)); len(got["groups"].([]any)) != 300 || got["left_out"] != nil {
		t.Errorf("%v", got)
	}
	for range 3 {
		u.Groups = groups(5000, 50)
		token := f.token(t, u)
		if got := f.read(t, token); got["groups"] != nil || fmt.Sprint(got["left_out"]) != "[groups]" || got["name"] != "Alice" || len(token) > 24<<10 {
			t.Errorf("%v", got)
		}
	}
	if n := strings.Count(f.log.String(), "left out"); n != 1 {
		t.Errorf("the log says it %d times: %s", n, &f.log)
	}
	u.Name = strings.Repeat("x", 20<<10)
	u.Claims["roles"] = groups(1000, 50)
	got := f.read(t, f.token(t, u))
	if left := fmt.Sprint(got["left_out"]); left != "[groups roles name]" {
		t.Errorf("left out %s", left)
	}
}

func groups(n, length int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%0*d", length, i)
	}
	return list
}

// TestOneTokenForOne: many people at once, each with a token of their own.
func TestOneTokenForOne(t *testing.T) {
	f := newFixture(t, "name")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				id := fmt.Sprintf("staff:%d", (n*7+i)%50)
				u := &authhandlers.AuthUserInfo{ID: id, Issuer: "i", Subject: id, Name: id}
				token, err := f.Token(u)
				claims := jwt.MapClaims{}
				if err == nil {
					_, _, err = jwt.NewParser().ParseUnverified(token, claims)
				}
				if err != nil || claims["sub"] != id || claims["name"] != id {
					t.Errorf("%s: %v, %v", id, claims, err)
				}
			}
		})
	}
	all.Wait()
}

func TestRefuseClaim(t *testing.T) {
	for _, name := range []string{"", "sub", "iss", "aud", "exp", "iat", "nbf", "jti", "left_out", "a..b", ".a", "a.", strings.Repeat("a", 201)} {
		if attributes.RefuseClaim(name) == "" {
			t.Errorf("%q is taken", name)
		}
	}
	for _, name := range []string{"name", "groups", "email", "realm_access.roles", `a.b\.c`, "https://example.com/roles"} {
		if reason := attributes.RefuseClaim(name); reason != "" {
			t.Errorf("%q %s", name, reason)
		}
	}
	if got := attributes.FromProvider([]string{"name", "email", "groups", "roles"}); !slices.Equal(got, []string{"email", "roles"}) {
		t.Errorf("%v", got)
	}
}

func BenchmarkToken(b *testing.B) {
	for _, n := range []int{3, 300} {
		b.Run(fmt.Sprint(n, " groups"), func(b *testing.B) {
			f := newFixture(b, "name", "email", "groups")
			u := alice()
			u.Groups = groups(n, 36)
			for b.Loop() {
				if _, err := f.Token(u); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestRememberedIsBounded: however many come, so much is kept and no more, and the newest is.
func TestRememberedIsBounded(t *testing.T) {
	f := newFixture(t, "groups")
	long := []string{strings.Repeat("x", 16<<10)}
	person := func(n int) *authhandlers.AuthUserInfo {
		id := fmt.Sprintf("staff:%d", n)
		return &authhandlers.AuthUserInfo{ID: id, Issuer: "i", Subject: id, Groups: long}
	}
	const people = 800
	for n := range people {
		f.token(t, person(n))
	}
	if kept := f.Remembered(); kept > 16<<20 || kept < 15<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
	last := f.token(t, person(people-1))
	f.now = f.now.Add(time.Second)
	if f.token(t, person(people-1)) != last {
		t.Error("the newest was forgotten")
	}
}
