package catcloak_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/internal/catcloak"
)

func options() catcloak.Options {
	return catcloak.Options{PublicURL: "http://localhost:8080", CatURL: "http://127.0.0.1:1865"}
}

// with are good settings, changed.
func with(changes map[string]any) []byte {
	all := map[string]any{
		"server_url": "https://keycloak.example.com", "realm": "cats", "client_id": "cat", "client_secret": "a-very-secret-text",
		"user_mapping": map[string]string{"id": "sub", "name": "preferred_username", "roles": "realm_access.roles"},
		"permission_mapping": map[string]any{
			"cat-user": map[string][]string{"STATUS": {"READ"}, "MEMORY": {"READ", "LIST"}, "CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"}, "STATIC": {"READ"}, "UPLOAD": {"WRITE"}},
		},
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return text
}

func convert(t *testing.T, settings []byte, o catcloak.Options) (text string, notes string) {
	t.Helper()
	r, err := catcloak.Convert(settings, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Parse("out", r.Config, builtin.Registry()); err != nil {
		t.Errorf("%v\n%s", err, r.Config)
	}
	text, notes = string(r.Config), strings.Join(r.Notes, "\n")
	if strings.Contains(text+notes, "a-very-secret-text") {
		t.Errorf("a secret is written: %s\n%s", text, notes)
	}
	return text, notes
}

func TestConvert(t *testing.T) {
	role := func(m map[string][]string) map[string]any {
		return map[string]any{"permission_mapping": map[string]any{"r": m}}
	}
	every := map[string][]string{}
	for _, r := range []string{"STATUS", "MEMORY", "CONVERSATION", "SETTINGS", "LLM", "EMBEDDER", "AUTH_HANDLER", "USERS", "UPLOAD", "PLUGINS", "STATIC"} {
		every[r] = []string{"WRITE", "EDIT", "LIST", "READ", "DELETE"}
	}
	for _, c := range []struct {
		name        string
		changes     map[string]any
		wants, told []string
	}{
		{
			"as it is", nil,
			[]string{
				`issuer: "https://keycloak.example.com/realms/cats"`, `client_secret: {env: KEYCLOAK_CLIENT_SECRET}`, `audiences: ["cat"]`, `user_id: "preferred_username"`, `alias: ""`,
				`groups: "realm_access.roles"`, "everyone: []", `groups: ["cat-user"]`, `allow: ["base", "UPLOAD:WRITE"]`,
			},
			[]string{"set KEYCLOAK_CLIENT_SECRET", "UPLOAD_WEB:WRITE", "base shows people their own memories", "another person later", "ID tokens, too", "/_catflap/callback"},
		},
		{"everything", role(every), []string{`allow: ["admin"]`}, []string{"becomes admin"}},
		{"less than base", role(map[string][]string{"MEMORY": {"READ"}, "CONVERSATION": {"WRITE"}}), []string{`allow: ["MEMORY:READ", "CONVERSATION:WRITE"]`}, []string{"shows everybody's memories"}},
		{"may not chat", role(map[string][]string{"STATUS": {"READ"}}), []string{`allow: ["STATUS:READ"]`}, []string{"may not chat"}},
		{
			"names that the Cat does not know", role(map[string][]string{"STATUS": {"READ", "read", "*"}, "CHAT": {"READ"}, "UPLOAD_WEB": {"WRITE"}}), []string{`allow: ["STATUS:READ"]`},
			[]string{`"STATUS:read", which is left out`, `"STATUS:*", which is left out`, `"CHAT:READ", which is left out`, `"UPLOAD_WEB:WRITE", which is left out`},
		},
		{"a role without anything", map[string]any{"permission_mapping": map[string]any{"r": map[string]any{}, "s": "STATUS", "t": map[string]any{"STATUS": "READ"}}}, []string{"everyone: []\n"}, []string{"nobody may do anything", `"s" is no object`, `"STATUS" has no list`}},
		{"no mapping of roles", map[string]any{"permission_mapping": map[string]any{}}, []string{"everyone: [base]"}, []string{"everybody with an account of the realm may chat"}},
		{"no mapping of users", map[string]any{"user_mapping": nil}, []string{`user_id: "preferred_username"`, `groups: "realm_access.roles"`}, nil},
		{"by sub", map[string]any{"user_mapping": map[string]string{"name": "sub"}}, []string{`user_id: "sub"`}, nil},
		{"by address", map[string]any{"user_mapping": map[string]string{"name": "email"}}, []string{`user_id: "email"`, "email_case: keep"}, []string{"email_verified"}},
		{
			"further claims", map[string]any{"user_mapping": map[string]string{"mail": "email", "dept": "org.department", "bad": "a..b", "iss": "iss"}},
			[]string{`attributes: {claims: ["org.department", "email"]}`}, []string{`cat.user_data.extra.mail read attributes(cat)["email"]`, `"a..b" can't be carried over`, `"iss" can't be carried over`},
		},
		{"mappings as texts", map[string]any{"user_mapping": `{"name": "nick"}`, "permission_mapping": `{"r": {"CONVERSATION": ["WRITE"]}}`}, []string{`user_id: "nick"`, `"CONVERSATION:WRITE"`}, nil},
		{"a public client", map[string]any{"client_secret": nil}, []string{`client_id: "cat"`}, nil},
		{"an old address", map[string]any{"server_url": "https://keycloak.example.com/auth/"}, []string{`issuer: "https://keycloak.example.com/auth/realms/cats"`}, nil},
		{"a realm with a space", map[string]any{"realm": "my cats"}, []string{`issuer: "https://keycloak.example.com/realms/my%20cats"`}, nil},
		{"here", map[string]any{"server_url": "http://127.0.0.1:8080"}, []string{`issuer: "http://127.0.0.1:8080/realms/cats"`}, nil},
		{"unknown", map[string]any{"timeout": 3}, nil, []string{`"timeout" is no setting of Catcloak's`}},
		{"hostile names", map[string]any{"client_id": "a\"]\nlisten: 0.0.0.0:80 #", "permission_mapping": map[string]any{"r\"]\n": map[string][]string{"STATUS": {"READ"}}}}, []string{`client_id: "a\"]\nlisten: 0.0.0.0:80 #"`, `groups: ["r\"]\n"]`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, notes := convert(t, with(c.changes), options())
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s\nis without %s", text, want)
				}
			}
			for _, want := range c.told {
				if !strings.Contains(notes, want) {
					t.Errorf("%s\nis not told in:\n%s", want, notes)
				}
			}
		})
	}
}

