package app

import (
	"net/http"
	"time"
)

// outboundTimeout bounds a request of a handler's own, such as for keys.
const outboundTimeout = 10 * time.Second

// outbound is a client for the handlers' own requests: identity providers may lie
// behind the environment's proxy, the Cat never does.
func outbound() *http.Client {
	return &http.Client{Timeout: outboundTimeout, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: outboundTimeout, ResponseHeaderTimeout: outboundTimeout, IdleConnTimeout: time.Minute,
		ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 16,
	}}
}
