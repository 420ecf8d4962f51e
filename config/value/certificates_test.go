package value_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/catflap/catflap/config/value"
)

func TestCertificates(t *testing.T) {
	if pool, err := value.Path("").Certificates(); pool != nil || err != nil {
		t.Error(pool, err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := value.Path(path).Certificates(); err == nil {
		t.Error("no file")
	}
	for _, text := range []string{"", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := value.Path(path).Certificates(); err == nil {
			t.Errorf("%q holds no certificate", text)
		}
	}
}
