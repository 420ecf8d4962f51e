package jwt_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// typical is the change that makes a token as Keycloak's are: 36 octets of sub and
// sid, a name, three roles.
func typical(n int) []issuer.Change {
	return []issuer.Change{
		issuer.Claim("sub", fmt.Sprintf("a11ce000-0000-4000-8000-%012d", n)),
		issuer.Claim("sid", fmt.Sprintf("5e551000-0000-4000-8000-%012d", n)),
		issuer.Claim("name", "Alice Tester"),
		issuer.Claim("realm_access", map[string]any{"roles": []string{"cat-admin", "cat-user", "offline_access"}}),
		issuer.Claim("email", "alice@example.test"), issuer.Claim("scope", "openid profile email"),
	}
}

func byRealmRoles(c *jwt.Config) { c.Groups = "realm_access.roles" }

// TestHitAllocates holds that a remembered token costs next to no memory.
func TestHitAllocates(t *testing.T) {
	_, idp, h := local(t, nil, byRealmRoles)
	r := authtest.Bearer(idp.Token("", typical(1)...))
	ask := func() {
		if _, err := h.Authenticate(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if n := testing.AllocsPerRun(100, ask); n > 2 {
		t.Errorf("%v allocations for a remembered token, 2 are allowed", n)
	}
}

// TestBytesPerEntry measures the live heap of a remembered token.
func TestBytesPerEntry(t *testing.T) {
	const people = 5000
	_, idp, h := local(t, func(e *authhandlers.Env) { e.CachedTokens = people }, byRealmRoles)
	fill := func(from int) {
		for n := range people {
			if _, err := h.Authenticate(t.Context(), authtest.Bearer(idp.Token("", typical(from+n)...))); err != nil {
				t.Fatal(err)
			}
		}
	}
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	fill(0)
	each := (live() - before) / people
	runtime.KeepAlive(h)
	t.Logf("%d bytes for each remembered token", each)
	if each > 512 {
		t.Errorf("%d bytes for each remembered token, 512 are allowed", each)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	e := authtest.NewEvents()
	clock, idp, h := local(b, func(env *authhandlers.Env) { env.Observe = e.Observe }, byRealmRoles)
	uncached := open(b, func() authhandlers.Env {
		env := authtest.NewEnv(b, clock)
		env.CachedTokens = 0
		return env
	}(), write(b, "keys.json", idp.JWKS()), func(c *jwt.Config) { c.Issuer = idp.URL(); byRealmRoles(c) })
	forged := idp.Token("", append(typical(1), issuer.ForgedBy(newKey(b, "es256", "ES256")))...)
	for _, c := range []struct {
		name  string
		h     authhandlers.AuthHandler
		token string
	}{
		{"hit", h, idp.Token("", typical(1)...)},
		{"miss", uncached, idp.Token("", typical(1)...)},
		{"forged again", h, forged},
		{"expired", h, idp.Token("", append(typical(1), idp.Lifetime(-time.Hour))...)},
		{"other issuer", h, idp.Token("", append(typical(1), issuer.Claim("iss", "https://x.example"))...)},
		{"unknown kid", h, idp.Token("", append(typical(1), issuer.Header("kid", "x"))...)},
		{"garbage", h, strings.Repeat("garbage", 100)},
		{"dots", h, "ey" + strings.Repeat(".", 16000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := authtest.Bearer(c.token)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.h.Authenticate(b.Context(), r)
			}
		})
	}
}

// FuzzAuthenticate holds that no text is accepted but the one good token, and that
// what refuses is no fault.
func FuzzAuthenticate(f *testing.F) {
	_, idp, h := local(f, nil, byRealmRoles)
	good := idp.Token("alice")
	k := idp.Key("es256")
	for _, s := range []string{
		good, good[:len(good)-1], "", "..", "ey..", "eyJhbGciOiJub25lIn0.e30.", strings.Replace(good, ".", "..", 1),
		issuer.SignRaw(k, []byte(`{"alg":"ES256","kid":"es256"}`), []byte(`{"iss":"`+idp.URL()+`","sub":"\ud800"}`)),
		issuer.SignRaw(k, []byte(`{"alg":"ES256","kid":"es256"}`), []byte(`{"iss":"`+idp.URL()+`","exp":1e999}`)),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := authtest.Bearer("x")
		r.Credential.Value = text
		u, err := h.Authenticate(t.Context(), r)
		switch got := code(err); {
		case err == nil && text != good:
			t.Fatalf("%q is accepted as %q", text, u.Subject)
		case strings.HasPrefix(got, "fault"):
			t.Fatalf("%q: %s", text, got)
		}
	})
}
