package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/config"
)

func TestInspect(t *testing.T) {
	t.Setenv("CAT_KEY", "k")
	t.Setenv("CAT_KEY_WS", "k")
	t.Setenv("EMPTY", "")
	dir := t.TempDir()
	put := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("secret", "s\n", 0o400)
	put("open", "s\n", 0o640)
	put("empty", "\n", 0o600)
	put("large", strings.Repeat("x", 100_000), 0o600)
	put("no.pem", "not a certificate", 0o600)
	certificate(t, put, "chat", "chat.example.com", time.Now().Add(time.Hour))
	certificate(t, put, "old", "chat.example.com", time.Now().Add(-time.Hour))

	const accounts = "version: 1\ncat:\n  url: http://127.0.0.1:1865\n  credential: minted\n  jwt_secret: {file: secret}\n  service_accounts:\n"
	handlers := valid[strings.Index(valid, "handlers:"):]
	for _, c := range []struct{ name, text, problems, warnings string }{
		{name: "well", text: valid},
		{
			name: "unset and empty", text: strings.NewReplacer("CAT_KEY}", "UNSET_KEY}", "CAT_KEY_WS}", "EMPTY}").Replace(valid),
			problems: "f:4: cat.api_key: environment variable UNSET_KEY is not set\n  hint: set the variable where catflap is started, or name a file: {file: PATH}\n" +
				"f:5: cat.api_key_ws: environment variable EMPTY is empty\n  hint: set the variable where catflap is started, or name a file: {file: PATH}",
		},
		{
			name: "files", text: strings.NewReplacer("env: CAT_KEY}", "file: none}", "env: CAT_KEY_WS}", "file: empty}").Replace(valid),
			problems: "f:4: cat.api_key: open DIR/none: no such file or directory\n  hint: the path is relative to the folder of the configuration; catflap's own user must be able to read the file\n" +
				"f:5: cat.api_key_ws: secret file DIR/empty is empty\n  hint: the path is relative to the folder of the configuration; catflap's own user must be able to read the file",
		},
		{
			name: "large", text: strings.Replace(valid, "env: CAT_KEY}", "file: large}", 1),
			problems: "f:4: cat.api_key: DIR/large is larger than 65536 bytes\n  hint: the path is relative to the folder of the configuration; catflap's own user must be able to read the file",
		},
		{
			name: "readable by others", text: strings.Replace(valid, "env: CAT_KEY}", "file: open}", 1),
			warnings: "f:4: cat.api_key: other users can read DIR/open (mode 0640)\n  hint: chmod 600, or 400, and give it to catflap's own user",
		},
		{
			name: "accounts", text: accounts + "    - {id: x, permissions: [\"*\"]}\n    - {id: {env: UNSET_ID}, permissions: [\"*\"]}\n" + handlers,
			problems: "f:8: cat.service_accounts[1].id: environment variable UNSET_ID is not set\n  hint: set the variable where catflap is started, or name a file: {file: PATH}",
		},
		{
			name: "a handler speaks for itself", text: strings.Replace(valid, "{jwks_file: staff.jwks.json}", "\n      secret: {env: UNSET_SECRET}", 1),
			problems: "f:12: handlers[0].keys.secret: environment variable UNSET_SECRET is not set\n  hint: from the handler itself",
		},
		{
			name: "a handler that can't", text: valid + "  - name: robots\n    type: people\n    people:\n      - {name: a, key: {file: secret}}\n      - {name: b, key: {file: none}}\n",
			problems: "f:17: handlers[1].people[1].key: open DIR/none: no such file or directory\n  hint: the path is relative to the folder of the configuration; catflap's own user must be able to read the file",
		},
		{name: "certificate", text: "tls: {cert_file: chat.crt, key_file: chat.key}\npublic_url: https://chat.example.com\n" + valid},
		{
			name: "certificate of another host", text: "public_url: https://other.example.com\ntls:\n  cert_file: chat.crt\n  key_file: chat.key\n" + valid,
			warnings: "f:3: tls.cert_file: the certificate is not for the host of public_url\n  hint: get one for other.example.com",
		},
		{
			name: "no certificate", text: "tls: {cert_file: no.pem, key_file: chat.key}\n" + valid,
			problems: "f:1: tls: the certificate and the key can't be used: tls: failed to find any PEM data in certificate input\n  hint: both files are PEM; paths are relative to the folder of the configuration",
		},
		{
			name: "key of another certificate", text: "tls: {cert_file: chat.crt, key_file: old.key}\n" + valid,
			problems: "f:1: tls: the certificate and the key can't be used: tls: private key does not match public key\n  hint: both files are PEM; paths are relative to the folder of the configuration",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			warnings, problems := inspect(t, c.text, dir)
			if problems != c.problems {
				t.Errorf("problems\n%s\nwant\n%s", problems, c.problems)
			}
			if warnings != c.warnings {
				t.Errorf("warnings\n%s\nwant\n%s", warnings, c.warnings)
			}
		})
	}
	t.Run("expired certificate", func(t *testing.T) {
		warnings, problems := inspect(t, "tls: {cert_file: old.crt, key_file: old.key}\n"+valid, dir)
		if problems != "" || !strings.HasPrefix(warnings, "f:1: tls.cert_file: the certificate has expired at ") {
			t.Errorf("got warnings %q, problems %q", warnings, problems)
		}
	})
}

// inspect returns the warnings and problems as text, with DIR for the folder.
func inspect(t *testing.T, text, dir string) (warnings, problems string) {
	t.Helper()
	c, err := config.Parse("f", []byte(text), dir, known())
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Inspect()
	lines := make([]string, len(all))
	for i, w := range all {
		lines[i] = w.String()
	}
	if err != nil {
		problems = strings.ReplaceAll(err.Error(), dir, "DIR")
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), dir, "DIR"), problems
}

func certificate(t *testing.T, put func(name, content string, mode os.FileMode), name, host string, end time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host},
		NotBefore: end.Add(-24 * time.Hour), NotAfter: end,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(name+".crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})), 0o644)
	put(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
}
