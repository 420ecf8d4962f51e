package jwt_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

func good() *jwt.Config {
	c := jwt.NewConfig()
	c.Issuer, c.Audiences = "https://idp.example.com", []string{"cat"}
	c.Keys.JWKSURL = "https://idp.example.com/jwks"
	return c
}

// fields returns the fields of all mistakes.
func fields(t *testing.T, err error) []string {
	t.Helper()
	var out []string
	joined, ok := err.(interface{ Unwrap() []error })
	if err != nil && !ok {
		t.Fatalf("not joined: %v", err)
	}
	if err == nil {
		return nil
	}
	for _, e := range joined.Unwrap() {
		var f *authhandlers.FieldError
		if !errors.As(e, &f) {
			t.Fatalf("%v is no FieldError", e)
		}
		if f.Problem == "" {
			t.Errorf("%s: no problem is named", f.Field)
		}
		out = append(out, f.Field)
	}
	return out
}

func TestValidate(t *testing.T) {
	secret := value.Secret{Env: "JWT_SECRET"}
	for _, c := range []struct {
		name   string
		change func(*jwt.Config)
		want   string // the fields with mistakes
	}{
		{"good", func(*jwt.Config) {}, ""},
		{"loopback issuer", func(c *jwt.Config) { c.Issuer = "http://127.0.0.1:8081/realms/cat" }, ""},
		{"any audience", func(c *jwt.Config) { c.Audiences, c.InsecureAnyAudience = nil, true }, ""},
		{"secret", func(c *jwt.Config) { c.Keys.JWKSURL, c.Keys.Secret = "", secret }, ""},
		{"secret and HS512", func(c *jwt.Config) { c.Keys.JWKSURL, c.Keys.Secret, c.Algorithms = "", secret, []string{"HS512"} }, ""},
		{"claim that is an address", func(c *jwt.Config) { c.Groups = "https://example.com/roles" }, ""},
		{"words", func(c *jwt.Config) { c.Groups, c.GroupsSeparator = "scope", "space" }, ""},

		{"nothing", func(c *jwt.Config) { *c = *jwt.NewConfig() }, "issuer audiences keys"},
		{"the zero value", func(c *jwt.Config) { *c = jwt.Config{} }, "issuer audiences keys keys.lifetime keys.cooldown user_id max_lifetime"},
		{"issuer that is no address", func(c *jwt.Config) { c.Issuer = "urn:example:idp" }, ""},
		{"issuer that is a bare name", func(c *jwt.Config) { c.Issuer = "idp.example.com" }, ""},
		{"issuer of another scheme", func(c *jwt.Config) { c.Issuer = "spiffe://example.org/idp" }, ""},
		{"issuer with a space", func(c *jwt.Config) { c.Issuer = "my idp" }, "issuer"},
		{"issuer with a line end", func(c *jwt.Config) { c.Issuer = "idp\n" }, "issuer"},
		{"issuer too long", func(c *jwt.Config) { c.Issuer = strings.Repeat("i", 513) }, "issuer"},
		{"issuer without host", func(c *jwt.Config) { c.Issuer = "https://" }, "issuer"},
		{"issuer by HTTP", func(c *jwt.Config) { c.Issuer = "HTTP://idp.example.com" }, "issuer"},
		{"addresses in lower case", func(c *jwt.Config) { c.UserID, c.EmailCase = "email", "lower" }, ""},
		{"addresses as they are", func(c *jwt.Config) { c.UserID, c.EmailCase = "email", "keep" }, ""},
		{"addresses somehow", func(c *jwt.Config) { c.UserID, c.EmailCase = "email", "fold" }, "email_case"},
		{"case of no address", func(c *jwt.Config) { c.EmailCase = "lower" }, "email_case"},
		{"issuer by http", func(c *jwt.Config) { c.Issuer = "http://idp.example.com" }, "issuer"},
		{"issuer with a query", func(c *jwt.Config) { c.Issuer = "https://idp.example.com?a=b" }, "issuer"},
		{"issuer with a fragment", func(c *jwt.Config) { c.Issuer = "https://idp.example.com#a" }, "issuer"},
		{"keys by http", func(c *jwt.Config) { c.Keys.JWKSURL = "http://idp.example.com/jwks" }, "keys.jwks_url"},
		{"authorities", func(c *jwt.Config) { c.Keys.CAFile = "ca.pem" }, ""},
		{"authorities of keys by http", func(c *jwt.Config) { c.Keys.JWKSURL, c.Keys.CAFile = "http://127.0.0.1/keys", "ca.pem" }, "keys.ca_file"},
		{"empty audience", func(c *jwt.Config) { c.Audiences = []string{"cat", ""} }, "audiences[1]"},
		{"audience twice", func(c *jwt.Config) { c.Audiences = []string{"cat", "cat"} }, "audiences[1]"},
		{"audiences and any", func(c *jwt.Config) { c.InsecureAnyAudience = true }, "insecure_any_audience"},
		{"empty client", func(c *jwt.Config) { c.Clients = []string{""} }, "clients[0]"},
		{"two sources", func(c *jwt.Config) { c.Keys.PEMFile = "k.pem" }, "keys"},
		{"no source", func(c *jwt.Config) { c.Keys.JWKSURL = "" }, "keys"},
		{"secret of two places", func(c *jwt.Config) {
			c.Keys.JWKSURL, c.Keys.Secret = "", value.Secret{Env: "A", File: "b"}
		}, "keys.secret"},
		{"none", func(c *jwt.Config) { c.Algorithms = []string{"none"} }, "algorithms[0]"},
		{"in lower case", func(c *jwt.Config) { c.Algorithms = []string{"RS256", "es256"} }, "algorithms[1]"},
		{"algorithm twice", func(c *jwt.Config) { c.Algorithms = []string{"RS256", "RS256"} }, "algorithms[1]"},
		{"HS256 with public keys", func(c *jwt.Config) { c.Algorithms = []string{"HS256"} }, "algorithms[0]"},
		{"RS256 with a secret", func(c *jwt.Config) {
			c.Keys.JWKSURL, c.Keys.Secret, c.Algorithms = "", secret, []string{"HS256", "RS256"}
		}, "algorithms[1]"},
		{"leeway too long", func(c *jwt.Config) { c.Leeway = value.Duration(121 * time.Second) }, "leeway"},
		{"cool-down too short", func(c *jwt.Config) { c.Keys.Cooldown = value.Duration(time.Second) }, "keys.cooldown"},
		{"lifetime too short", func(c *jwt.Config) { c.Keys.Lifetime = value.Duration(time.Second) }, "keys.lifetime"},
		{"stale before old", func(c *jwt.Config) { c.Keys.StaleIfError = value.Duration(time.Minute) }, "keys.stale_if_error"},
		{"typ", func(c *jwt.Config) { c.RequireTyp = "JWT" }, "require_typ"},
		{"separator", func(c *jwt.Config) { c.Groups, c.GroupsSeparator = "g", "," }, "groups_separator"},
		{"separator without groups", func(c *jwt.Config) { c.GroupsSeparator = "space" }, "groups_separator"},
		{"path", func(c *jwt.Config) { c.Groups = "a..b" }, "groups"},
		{"no user id", func(c *jwt.Config) { c.UserID = "" }, "user_id"},
		{"all at once", func(c *jwt.Config) {
			c.Issuer, c.Audiences, c.Algorithms, c.UserID = "http://x", nil, []string{"none"}, "."
		}, "issuer audiences algorithms[0] user_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := good()
			c.change(config)
			err := config.Validate()
			if got := strings.Join(fields(t, err), " "); got != c.want {
				t.Errorf("%q, want %q: %v", got, c.want, err)
			}
			if _, openErr := authhandlers.Open(t.Context(), config, authtest.NewEnv(t, authtest.NewClock())); err != nil && openErr == nil {
				t.Error("opened although it is not valid")
			}
		})
	}
}

