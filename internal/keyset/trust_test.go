package keyset_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyset"
)

// TestTrusting: a client trusts the authorities that it is told, and not the others;
// the client that it is made of trusts nobody more than before.
func TestTrusting(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := authtest.NewEnv(t, authtest.NewClock()).HTTP
	pool, err := value.Path(path).Certificates()
	if err != nil {
		t.Fatal(err)
	}
	trusting, err := keyset.Trusting(plain, pool)
	if err != nil || trusting.Timeout != plain.Timeout {
		t.Fatal(trusting, err)
	}
	t.Cleanup(trusting.CloseIdleConnections)
	for _, c := range []struct {
		name   string
		client *http.Client
		good   bool
	}{{"trusting", trusting, true}, {"plain", plain, false}} {
		resp, err := c.client.Get(s.URL)
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	if same, err := keyset.Trusting(plain, nil); same != plain || err != nil {
		t.Error(same, err)
	}
	if _, err := keyset.Trusting(&http.Client{}, pool); err == nil {
		t.Error("a transport of another kind")
	}
}
