package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/internal/demo/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flap is a running Catflap before a stand-in Cat.
type flap struct {
	dir           string
	public, admin string // addresses
	tokens        *issuer.Issuer
	log           *safeBuffer
	stop          func() error
	signals       chan os.Signal
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const (
	httpKey = "planted-http-key"
	chatKey = "planted-chat-key"
)

// startFlap runs Catflap; more is added to its configuration.
func startFlap(t *testing.T, more string) *flap {
	t.Helper()
	cat, err := standin.Start(standin.Options{APIKey: httpKey, APIKeyWS: chatKey, JWTSecret: "planted-secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cat.Close() })
	f := &flap{dir: t.TempDir(), log: &safeBuffer{}, signals: make(chan os.Signal, 1)}
	if f.tokens, err = issuer.New(issuer.Options{Audience: "cat"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.tokens.Close() })
	f.write(t, "key", httpKey)
	f.write(t, "key-ws", chatKey)
	f.write(t, "catflap.yaml", fmt.Sprintf(`version: 1
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
cat: {url: "%s", api_key: {file: key}, api_key_ws: {file: key-ws}}
handlers:
  - {name: staff, type: jwt, issuer: "%s", audiences: [cat], keys: {jwks_url: "%s"}}
permissions: {everyone: [base]}
%s`, cat.URL, f.tokens.URL(), f.tokens.JWKSURL(), more))
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{
			ConfigFile: filepath.Join(f.dir, "catflap.yaml"), Handlers: builtin.Registry(), Version: "test", Stderr: f.log, Signals: f.signals,
			Ready: func(public, admin net.Addr) { f.public, f.admin = public.String(), admin.String(); close(ready) },
		})
	}()
	f.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = f.stop() })
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err, f.log)
	}
	f.await(t, http.StatusOK)
	return f
}

func (f *flap) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// await waits for a status of /readyz.
func (f *flap) await(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		status, body := f.adminAsk(t, "GET", "/readyz", nil)
		if status == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz: %d %s", status, body)
		}
	}
}

func (f *flap) adminAsk(t *testing.T, method, path string, h http.Header) (int, string) {
	t.Helper()
	return ask(t, plain(), method, "http://"+f.admin+path, h)
}

// plain is a client whose connections do not outlive their answer.
func plain() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

func ask(t *testing.T, c *http.Client, method, url string, h http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, h)
	resp, err := c.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body) // a server that refuses a head may cut the connection behind its answer
	return resp.StatusCode, string(body)
}

