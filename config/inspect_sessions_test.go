package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/picture"
)

const signIn = `version: 1
public_url: https://chat.example.com
cat: {url: "http://127.0.0.1:1865", insecure_open_cat: true}
handlers: [{name: company, type: oidc, issuer: "https://idp.example.com", client_id: catflap}]
`

func TestInspectSessions(t *testing.T) {
	t.Setenv("LONG", strings.Repeat("k", config.MinKeyBytes))
	t.Setenv("SHORT", strings.Repeat("k", config.MinKeyBytes-1))
	dir := t.TempDir()
	put := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	certificate(t, put, "redis", "redis.example.com", time.Now().Add(time.Hour))
	certificate(t, put, "other", "redis.example.com", time.Now().Add(time.Hour))
	if err := os.Chmod(filepath.Join(dir, "other.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	put("no.pem", "not a certificate", 0o600)
	put("large.pem", strings.Repeat("x", 1<<20+1), 0o600)
	put("text.txt", "hello", 0o600)
	put("good.png", "\x89PNG\r\n\x1a\n", 0o600)
	put("large.png", "\x89PNG\r\n\x1a\n"+strings.Repeat("x", picture.MaxBytes), 0o600)

	const (
		redis = "sessions:\n  store: redis\n  keys: [{env: LONG}]\n  redis:\n    url: rediss://redis.example.com\n    tls: "
		pem   = "\n  hint: the file is PEM; the path is relative to the folder of the configuration"
		logo  = "\n  hint: the picture is PNG, JPEG, GIF, WebP or SVG, at most 256KiB; the path is relative to the folder of the configuration"
	)
	for _, c := range []struct{ name, text, problems, warnings string }{
		{name: "well", text: redis + "{ca_file: redis.crt, cert_file: redis.crt, key_file: redis.key}\npages: {logo_file: good.png}\n"},
		{
			name: "keys", text: "sessions:\n  keys:\n    - {env: LONG}\n    - {env: SHORT}\n    - {env: UNSET_KEY}\n",
			problems: "f:8: sessions.keys[1]: the key is shorter than 32 bytes\n  hint: make one with `openssl rand -base64 32`\n" +
				"f:9: sessions.keys[2]: environment variable UNSET_KEY is not set\n  hint: set the variable where catflap is started, or name a file: {file: PATH}",
		},
		{name: "no authority", text: redis + "{ca_file: none.pem}\n", problems: "f:10: sessions.redis.tls.ca_file: open DIR/none.pem: no such file or directory" + pem},
		{name: "no certificate of an authority", text: redis + "{ca_file: no.pem}\n", problems: "f:10: sessions.redis.tls.ca_file: DIR/no.pem holds no certificate" + pem},
		{name: "large authority", text: redis + "{ca_file: large.pem}\n", problems: "f:10: sessions.redis.tls.ca_file: DIR/large.pem is larger than 1048576 bytes" + pem},
		{
			name: "key of another certificate", text: redis + "{cert_file: redis.crt, key_file: other.key}\n",
			problems: "f:10: sessions.redis.tls: the certificate and the key can't be used: tls: private key does not match public key\n  hint: both files are PEM; paths are relative to the folder of the configuration",
		},
		{
			name: "key that others can read", text: redis + "{cert_file: other.crt, key_file: other.key}\n",
			warnings: "f:10: sessions.redis.tls.key_file: other users can read DIR/other.key (mode 0644)\n  hint: chmod 600, or 400, and give it to catflap's own user",
		},
		{name: "no logo", text: "pages: {logo_file: none.png}\n", problems: "f:5: pages.logo_file: open DIR/none.png: no such file or directory" + logo},
		{name: "large logo", text: "pages: {logo_file: large.png}\n", problems: "f:5: pages.logo_file: DIR/large.png is larger than 262144 bytes" + logo},
		{name: "logo that is text", text: "pages: {logo_file: text.txt}\n", problems: "f:5: pages.logo_file: DIR/text.txt is no PNG, JPEG, GIF, WebP or SVG" + logo},
	} {
		t.Run(c.name, func(t *testing.T) {
			warnings, problems := inspect(t, signIn+c.text, dir)
			if problems != c.problems {
				t.Errorf("problems\n%s\nwant\n%s", problems, c.problems)
			}
			if warnings != c.warnings {
				t.Errorf("warnings\n%s\nwant\n%s", warnings, c.warnings)
			}
		})
	}
}

func TestLogo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "logo")
	if err := os.WriteFile(file, []byte("GIF89a"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := config.Pages{LogoFile: value.Path(file)}
	if content, err := p.Logo(); string(content) != "GIF89a" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	if content, err := new(config.Pages).Logo(); content != nil || err != nil {
		t.Errorf("without a logo: %q, %v", content, err)
	}
}
