package main

// The peers as somebody who knows them would set them up.
const (
	nginxConf = `
worker_processes 2;
pid %s;
error_log stderr crit;
events { worker_connections 16384; }
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
  maxconn 8000
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
	// The example with one issuer of RS256 tokens, and as many messages as anybody likes:
	// what is measured of sockets is how fast they can be, not how fast they may be.
	// The bodies are no uploads at the Cat's own endpoints.
	catflapConf = `
version: 1
listen: %s
admin_listen: %s
trusted_proxies: []
origins: []
cat:
  url: http://%s
  contract: v1
  api_key: {env: BENCH_KEY}
  api_key_ws: {env: BENCH_KEY_WS}
  answer_headers: [User-Seen]
handlers:
  - name: staff
    alias: staff
    type: jwt
    issuer: %s
    audiences: [cat]
    algorithms: [RS256]
    keys: {jwks_file: keys.json}
    user_id: sub
    groups: realm_access.roles
    leeway: 60s
permissions:
  everyone: [base]
  grants:
    - from: [staff]
      groups: [cat-admins]
      allow: [admin]
    - from: [staff]
      groups: [cat-editors]
      allow: ["UPLOAD:WRITE", "MEMORY:READ"]
  public: []
  endpoints: []
websocket:
  session: %s
  query_token: true
  linger: 30s
  message_rate: 0
limits:
  body_bytes: 0
log:
  format: json
  audit: refusals
`
)