// TestAnotherIssuer: the plugin reaches Keycloak by an address within.
func TestAnotherIssuer(t *testing.T) {
	o, settings := options(), with(map[string]any{"server_url": "http://keycloak:8080"})
	if _, err := catcloak.Convert(settings, o); !errors.Is(err, catcloak.ErrIssuer) {
		t.Errorf("%v", err)
	}
	o.Issuer = "https://login.example.com/realms/cats"
	text, notes := convert(t, settings, o)
	for _, want := range []string{`issuer: "https://login.example.com/realms/cats"`, `discovery_url: "http://keycloak:8080/realms/cats/.well-known/openid-configuration"`, "insecure_discovery_url: true"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nis without %s", text, want)
		}
	}
	if !strings.Contains(notes, "plain http") {
		t.Error(notes)
	}
}

// TestForms: as they were sent, as the Cat answers them, and as its list has them.
func TestForms(t *testing.T) {
	bare, _ := convert(t, with(nil), options())
	one := `{"name": "KeycloakAuthHandlerConfig", "schema": {"x": 1}, "value": ` + string(with(nil)) + `}`
	for _, form := range []string{one, `{"settings": [{"name": "CoreOnlyAuthConfig", "value": {}}, ` + one + `], "selected_configuration": "KeycloakAuthHandlerConfig"}`} {
		if got, _ := convert(t, []byte(form), options()); got != bare {
			t.Errorf("%s\nbecomes %s", form, got)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "empty"},
		{"spaces", " \n", "empty"},
		{"no JSON", "server_url: x", "no JSON"},
		{"cut", string(with(nil)[:100]), "no JSON"},
		{"two", string(with(nil)) + "{}", "something follows"},
		{"a list", "[]", "no JSON object"},
		{"null", "null", "no JSON object"},
		{"another plugin's", `{"name": "OtherConfig", "value": {"server_url": "x"}}`, "no settings of Catcloak"},
		{"never saved", `{"name": "KeycloakAuthHandlerConfig", "value": {}}`, "no settings of Catcloak"},
		{"no realm", string(with(map[string]any{"realm": nil})), "realm is missing"},
		{"an empty client", string(with(map[string]any{"client_id": ""})), "client_id is empty"},
		{"a number", string(with(map[string]any{"realm": 3})), "realm is no text"},
		{"no mapping", string(with(map[string]any{"permission_mapping": nil})), "permission_mapping is missing"},
		{"a mapping of another form", string(with(map[string]any{"user_mapping": []int{1}})), "user_mapping is no JSON object"},
		{"an address of another kind", string(with(map[string]any{"server_url": "keycloak"})), "no address of a server"},
		{"a password", string(with(map[string]any{"server_url": "https://u:a-very-secret-text@keycloak.example.com"})), "no address of a server"},
		{"a path", string(with(map[string]any{"user_mapping": map[string]string{"name": "a..b"}})), "can't be carried over"},
		{"large", strings.Repeat(" ", catcloak.MaxSettings+1), "larger than"},
	} {
		_, err := catcloak.Convert([]byte(c.in), options())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "a-very-secret-text") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// FuzzConvert holds: whatever the settings hold, there is one handler and no more grants
// than roles, and the secret is not written.
func FuzzConvert(f *testing.F) {
	f.Add(with(nil))
	f.Add([]byte(`{"settings":[{"name":"KeycloakAuthHandlerConfig","value":{"server_url":"https://k","realm":"r\n","client_id":"\u2028","user_mapping":"{}","permission_mapping":{"a":{"STATUS":["READ"]}}}}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := catcloak.Convert(in, options())
		if err != nil {
			return
		}
		c, err := app.Parse("out", r.Config, builtin.Registry())
		if err != nil {
			if _, ok := errors.AsType[*config.Errors](err); !ok {
				t.Fatalf("%v\n%s", err, r.Config)
			}
			return
		}
		if len(c.Handlers) != 1 || c.Listen != "127.0.0.1:8080" || slices.Contains(c.Permissions.Everyone, "admin") {
			t.Errorf("%s", r.Config)
		}
		for _, g := range c.Permissions.Grants {
			if !slices.Equal(g.From, []string{"keycloak"}) || len(g.Groups) != 1 {
				t.Errorf("%s", r.Config)
			}
		}
	})
}

// TestOddTexts: a role is the same role in the configuration, whatever YAML makes of what is
// in its name.
func TestOddTexts(t *testing.T) {
	for _, role := range []string{
		"a b", "a: b", "#a", "- a", "null", "yes", "1", `a"b\c'd`, "a\u0085b", "a\u2028b", "a\u2029b", "\ufeffa", "a\ufeffb", "a\nb", "a\tb", "a\x7fb", "a\u00a0b", "a\u009fb", "é", "😀",
	} {
		r, err := catcloak.Convert(with(map[string]any{"permission_mapping": map[string]any{role: map[string][]string{"MEMORY": {"READ"}}}}), options())
		if err != nil {
			t.Fatal(err)
		}
		c, err := app.Parse("out", r.Config, builtin.Registry())
		if err != nil {
			t.Errorf("%q: %v", role, err)
			continue
		}
		if got := c.Permissions.Grants[0].Groups; len(got) != 1 || got[0] != role {
			t.Errorf("%q becomes %q", role, got)
		}
	}
}