// TestDefaults holds that a configuration made in Go has the file's defaults.
func TestDefaults(t *testing.T) {
	var check func(prefix string, v reflect.Value)
	check = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := prefix + f.Tag.Get("yaml")
			if name == prefix {
				t.Errorf("%s%s has no yaml tag", prefix, f.Name)
			}
			if f.Type == reflect.TypeFor[jwt.Keys]() {
				check(name+".", v.Field(i))
				continue
			}
			want, ok := f.Tag.Lookup("default")
			if !ok && !v.Field(i).IsZero() {
				t.Errorf("%s: %v in Go, no default in the file", name, v.Field(i))
			}
			if d, err := time.ParseDuration(want); err == nil {
				want = value.Duration(d).String() // 60s and 1m are one
			}
			if got := fmt.Sprint(v.Field(i).Interface()); ok && got != want {
				t.Errorf("%s: %s in Go, %s in the file", name, got, want)
			}
		}
	}
	check("", reflect.ValueOf(*jwt.NewConfig()))
}

func TestInspect(t *testing.T) {
	rsa, ec := newKey(t, "r", "RS256"), newKey(t, "e", "ES256")
	t.Setenv("CATFLAP_TEST_SHORT", strings.Repeat("x", 31))
	t.Setenv("CATFLAP_TEST_LONG", strings.Repeat("x", 32))
	secret := func(name string) func(*jwt.Config) {
		return func(c *jwt.Config) { c.Keys.Secret = value.Secret{Env: name} }
	}
	jwks := func(path value.Path, algorithms ...string) func(*jwt.Config) {
		return func(c *jwt.Config) { c.Keys.JWKSFile, c.Algorithms = path, algorithms }
	}
	for _, c := range []struct {
		name   string
		change func(*jwt.Config)
		want   string
	}{
		{"URL", func(c *jwt.Config) { c.Keys.JWKSURL = "https://unreachable.invalid/jwks" }, ""},
		{"key set", jwks(keySet(t, rsa.JWK())), ""},
		{"key set of other keys", jwks(keySet(t, rsa.JWK()), "ES256"), "keys.jwks_file"},
		{"key set of other keys beside", jwks(keySet(t, rsa.JWK(), ec.JWK()), "ES256"), ""},
		{"no key set", jwks(write(t, "x", []byte("{}"))), "keys.jwks_file"},
		{"no file", jwks("/nonexistent/keys.json"), "keys.jwks_file"},
		{"no PEM", func(c *jwt.Config) { c.Keys.PEMFile = write(t, "x", []byte("x")) }, "keys.pem_file"},
		{"secret", secret("CATFLAP_TEST_LONG"), ""},
		{"short secret", secret("CATFLAP_TEST_SHORT"), "keys.secret"},
		{"unset secret", secret("CATFLAP_TEST_UNSET"), "keys.secret"},
		{"secret too short for HS512", func(c *jwt.Config) {
			secret("CATFLAP_TEST_LONG")(c)
			c.Algorithms = []string{"HS256", "HS512"}
		}, "keys.secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := good()
			config.Keys.JWKSURL = ""
			c.change(config)
			err := config.Inspect()
			if got := strings.Join(fields(t, err), " "); got != c.want {
				t.Errorf("%q, want %q: %v", got, c.want, err)
			}
			if err != nil && strings.Contains(err.Error(), "xxxx") {
				t.Errorf("the secret is shown: %v", err)
			}
			if config.Keys.JWKSURL == "" {
				if _, openErr := authhandlers.Open(t.Context(), config, authtest.NewEnv(t, authtest.NewClock())); (openErr == nil) != (err == nil) &&
					c.name != "key set of other keys" {
					t.Errorf("Open says %v", openErr)
				}
			}
		})
	}
}

func TestAbilities(t *testing.T) {
	c := good()
	if got := c.IdentitySource(); got != "https://idp.example.com sub" {
		t.Errorf("identity source %q", got)
	}
	if c.YieldsGroups() {
		t.Error("groups without a claim")
	}
	c.Groups = "groups"
	if !c.YieldsGroups() {
		t.Error("no groups with a claim")
	}
	one, two := builtin.Registry(), builtin.Registry()
	delete(one, "jwt")
	if _, ok := two["jwt"]().(*jwt.Config); !ok {
		t.Error("the registry has no jwt, or is shared")
	}
}

// TestHints holds that each mistake says what to write instead, in one line.
func TestHints(t *testing.T) {
	c := &jwt.Config{RequireTyp: "x", GroupsSeparator: "x", Algorithms: []string{"x"}, Leeway: value.Duration(time.Hour)}
	for _, e := range c.Validate().(interface{ Unwrap() []error }).Unwrap() {
		var f *authhandlers.FieldError
		if !errors.As(e, &f) || f.Hint == "" || slices.Contains([]byte(f.Hint), '\n') {
			t.Errorf("%v: hint %q", e, f.Hint)
		}
	}
}
