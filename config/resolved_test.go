package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/config"
)

func TestDefaults(t *testing.T) {
	c := parse(t, valid)
	settings := c.Handlers[0].Settings.(*tokens)
	for _, ok := range []struct {
		name string
		good bool
	}{
		{"listen", c.Listen == "127.0.0.1:8080"},
		{"tls", c.TLS == nil},
		{"contract", c.Cat.Contract == "v1" && c.Cat.Credential == "api_key"},
		{"response_timeout", c.Cat.ResponseTimeout.Std() == 5*time.Minute},
		{"max_message", c.WebSocket.MaxMessage == 16<<20},
		{"query_token", c.WebSocket.QueryToken},
		{"visible_refusals", !c.WebSocket.VisibleRefusals},
		{"sessions", c.Sessions.Store == "memory" && c.Sessions.Redis == nil && c.Sessions.Keys == nil && c.Sessions.Max == 100_000},
		{"sessions.idle", c.Sessions.Idle.Std() == 8*time.Hour && c.Sessions.Lifetime.Std() == 24*time.Hour},
		{"after_logout", c.Sessions.AfterLogout == ""},
		{"pages", c.Pages.Title == "Catflap" && c.Pages.LogoFile == ""},
		{"audit", c.Log.Audit == "refusals"},
		{"alias", c.Handlers[0].Alias == nil && c.Handlers[0].EffectiveAlias() == "staff"},
		{"permissions of the handler", c.Handlers[0].Permissions == nil},
		{"algorithms of the type", strings.Join(settings.Algorithms, " ") == "RS256 ES256"},
		{"leeway of the type", settings.Leeway.Std() == time.Minute},
		{"pointer of the type", settings.Refresh != nil && *settings.Refresh},
	} {
		if !ok.good {
			t.Errorf("%s: not the default", ok.name)
		}
	}
}

func TestEmbeddedFields(t *testing.T) {
	const more = "  - name: robots\n    type: people\n"
	c := parse(t, valid+more+"    insecure_plain_texts: true\n")
	settings := c.Handlers[1].Settings.(*people)
	if settings.From != "file" || !settings.InsecurePlainTexts {
		t.Errorf("got %+v", settings)
	}
	want := "catflap.yaml:15: handlers[1].insecure_plain_texts: an option that weakens security is set\n  hint: remove it as soon as you can"
	if w := c.Warnings(); len(w) != 1 || w[0].String() != want {
		t.Errorf("warnings %v, want %s", w, want)
	}
	_, err := config.Parse("f", []byte(valid+more+"    from: valut\n"), "", known())
	if want := "f:15: handlers[1].from: \"valut\" is not one of file, vault\n  hint: did you mean vault?"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPathsAreBelowTheFile(t *testing.T) {
	text := "tls: {cert_file: tls/chat.crt, key_file: /etc/chat.key}\n" + valid
	c, err := config.Parse("f", []byte(text), "/etc/catflap", known())
	if err != nil {
		t.Fatal(err)
	}
	keys := c.Handlers[0].Settings.(*tokens).Keys
	for _, p := range [][2]string{
		{string(c.TLS.CertFile), "/etc/catflap/tls/chat.crt"},
		{string(c.TLS.KeyFile), "/etc/chat.key"},
		{string(keys.JWKSFile), "/etc/catflap/staff.jwks.json"},
		{string(keys.PEMFile), ""},
	} {
		if p[0] != p[1] {
			t.Errorf("got %q, want %q", p[0], p[1])
		}
	}
}

// What Resolved writes is a configuration again, and the same one.
func TestResolvedIsItself(t *testing.T) {
	for _, file := range append(files(t, "testdata/good/*.yaml"), examples(t)...) {
		t.Run(name(file), func(t *testing.T) {
			c, err := config.Parse(filepath.Base(file), read(t, file), "", known())
			if err != nil {
				t.Fatal(err)
			}
			first, err := c.Resolved()
			if err != nil {
				t.Fatal(err)
			}
			again, err := config.Parse("resolved", first, "", known())
			if err != nil {
				t.Fatalf("%v\nin\n%s", err, first)
			}
			second, err := again.Resolved()
			if err != nil || string(first) != string(second) {
				t.Errorf("error %v; first\n%s\nthen\n%s", err, first, second)
			}
		})
	}
}

func TestResolved(t *testing.T) {
	c := parse(t, valid+"    permissions: []\npermissions:\n  sets: {readers: [base]}\n")
	got, err := c.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"version: 1\nlisten: 127.0.0.1:8080\nhsts: 0s\nadmin_listen: 127.0.0.1:9090\ncat:\n",
		"  api_key: {env: CAT_KEY}\n",
		"  insecure_open_cat: false\n",
		"handlers:\n  - name: staff\n    alias: staff\n    type: jwt\n    permissions: []\n    issuer: https://idp.example.com\n",
		"    algorithms: [RS256, ES256]\n",
		"    leeway: 1m\n",
		"    refresh: true\n",
		"permissions:\n  sets:\n    readers: [base]\n",
		"  max_message: 16MiB\n",
		"  body_bytes: 16MiB\n",
		"sessions:\n  store: memory\n  idle: 8h\n  lifetime: 24h\n  max: 100000\n  max_per_user: 50\npages:\n  title: Catflap\n",
		"  visible_refusals: false\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestResolvedSessions(t *testing.T) {
	c := parse(t, `version: 1
public_url: https://chat.example.com
cat: {url: "http://127.0.0.1:1865", insecure_open_cat: true}
handlers: [{name: company, type: oidc, issuer: "https://idp.example.com", client_id: catflap}]
sessions:
  store: redis
  redis: {url: "rediss://redis.example.com/1", password: {env: REDIS_PASSWORD}, tls: {ca_file: /etc/redis.pem}}
  keys: [{env: SESSION_KEY}, {file: /etc/old.key}]
  after_logout: /goodbye
pages: {title: Chat, logo_file: /etc/logo.svg}
`)
	got, err := c.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	const want = `sessions:
  store: redis
  redis:
    url: rediss://redis.example.com/1
    password: {env: REDIS_PASSWORD}
    tls:
      ca_file: /etc/redis.pem
  keys:
    - {env: SESSION_KEY}
    - {file: /etc/old.key}
  idle: 8h
  lifetime: 24h
  max: 100000
  max_per_user: 50
  after_logout: /goodbye
pages:
  title: Chat
  logo_file: /etc/logo.svg
`
	if !strings.Contains(string(got), want) {
		t.Errorf("%s\nis missing in\n%s", want, got)
	}
}
