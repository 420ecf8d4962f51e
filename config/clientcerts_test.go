package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/config"
)

// cards is a handler type that takes people by their certificates.
type cards struct {
	Authorities []string `yaml:"authorities"`
}

func (c *cards) Validate() error                        { return nil }
func (c *cards) CertificatesOf() (people, proxies bool) { return true, false }
func (c *cards) AuthorityFingerprints() []string        { return c.Authorities }

// edge is one that takes front proxies by theirs.
type edge struct{}

func (*edge) Validate() error                        { return nil }
func (*edge) CertificatesOf() (people, proxies bool) { return false, true }
func (*edge) AuthorityFingerprints() []string        { return nil }

// TestClientCertificateFiles: what the check accepts of the files, a start can use.
func TestClientCertificateFiles(t *testing.T) {
	t.Setenv("CAT_KEY", "planted-key-of-the-cat")
	ca, other := pki.New(t, "people"), pki.New(t, "people")
	server, key := pki.Files(t, ca.Issue(t))
	now := time.Now()
	for _, c := range []struct {
		name                     string
		authorities, list, lines string
		want, doubt              string
	}{
		{"one authority", ca.PEM(), "", "{name: staff, type: cards}", "", ""},
		{"two", ca.PEM() + other.PEM(), "", "{name: staff, type: cards}", "tls.client_ca_file", ""},
		{"two, and a handler of one", ca.PEM() + other.PEM(), "", "{name: staff, type: cards, authorities: [" + ca.Fingerprint() + "]}", "", ""},
		{"two, and a proxy", ca.PEM() + other.PEM(), "", "{name: edge, type: edge}", "tls.client_ca_file", ""},
		{"an authority that is not there", ca.PEM(), "", "{name: staff, type: cards, authorities: [" + other.Fingerprint() + "]}", "handlers[0].authorities[0]", ""},
		{"no certificate", "nothing", "", "{name: staff, type: cards}", "tls.client_ca_file", ""},
		{"a list", ca.PEM(), ca.Revoked(t, now.Add(time.Hour)), "{name: staff, type: cards}", "", ""},
		{"no list", ca.PEM(), "nothing", "{name: staff, type: cards}", "tls.client_ca_file", ""},
		{"an old list", ca.PEM(), ca.Revoked(t, now.Add(-time.Hour)), "{name: staff, type: cards}", "", "tls.client_crl_file"},
	} {
		dir := t.TempDir()
		lists := ""
		if c.list != "" {
			lists = ", client_crl_file: list.crl"
		}
		for name, text := range map[string]string{"tls.crt": server, "tls.key": key, "ca.pem": c.authorities, "list.crl": c.list, "catflap.yaml": fmt.Sprintf(`version: 1
tls: {cert_file: tls.crt, key_file: tls.key, client_certificates: optional, client_ca_file: ca.pem%s}
cat: {url: "http://127.0.0.1:1865", api_key: {env: CAT_KEY}, api_key_ws: {env: CAT_KEY}}
handlers: [%s]
`, lists, c.lines)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		read, err := config.Load(filepath.Join(dir, "catflap.yaml"), known())
		if err != nil {
			t.Fatal(err)
		}
		warnings, err := read.Inspect()
		if said := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if said := fmt.Sprint(warnings); (len(warnings) == 0) != (c.doubt == "") || !strings.Contains(said, c.doubt) {
			t.Errorf("%s: warnings %v", c.name, warnings)
		}
	}
}
