package e2e

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCatOfAPrivateAuthority: a Cat whose certificate a private authority vouches for is
// reached over HTTP and in a chat by cat.ca_file, and by nothing else.
func TestCatOfAPrivateAuthority(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	base, err := url.Parse("http://" + cat.tap.addr)
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(base))
	t.Cleanup(secure.Close)
	stranger := httptest.NewTLSServer(nil)
	t.Cleanup(stranger.Close)
	file := func(s *httptest.Server) string {
		path := filepath.Join(t.TempDir(), "ca.pem")
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := start(t, config{cat: secure.URL, catMore: "ca_file: " + file(secure)})
	token := alice()
	if got := asked(t, f, token); got != 200 {
		t.Errorf("over HTTP: %d", got)
	}
	expectTurn(t, mustChat(t, f, token), "hello over TLS", idOf("alice"))

	untrusting := launch(t, config{cat: secure.URL})
	untrusting.await("a reason at /readyz", func() bool {
		status, text := untrusting.readiness()
		return status == 503 && strings.Contains(text, "certificate")
	})
	if got := asked(t, untrusting, token); got == 200 {
		t.Error("a Cat for which nobody vouches is asked")
	}
}
