package app

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/builtin"
)

// TestAFailedStartBlamesNoKeys: fetches that a failed start has ended are no fault of an
// issuer's, and nothing stands before the true cause.
func TestAFailedStartBlamesNoKeys(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	slow, err := issuer.New(issuer.Options{Audience: "cat"})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	slow.SetFault(slow.Hang())
	slow.SetDiscoveryFault(slow.Hang())
	dir := t.TempDir()
	for name, text := range map[string]string{
		"k": "planted-key",
		"catflap.yaml": fmt.Sprintf(`version: 1
listen: %s
admin_listen: off
public_url: http://localhost:8080
cat: {url: "http://127.0.0.1:1", api_key: {file: k}, api_key_ws: {file: k}}
handlers:
  - {name: staff, type: jwt, issuer: "%s", audiences: [cat], keys: {jwks_url: "%s"}}
  - {name: people, type: oidc, issuer: "%s", client_id: catflap, client_secret: {file: k}}
`, taken.Addr(), slow.URL(), slow.JWKSURL(), slow.URL()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := &safeBuffer{}
	for range 20 {
		err = Run(t.Context(), Options{ConfigFile: filepath.Join(dir, "catflap.yaml"), Handlers: builtin.Registry(), Stderr: log})
		if err == nil || !strings.HasPrefix(err.Error(), "listen: ") {
			t.Fatalf("%v", err)
		}
	}
	// What is under way when Run returns is over when the issuer's requests are.
	_ = slow.Close()
	if text := log.String(); strings.Contains(text, "canceled") || strings.Contains(text, "can't be fetched") || strings.Contains(text, "can't be used") {
		t.Errorf("the log blames others:\n%s", text)
	}
}
