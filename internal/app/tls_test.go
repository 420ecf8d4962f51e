package app

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// startSecure runs Catflap with TLS.
func startSecure(t *testing.T, more string) *flap {
	t.Helper()
	dir := t.TempDir()
	certPEM, keyPEM, _ := keyPair(t, 1)
	for name, text := range map[string]string{"tls.crt": certPEM, "tls.key": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startFlap(t, fmt.Sprintf("tls: {cert_file: %s/tls.crt, key_file: %s/tls.key}\n%s", dir, dir, more))
}

// TestSuites: of TLS 1.2 there is no suite without forward secrecy, and none with CBC.
func TestSuites(t *testing.T) {
	f := startSecure(t, "")
	good := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(s.SupportedVersions, tls.VersionTLS13) {
			continue
		}
		c, err := tls.Dial("tcp", f.public, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{s.ID}})
		if err == nil {
			_ = c.Close()
		}
		if want := slices.Contains(good, s.ID); (err == nil) != want {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	if c, err := tls.Dial("tcp", f.public, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

func TestHSTS(t *testing.T) {
	for _, c := range []struct{ more, want string }{{"hsts: 8760h\n", "max-age=31536000"}, {"", ""}} {
		f := startSecure(t, c.more)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		for path, token := range map[string]string{"/": f.tokens.Token("alice"), "/settings/": "", "/_catflap/none": ""} {
			h := http.Header{}
			if token != "" {
				h.Set("Authorization", "Bearer "+token)
			}
			status, answer, err := fetch(client, "https://"+f.public+path, h)
			if err != nil {
				t.Fatal(err)
			}
			if got := answer.Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("%s: %d, %q, want %q", path, status, got, c.want)
			}
		}
	}
}
