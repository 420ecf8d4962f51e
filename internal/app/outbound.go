package app

import (
	"net/http"
	"time"
)

// outboundTimeout bounds a request of a handler's own, such as for keys.
const outboundTimeout = 10 * time.Second

// outboundIdle is how long a connection without a request is kept. Servers close theirs
// unannounced, the quickest after 2 s (gunicorn) and 5 s (Node, uvicorn, Apache), and a POST
// that meets that can't be sent again: a code of a sign-in is good once, and so is many a
// refresh token.
const outboundIdle = time.Second

// outbound is a client for the handlers' own requests: identity providers may lie
// behind the environment's proxy, the Cat never does.
func outbound() *http.Client {
	return &http.Client{Timeout: outboundTimeout, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: outboundTimeout, ResponseHeaderTimeout: outboundTimeout, IdleConnTimeout: outboundIdle,
		ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 16,
	}}
}
