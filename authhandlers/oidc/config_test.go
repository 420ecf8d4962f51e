package oidc_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/authhandlers/oidc"
	"github.com/catflap/catflap/config/value"
)

func good() *oidc.Config {
	c := oidc.NewConfig()
	c.Issuer, c.ClientID = "https://idp.example.com/realms/staff", clientID
	c.ClientSecret.Env = "OIDC_TEST_SECRET"
	c.Audiences = []string{"catflap"}
	return c
}

// fields are the fields of all mistakes, in their order.
func fields(t *testing.T, err error) (all []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			all = append(all, fields(t, e)...)
		}
		return all
	}
	f, ok := errors.AsType[*authhandlers.FieldError](err)
	if !ok {
		t.Fatalf("no FieldError: %v", err)
	}
	return []string{f.Field}
}

func TestValidate(t *testing.T) {
	t.Setenv("OIDC_TEST_SECRET", secret)
	for _, c := range []struct {
		name   string
		change func(*oidc.Config)
		want   string
	}{
		{"good", func(*oidc.Config) {}, ""},
		{"public", func(c *oidc.Config) { c.ClientSecret.Env = "" }, ""},
		{"browser alone", func(c *oidc.Config) { c.Audiences = nil }, ""},
		{"loopback", func(c *oidc.Config) { c.Issuer = "http://127.0.0.1:8081/realms/cat" }, ""},
		{"all of it", func(c *oidc.Config) {
			c.TokenAuth, c.Callback, c.UserInfo, c.Overage, c.Groups = "post", "own", true, "userinfo", "groups"
			c.AuthorizeParams = map[string]string{"audience": "x", "resource": "https://x.example"}
			c.Clients, c.ServiceAccounts, c.AcceptIDTokens, c.RequireTyp = []string{"web"}, []string{"bot"}, true, "at+jwt"
			c.Algorithms = []string{"RS256", "PS256"}
		}, ""},

		{"no issuer", func(c *oidc.Config) { c.Issuer = "" }, "issuer"},
		{"plain issuer", func(c *oidc.Config) { c.Issuer = "http://idp.example.com" }, "issuer"},
		{"issuer that is no address", func(c *oidc.Config) { c.Issuer = "urn:example:idp" }, "issuer"},
		{"issuer that is a bare name", func(c *oidc.Config) { c.Issuer = "idp.example.com" }, "issuer"},
		{"addresses in lower case", func(c *oidc.Config) { c.UserID, c.EmailCase = "email", "lower" }, ""},
		{"case of no address", func(c *oidc.Config) { c.EmailCase = "lower" }, "email_case"},
		{"issuer with a query", func(c *oidc.Config) { c.Issuer += "?a=b" }, "issuer"},
		{"another way", func(c *oidc.Config) {
			c.DiscoveryURL = "https://keycloak:8443/realms/x/.well-known/openid-configuration"
		}, ""},
		{"another way, plain and here", func(c *oidc.Config) { c.DiscoveryURL = "http://127.0.0.1:8080/.well-known/openid-configuration" }, ""},
		{"another way, plain", func(c *oidc.Config) { c.DiscoveryURL = "http://keycloak:8080/.well-known/openid-configuration" }, "discovery_url"},
		{"another way, plain and meant so", func(c *oidc.Config) {
			c.DiscoveryURL, c.InsecureDiscoveryURL = "http://keycloak:8080/.well-known/openid-configuration", true
		}, ""},
		{"another way to nowhere", func(c *oidc.Config) { c.DiscoveryURL = "keycloak:8080" }, "discovery_url"},
		{"another way with a password", func(c *oidc.Config) {
			c.DiscoveryURL, c.InsecureDiscoveryURL = "http://a:b@keycloak/.well-known/openid-configuration", true
		}, "discovery_url"},
		{"another way without a document", func(c *oidc.Config) { c.DiscoveryURL = "https://keycloak" }, "discovery_url"},
		{"no other way, and insecure", func(c *oidc.Config) { c.InsecureDiscoveryURL = true }, "insecure_discovery_url"},
		{"authorities of a plain issuer", func(c *oidc.Config) { c.Issuer, c.CAFile = "http://127.0.0.1:8081", "ca.pem" }, "ca_file"},
		{"no client", func(c *oidc.Config) { c.ClientID = "" }, "client_id"},
		{"two secrets", func(c *oidc.Config) { c.ClientSecret.File = "x" }, "client_secret"},
		{"auth", func(c *oidc.Config) { c.TokenAuth = "jwt" }, "token_auth"},
		{"auth of a public client", func(c *oidc.Config) { c.ClientSecret.Env, c.TokenAuth = "", "basic" }, "token_auth"},
		{"no scopes", func(c *oidc.Config) { c.Scopes = nil }, "scopes"},
		{"no openid", func(c *oidc.Config) { c.Scopes = []string{"profile"} }, "scopes"},
		{"scopes in one", func(c *oidc.Config) { c.Scopes = []string{"openid", "profile email", ""} }, "scopes[1] scopes[2]"},
		{"scope twice", func(c *oidc.Config) { c.Scopes = []string{"openid", "openid"} }, "scopes[1]"},
		{"parameters", func(c *oidc.Config) {
			c.AuthorizeParams = map[string]string{"state": "", "NONCE": "", "request_uri": "", "code_challenge": "", "ok": "", "a b": ""}
		}, "authorize_params.NONCE authorize_params.a b authorize_params.code_challenge authorize_params.request_uri authorize_params.state"},
		{"a prompt", func(c *oidc.Config) { c.AuthorizeParams = map[string]string{"prompt": "select_account consent"} }, ""},
		{"no prompt", func(c *oidc.Config) { c.AuthorizeParams = map[string]string{"prompt": "none"} }, "authorize_params.prompt"},
		{"none among prompts", func(c *oidc.Config) { c.AuthorizeParams = map[string]string{"prompt": "login none"} }, "authorize_params.prompt"},
		{"an empty prompt", func(c *oidc.Config) { c.AuthorizeParams = map[string]string{"prompt": ""} }, "authorize_params.prompt"},
		{"prompts twice", func(c *oidc.Config) { c.AuthorizeParams = map[string]string{"prompt": "login login"} }, "authorize_params.prompt"},
		{"a prompt by another case", func(c *oidc.Config) { c.AuthorizeParams = map[string]string{"Prompt": "login"} }, "authorize_params.Prompt"},
		{"callback", func(c *oidc.Config) { c.Callback = "mine" }, "callback"},
		{"title", func(c *oidc.Config) { c.Title = "a\nb" }, "title"},
		{"overage", func(c *oidc.Config) { c.Overage, c.Groups = "graph", "groups" }, "overage"},
		{"overage without groups", func(c *oidc.Config) { c.Overage = "userinfo" }, "overage"},
		{"bearers' rules without bearers", func(c *oidc.Config) {
			c.Audiences, c.Clients, c.ServiceAccounts, c.RequireTyp = nil, []string{"web"}, []string{"bot"}, "at+jwt"
		}, "clients service_accounts require_typ"},
		{"service accounts", func(c *oidc.Config) { c.ServiceAccounts = []string{"", "a", "a"} }, "service_accounts[0] service_accounts[2]"},
		{"audiences", func(c *oidc.Config) { c.Audiences = []string{"a", ""} }, "audiences[1]"},
		{"HS256", func(c *oidc.Config) { c.Algorithms = []string{"HS256"} }, "algorithms[0]"},
		{"none", func(c *oidc.Config) { c.Algorithms = []string{"none"} }, "algorithms[0]"},
		{"leeway", func(c *oidc.Config) { c.Leeway = value.Duration(time.Hour) }, "leeway"},
		{"keys", func(c *oidc.Config) {
			c.Keys = oidc.Keys{Lifetime: value.Duration(time.Second), Cooldown: value.Duration(time.Second)}
		}, "keys.lifetime keys.cooldown keys.stale_if_error"},
		{"claims", func(c *oidc.Config) { c.UserID, c.Groups, c.UserName = "", "a..b", "." }, "user_id user_name groups"},
		{"separator", func(c *oidc.Config) { c.GroupsSeparator = "space" }, "groups_separator"},
		{"all at once", func(c *oidc.Config) { *c = oidc.Config{} },
			"issuer keys.lifetime keys.cooldown user_id max_lifetime client_id scopes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := good()
			c.change(config)
			err := config.Validate()
			if got := strings.Join(fields(t, err), " "); got != c.want {
				t.Errorf("%q, want %q: %v", got, c.want, err)
			}
			if err == nil {
				return
			}
			if _, openErr := config.Open(t.Context(), authtest.NewEnv(t, authtest.NewClock())); openErr == nil {
				t.Error("opened although it is not valid")
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	var check func(prefix string, v reflect.Value)
	check = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := prefix + f.Tag.Get("yaml")
			if f.Type == reflect.TypeFor[oidc.Keys]() {
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
			got := fmt.Sprint(v.Field(i).Interface())
			if list, isList := reflect.TypeAssert[[]string](v.Field(i)); isList {
				got = strings.Join(list, ",")
			}
			if ok && got != want {
				t.Errorf("%s: %s in Go, %s in the file", name, got, want)
			}
		}
	}
	check("", reflect.ValueOf(*oidc.NewConfig()))
}

func TestInspect(t *testing.T) {
	t.Setenv("OIDC_TEST_SECRET", secret)
	if err := good().Inspect(); err != nil {
		t.Error(err)
	}
	c := good()
	c.ClientSecret.Env = ""
	if err := c.Inspect(); err != nil {
		t.Errorf("a public client: %v", err)
	}
	c.ClientSecret.Env = "OIDC_TEST_UNSET"
	if got := fields(t, c.Inspect()); len(got) != 1 || got[0] != "client_secret" {
		t.Error(got)
	}
	if _, err := authhandlers.Open(t.Context(), c, authtest.NewEnv(t, authtest.NewClock())); err == nil {
		t.Error("opened without its secret")
	}
}

// TestAbilities holds that the same people have the same ids by either type.
func TestAbilities(t *testing.T) {
	c, other := good(), jwt.NewConfig()
	other.Issuer = c.Issuer
	if c.IdentitySource() != other.IdentitySource() || c.IdentitySource() == "" {
		t.Errorf("%q and %q", c.IdentitySource(), other.IdentitySource())
	}
	c.UserID = "email"
	if c.IdentitySource() == other.IdentitySource() {
		t.Error("another claim is another source")
	}
	if c.YieldsGroups() {
		t.Error("groups that are not configured")
	}
	if c.Groups = "groups"; !c.YieldsGroups() {
		t.Error("no groups")
	}
}
