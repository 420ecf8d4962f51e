package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// upgraded are the lines by which nginx passes a handshake on, as its manual has them.
const upgraded = `proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      `

// startNginx starts a real nginx before the Catflap, with the lines in its location,
// and returns its address.
func startNginx(t *testing.T, f *flap, location string) string {
	t.Helper()
	dir, addr := t.TempDir(), freeAddress(t)
	if err := os.WriteFile(filepath.Join(dir, "people"), []byte("office:{PLAIN}door\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr warn;
events {}
http {
  access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server {
    listen %[2]s; underscores_in_headers on;
    location / {
      %[3]sproxy_pass http://%[4]s;
    }
  }
}
`, dir, addr, location, f.addr)
	runNginx(t, dir, config, addr)
	return addr
}

// runNginx runs a real nginx with the configuration in a folder until the test ends.
func runNginx(t *testing.T, dir, config, addr string) {
	t.Helper()
	program, env, missing := installed.Nginx()
	parts.Need(t, missing)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &output{}
	cmd := exec.Command(program, "-p", dir, "-c", file, "-e", "stderr")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	run(t, cmd)
	await(t, "nginx ready", func() bool { return listens(addr) }, log.String)
}

// handshakeAt asks for the chat as a browser's page of that origin does.
func handshakeAt(addr, token, origin string) (*websocket.Conn, int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, resp, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr+"/ws?token="+token, http.Header{"Origin": {origin}})
	if err == nil {
		return c, resp.StatusCode, ""
	}
	if resp == nil {
		return nil, 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return nil, resp.StatusCode, string(text)
}

// TestChatBehindNginx: the chat works behind a good configuration, and behind each of
// the usual mistakes the answer or the log says which header is wrong.
func TestChatBehindNginx(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, more: "trusted_proxies: [127.0.0.0/8]\n"})
	for _, c := range []struct {
		name, location string
		origin         string // %s is nginx's own address
		status         int
		says           string // to the client, or in the log
	}{
		{"as the manual has it", upgraded + "proxy_set_header Host $http_host;\n", "http://%s", 101, ""},
		{"the scheme as Traefik writes it", upgraded + "proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-Proto wss;\n", "https://%s", 101, ""},
		{"the name by X-Forwarded-Host", upgraded + "proxy_set_header X-Forwarded-Host Chat.example:443;\nproxy_set_header X-Forwarded-Proto HTTPS;\n", "https://chat.example", 101, ""},
		{"no upgrade, as by default", "", "http://%s", 426, "Upgrade: websocket and Connection: upgrade did not arrive"},
		{"no Connection", "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\n", "http://%s", 426, "Connection: upgrade did not arrive"},
		{"no Upgrade", "proxy_http_version 1.1;\nproxy_set_header Connection upgrade;\n", "http://%s", 426, "Upgrade: websocket did not arrive"},
		{"HTTP/1.0", strings.Replace(upgraded, "1.1", "1.0", 1), "http://%s", 400, "HTTP/1.0 arrived"},
		{"the name without its port", upgraded + "proxy_set_header Host $host;\n", "http://%s", 403, `the page's origin is \"http://ADDR\"; expected [\"http://127.0.0.1\"]`},
		{"the scheme is not told", upgraded + "proxy_set_header Host $http_host;\n", "https://%s", 403, `the page's origin is \"https://ADDR\"; expected [\"http://ADDR\"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := startNginx(t, f, c.location)
			origin := strings.ReplaceAll(c.origin, "%s", addr)
			for who, token := range map[string]string{"alice": alice(), "root": root()} {
				socket, status, text := handshakeAt(addr, token, origin)
				if status != c.status {
					t.Fatalf("%s: %d %s\n%s", who, status, text, f.log)
				}
				if socket != nil {
					expectTurn(t, socket, "hello", idOf(who))
					_ = socket.Close()
				}
				says := strings.ReplaceAll(c.says, "ADDR", addr)
				f.await("told: "+says, func() bool { return strings.Contains(text+f.log.String(), says) })
			}
		})
	}
}

// TestBasicOfNginx: the Basic credential by which nginx lets people in is none of
// Catflap's, and does not stand in the way of a token.
func TestBasicOfNginx(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	addr := startNginx(t, f, "auth_basic office;\nauth_basic_user_file people;\n")
	for _, c := range []struct {
		name, password, token string
		status                int
		says                  string
	}{
		{"nginx refuses", "wrong", alice(), 401, ""},
		{"a token", "door", alice(), 200, "alice"},
		{"no token", "door", "", 401, "the scheme of Authorization is Basic"},
		{"a bad token", "door", alice() + "x", 401, "malformed_token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cat.tap.take()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/message", strings.NewReader(`{"text":"hi"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth("office", c.password)
			if c.token != "" {
				req.Header["access_token"] = []string{c.token}
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(text), c.says) {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			for _, a := range cat.tap.take() {
				if strings.Contains(string(a.raw), "Basic") {
					t.Error("the credential of nginx reached the Cat")
				}
			}
		})
	}
}
