package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const proxied = "chat.example.com" // the name in examples/front-proxies

// exampleNginx starts nginx with the example's file. Its addresses and its files are
// those of this machine, and everything else is as the example has it.
func exampleNginx(t *testing.T, catflap string) (addr, dir string) {
	t.Helper()
	dir, addr = t.TempDir(), freeAddress(t)
	certificate(t, filepath.Join(dir, proxied+".pem"), filepath.Join(dir, proxied+".key"))
	text, err := os.ReadFile("../../examples/front-proxies/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	for _, r := range [][2]string{
		{"/var/log/nginx/", dir + "/"},
		{"/etc/nginx/tls/", dir + "/"},
		{"listen 80;", "listen " + freeAddress(t) + ";"},
		{"listen 443 ssl;", "listen " + addr + " ssl;"},
		{"proxy_pass http://127.0.0.1:8080;", "proxy_pass http://" + catflap + ";"},
		{"http {\n", strings.ReplaceAll("http {\nclient_body_temp_path DIR/a; proxy_temp_path DIR/b; fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;\n", "DIR", dir)},
	} {
		if !strings.Contains(config, r[0]) {
			t.Fatalf("the example has no %q", r[0])
		}
		config = strings.ReplaceAll(config, r[0], r[1])
	}
	runNginx(t, dir, "daemon off; master_process off; pid "+dir+"/pid;\n"+config, addr)
	return addr, dir
}

// certificate writes one for the name of the examples, and its key.
func certificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{proxied}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheNginxFileOfTheExamples: people chat and ask through it, each as themselves and
// from their own address, and their tokens stand in no file of nginx.
func TestTheNginxFileOfTheExamples(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, more: "trusted_proxies: [127.0.0.0/8]\n"})
	addr, dir := exampleNginx(t, f.addr)
	dialer, client := through(addr)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	chat, page := "wss://"+proxied+"/ws?token="+alice(), http.Header{"Origin": {"https://" + proxied}}
	socket, resp, err := dialer.DialContext(ctx, chat, page)
	if err != nil {
		t.Fatalf("%v %v\n%s", err, resp, f.log)
	}
	defer resp.Body.Close()
	expectTurn(t, socket, "hello", idOf("alice"))
	_ = socket.Close()

	for token, want := range map[string]int{alice(): http.StatusOK, "": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+proxied+"/message", strings.NewReader(`{"text":"hi"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header["access_token"] = []string{token}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("with a token %t: %d", token != "", resp.StatusCode)
		}
	}

	nobody, silent := exampleNginx(t, freeAddress(t))
	dialer, _ = through(nobody)
	_, refused, err := dialer.DialContext(ctx, chat, page)
	if refused == nil || refused.StatusCode != http.StatusBadGateway {
		t.Fatalf("without a Catflap: %v", err)
	}
	defer refused.Body.Close()
	for _, at := range []string{dir, silent} {
		lines := ""
		await(t, "the line about the request", func() bool {
			a, _ := os.ReadFile(filepath.Join(at, "access.log"))
			e, _ := os.ReadFile(filepath.Join(at, "error.log"))
			lines = string(a) + string(e)
			return strings.Contains(lines, "GET /ws ")
		}, func() string { return lines })
		if strings.Contains(lines, "token") || strings.Contains(lines, alice()[:20]) {
			t.Errorf("nginx has written a token down:\n%s", lines)
		}
	}
}

// through is a way to the name of the examples at an nginx, whose certificate nobody knows.
func through(addr string) (*websocket.Dialer, *http.Client) {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	unknown := &tls.Config{InsecureSkipVerify: true}
	return &websocket.Dialer{NetDialContext: dial, TLSClientConfig: unknown},
		&http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: unknown, DisableKeepAlives: true}}
}
