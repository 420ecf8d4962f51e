package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// contender is one proxy under measurement.
type contender struct {
	name    string
	address string
	process *process
	judges  bool          // it verifies tokens
	up      time.Duration // from its start to its first answer
}

// lab is what all contenders share.
type lab struct {
	dir      string
	self     string // this program
	catflap  string // the binary under measurement
	upstream *process
	behind   string // the upstream's address
	tokens   *tokens
}

// newLab builds Catflap, and starts the upstream.
func newLab(ctx context.Context, dir string) (*lab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, self: self, catflap: filepath.Join(dir, "catflap")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", l.catflap, "github.com/catflap/catflap/cmd/catflap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build catflap: %w\n%s", err, out)
	}
	if l.tokens, err = newTokens(); err != nil {
		return nil, err
	}
	if err := l.tokens.writeKeys(l.file("keys.json"), l.file("key.pem")); err != nil {
		return nil, err
	}
	if l.behind, err = freeAddress(); err != nil {
		return nil, err
	}
	if l.upstream, err = start(ctx, nil, self, "upstream", l.behind); err != nil {
		return nil, err
	}
	return l, awaitListener(ctx, l.behind)
}

func (l *lab) file(name string) string { return filepath.Join(l.dir, name) }

// run starts a contender and takes the time until it answers.
func (l *lab) run(ctx context.Context, name string) (*contender, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	c := &contender{name: name, address: address, judges: name == "haproxy-jwt" || name == "catflap"}
	env, args, err := l.command(name, address)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if c.process, err = start(ctx, env, args[0], args[1:]...); err != nil {
		return nil, fmt.Errorf("%s: %w (apt-get install nginx haproxy brings the peers)", name, err)
	}
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := awaitListener(waiting, address); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, c.process.out)
	}
	c.up = time.Since(begun)
	return c, l.prove(waiting, c)
}

func (l *lab) command(name, address string) (env, args []string, err error) {
	switch name {
	case "go-rp":
		return nil, []string{l.self, "plain", address, l.behind}, nil
	case "nginx":
		return nil, []string{"nginx", "-p", l.dir, "-c", l.file("nginx.conf"), "-g", "daemon off;"}, os.WriteFile(l.file("nginx.conf"), fmt.Appendf(nil, nginxConf, l.file("nginx.pid"), l.dir, l.behind, address), 0o600)
	case "haproxy-jwt":
		return nil, []string{"haproxy", "-db", "-f", l.file("haproxy.cfg")}, os.WriteFile(l.file("haproxy.cfg"), fmt.Appendf(nil, haproxyConf, address, l.file("key.pem"), benchIssuer, l.behind), 0o600)
	case "catflap":
		admin, err := freeAddress()
		if err != nil {
			return nil, nil, err
		}
		return []string{"BENCH_KEY=bench-http-key", "BENCH_KEY_WS=bench-ws-key"}, []string{l.catflap, "run", "--config", l.file("catflap.yaml")},
			os.WriteFile(l.file("catflap.yaml"), fmt.Appendf(nil, catflapConf, address, admin, l.behind, benchIssuer), 0o600)
	}
	return nil, nil, fmt.Errorf("no contender %q", name)
}

// The peers as somebody who knows them would set them up.
const (
	nginxConf = `
worker_processes 2;
pid %s;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path %[2]s/nginx-body; proxy_temp_path %[2]s/nginx-proxy; fastcgi_temp_path %[2]s/nginx-f; uwsgi_temp_path %[2]s/nginx-u; scgi_temp_path %[2]s/nginx-s;
  keepalive_requests 10000000;
  upstream cat { server %[3]s; keepalive 512; keepalive_requests 10000000; }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen %[4]s;
    underscores_in_headers on;
    location / {
      proxy_pass http://cat; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
      proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
    }
  }
}
`
	haproxyConf = `
global
  maxconn 4000
  nbthread 2
defaults
  mode http
  option http-no-delay
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 600s
frontend in
  bind %s
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify(txn.alg,"%s") 1 }
  http-request deny deny_status 401 unless { http_auth_bearer,jwt_payload_query('$.iss') -m str %s }
  http-request deny deny_status 401 unless { http_auth_bearer,jwt_payload_query('$.aud') -m str cat }
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request set-header user_id %%[http_auth_bearer,jwt_payload_query('$.sub')]
  http-request set-header Authorization "Bearer bench-http-key"
  default_backend cat
backend cat
  http-reuse always
  server cat %s pool-max-conn 512
`
	catflapConf = `
version: 1
listen: %s
admin_listen: %s
cat:
  url: http://%s
  api_key: {env: BENCH_KEY}
  api_key_ws: {env: BENCH_KEY_WS}
handlers:
  - name: staff
    type: jwt
    issuer: %s
    audiences: [cat]
    algorithms: [RS256]
    keys: {jwks_file: keys.json}
    groups: realm_access.roles
permissions:
  everyone: [base]
  grants:
    - {from: [staff], groups: [cat-admins], allow: [admin]}
`
)
