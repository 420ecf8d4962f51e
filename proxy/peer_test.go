package proxy

import (
	"net/http"
	"testing"
)

func TestReadPeer(t *testing.T) {
	trusted := prefixes(t, "10.0.0.0/8", "2001:db8::/32")
	for _, c := range []struct {
		name, remote     string
		h                http.Header
		ip, scheme, host string
	}{
		{name: "nobody trusted says so", remote: "192.0.2.1:1", h: http.Header{"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}}, ip: "192.0.2.1", scheme: "http", host: "chat"},
		{name: "a trusted proxy", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"chat.example"}}, ip: "192.0.2.7", scheme: "https", host: "chat.example"},
		{name: "a chain of them", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"6.6.6.6, 192.0.2.7", "10.0.0.2"}}, ip: "192.0.2.7", scheme: "http", host: "chat"},
		{name: "nonsense in the list", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7, unknown, 10.0.0.2"}}, ip: "10.0.0.2", scheme: "http", host: "chat"},
		{name: "only proxies", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"10.0.0.3"}}, ip: "10.0.0.3", scheme: "http", host: "chat"},
		{name: "no list", remote: "10.0.0.1:1", ip: "10.0.0.1", scheme: "http", host: "chat"},
		{name: "IPv6", remote: "[2001:db8::1]:1", h: http.Header{"X-Forwarded-For": {"[2001:db9::7]"}}, ip: "2001:db9::7", scheme: "http", host: "chat"},
		{name: "a scheme of its own", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-Proto": {"javascript"}}, ip: "10.0.0.1", scheme: "http", host: "chat"},
		{name: "the scheme of a socket", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-Proto": {"wss"}}, ip: "10.0.0.1", scheme: "https", host: "chat"},
		{name: "the plain scheme of a socket", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-Proto": {"ws"}}, ip: "10.0.0.1", scheme: "http", host: "chat"},
		{name: "capitals", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-Proto": {" HTTPS"}}, ip: "10.0.0.1", scheme: "https", host: "chat"},
		{name: "capitals of a socket", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-Proto": {"WSS"}}, ip: "10.0.0.1", scheme: "https", host: "chat"},
		{name: "address and port", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7:50123"}}, ip: "192.0.2.7", scheme: "http", host: "chat"},
		{name: "addresses and ports", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7:50123, 10.0.0.2:8080"}}, ip: "192.0.2.7", scheme: "http", host: "chat"},
		{name: "IPv6 and port", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"[2001:db9::7]:443"}}, ip: "2001:db9::7", scheme: "http", host: "chat"},
		{name: "quotes", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {`"[2001:db9::7]:443"`}}, ip: "2001:db9::7", scheme: "http", host: "chat"},
		{name: "IPv4 in IPv6", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"::ffff:192.0.2.7"}}, ip: "192.0.2.7", scheme: "http", host: "chat"},
		{name: "IPv4 in IPv6, and port", remote: "[::ffff:10.0.0.1]:1", h: http.Header{"X-Forwarded-For": {"[::ffff:192.0.2.7]:9"}}, ip: "192.0.2.7", scheme: "http", host: "chat"},
		{name: "two proxies that append", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7, 10.0.0.2"}, "X-Forwarded-Proto": {"https, http"}, "X-Forwarded-Host": {"chat.example, inner"}}, ip: "192.0.2.7", scheme: "https", host: "chat.example"},
		{name: "two lines", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7", "10.0.0.2"}, "X-Forwarded-Proto": {"wss", "ws"}}, ip: "192.0.2.7", scheme: "https", host: "chat"},
		{name: "two proxies, the last replaces", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"192.0.2.7, 10.0.0.2"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"chat.example"}}, ip: "192.0.2.7", scheme: "https", host: "chat.example"},
		{name: "a client's claim before one proxy's", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-For": {"127.0.0.1, 192.0.2.7"}, "X-Forwarded-Proto": {"https, http"}, "X-Forwarded-Host": {"evil, chat.example"}}, ip: "192.0.2.7", scheme: "http", host: "chat.example"},
		{name: "an element of nothing", remote: "10.0.0.1:1", h: http.Header{"X-Forwarded-Proto": {""}, "X-Forwarded-Host": {" "}, "X-Forwarded-For": {","}}, ip: "10.0.0.1", scheme: "http", host: "chat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.h == nil {
				c.h = http.Header{}
			}
			got := readPeer(&http.Request{RemoteAddr: c.remote, Host: "chat", Header: c.h}, trusted)
			if got.ip.String() != c.ip || got.scheme != c.scheme || got.host != c.host {
				t.Errorf("%v %s %s", got.ip, got.scheme, got.host)
			}
		})
	}
}