func TestTheAdminListener(t *testing.T) {
	f := startFlap(t, "")
	for _, c := range []struct {
		method, path string
		h            http.Header
		want         int
	}{
		{"GET", "/healthz", nil, 200},
		{"GET", "/readyz", nil, 200},
		{"GET", "/metrics", nil, 200},
		{"GET", "/-/reload", nil, 405},
		{"POST", "/-/reload", nil, 200},
		{"POST", "/-/reload", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"POST", "/-/reload", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"GET", "/debug/pprof/", nil, 404},
	} {
		if status, body := f.adminAsk(t, c.method, c.path, c.h); status != c.want {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.h, status, body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/-/reload"} {
		if status, _ := ask(t, plain(), "GET", "http://"+f.public+path, nil); status != http.StatusUnauthorized {
			t.Errorf("%s on the public listener: %d", path, status)
		}
	}
}

func TestABadReloadChangesNothing(t *testing.T) {
	f := startFlap(t, "")
	good := filepath.Join(f.dir, "catflap.yaml")
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, "catflap.yaml", string(text)+"\nnonsense: true\n")
	status, body := f.adminAsk(t, "POST", "/-/reload", nil)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "nonsense") || !strings.Contains(body, "catflap.yaml:") {
		t.Errorf("%d %s", status, body)
	}
	if _, metrics := f.adminAsk(t, "GET", "/metrics", nil); !strings.Contains(metrics, "catflap_config_last_reload_successful 0") {
		t.Error("the metric does not say so")
	}
	h := http.Header{"Authorization": {"Bearer " + f.tokens.Token("alice")}}
	if status, body := ask(t, plain(), "GET", "http://"+f.public+"/", h); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	f.write(t, "catflap.yaml", string(text))
	if status, body := f.adminAsk(t, "POST", "/-/reload", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

func TestNothingSecretIsWritten(t *testing.T) {
	f := startFlap(t, "log: {audit: all}\n")
	good, forged := f.tokens.Token("alice"), f.tokens.Token("alice", issuer.Claim("aud", "other"))
	for _, h := range []http.Header{
		{"Authorization": {"Bearer " + good}}, {"Authorization": {"Bearer " + forged}}, {"access_token": {good}}, {"Cookie": {"ccat_user_token=" + good}},
		{"Authorization": {"Basic " + good}},
	} {
		ask(t, plain(), "GET", "http://"+f.public+"/?token="+good, h)
		ask(t, plain(), "GET", "http://"+f.public+"/plugins/"+good, h)
	}
	_, metrics := f.adminAsk(t, "GET", "/metrics", nil)
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	all := f.log.String() + metrics
	for _, secret := range []string{good, forged, good[len(good)-40:], forged[len(forged)-40:], httpKey, chatKey, "planted-secret"} {
		if strings.Contains(all, secret) {
			t.Errorf("%.12s... was written", secret)
		}
	}
	if !strings.Contains(all, `"event":"refused"`) || !strings.Contains(all, `"event":"allowed"`) {
		t.Errorf("the audit lines are missing: %s", all)
	}
}

func keyPair(t *testing.T, serial int64) (certPEM, keyPEM string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "catflap"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(certPEM))
	return certPEM, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})), pool
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certPEM, keyPEM, pool := keyPair(t, 1)
	for name, text := range map[string]string{"tls.crt": certPEM, "tls.key": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := startFlap(t, fmt.Sprintf("tls: {cert_file: %s/tls.crt, key_file: %s/tls.key}\n", dir, dir))
	h := http.Header{"Authorization": {"Bearer " + f.tokens.Token("alice")}}
	client := func(pool *x509.CertPool, h2 bool) *http.Client {
		return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: true, ForceAttemptHTTP2: h2, TLSClientConfig: &tls.Config{RootCAs: pool},
		}}
	}
	for _, h2 := range []bool{true, false} {
		if status, body := ask(t, client(pool, h2), "GET", "https://"+f.public+"/", h); status != http.StatusOK {
			t.Errorf("HTTP/2 %v: %d %s", h2, status, body)
		}
	}
	if status, _ := ask(t, plain(), "GET", "http://"+f.public+"/", h); status == http.StatusOK {
		t.Error("plain HTTP on a TLS listener")
	}
	// A pair that does not fit leaves the last good one; a good one is taken.
	nextCert, nextKey, nextPool := keyPair(t, 2)
	replace := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replace("tls.crt", nextCert)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(f.log.String(), "can't be renewed"); time.Sleep(50 * time.Millisecond) {
		if status, body := ask(t, client(pool, false), "GET", "https://"+f.public+"/", h); status != http.StatusOK {
			t.Fatalf("with half a pair: %d %s", status, body)
		}
		if time.Now().After(deadline) {
			t.Fatal("the half pair was not looked at")
		}
	}
	replace("tls.key", nextKey)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if status, _ := ask(t, client(nextPool, false), "GET", "https://"+f.public+"/", h); status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new pair is not served")
		}
	}
}

func TestLimits(t *testing.T) {
	f := startFlap(t, "limits: {headers: 20, header_bytes: 16KiB, header_timeout: 300ms, connections: 4}\n")
	h := http.Header{"Authorization": {"Bearer " + f.tokens.Token("alice")}}
	many := h.Clone()
	for i := range 30 {
		many[fmt.Sprintf("X-%d", i)] = []string{"x"}
	}
	if status, _ := ask(t, plain(), "GET", "http://"+f.public+"/", many); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("30 header lines: %d", status)
	}
	large := h.Clone()
	large["X-Large"] = []string{strings.Repeat("x", 64<<10)}
	if status, _ := ask(t, plain(), "GET", "http://"+f.public+"/", large); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KiB of headers: %d", status)
	}
	slow, err := net.Dial("tcp", f.public)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = io.WriteString(slow, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow")
	_ = slow.SetReadDeadline(time.Now().Add(5 * time.Second))
	begun := time.Now()
	_, _ = io.ReadAll(slow)
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("a head that never ends is kept for %v", took)
	}
}

func TestASignalStops(t *testing.T) {
	f := startFlap(t, "")
	f.signals <- os.Interrupt
	done := make(chan error, 1)
	go func() { done <- f.stop() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still running")
	}
	if !strings.Contains(f.log.String(), "stopped") {
		t.Error("the last lines of the log are lost")
	}
}

func TestStartingFailsClearly(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"k": "key", "jwks.json": `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}]}`,
		"catflap.yaml": fmt.Sprintf(`version: 1
listen: %s
admin_listen: off
cat: {url: "http://127.0.0.1:1", api_key: {file: k}, api_key_ws: {file: k}}
handlers: [{name: staff, type: jwt, issuer: "https://i.example", audiences: [cat], keys: {jwks_file: jwks.json}}]
`, taken.Addr()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err = Run(t.Context(), Options{ConfigFile: filepath.Join(dir, "catflap.yaml"), Handlers: builtin.Registry(), Stderr: io.Discard})
	if err == nil || !strings.HasPrefix(err.Error(), "listen: ") {
		t.Errorf("%v", err)
	}
}
