package app

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// TestTheAdminListenersNames: DNS rebinding makes a stranger's page of the same origin
// as this listener, by the stranger's name.
func TestTheAdminListenersNames(t *testing.T) {
	f := startFlap(t, "admin_hosts: [catflap-admin.internal]\n")
	ask := func(method, path, host string) int {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, "http://"+f.admin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Origin", "http://"+host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		c := plain()
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for _, host := range []string{
		"evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example:9090", "127.0.0.1.nip.io",
		"catflap-admin.internal.evil.example", "x.catflap-admin.internal", "localhos", "0x7f000001.example",
	} {
		for _, c := range []struct{ method, path string }{{"GET", "/healthz"}, {"GET", "/readyz"}, {"GET", "/metrics"}, {"POST", "/-/reload"}, {"GET", "/x"}} {
			if status := ask(c.method, c.path, host); status != http.StatusMisdirectedRequest && status != http.StatusBadRequest {
				t.Errorf("%s %s by %s: %d", c.method, c.path, host, status)
			}
		}
	}
	for _, host := range []string{
		"127.0.0.1:9090", "10.1.2.3:9090", "10.1.2.3", "[::1]:9090", "[2001:db8::1]", "localhost:9090", "LOCALHOST", "localhost.",
		"catflap-admin.internal:9090", "Catflap-Admin.Internal",
	} {
		for _, c := range []struct{ method, path string }{{"GET", "/healthz"}, {"GET", "/metrics"}, {"POST", "/-/reload"}} {
			if status := ask(c.method, c.path, host); status != http.StatusOK {
				t.Errorf("%s %s by %s: %d", c.method, c.path, host, status)
			}
		}
	}
}
