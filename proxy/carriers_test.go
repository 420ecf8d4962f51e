package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// TestRefuseCarrierHeader: what reaches the Cat, the log or the connection by itself
// holds no credential.
func TestRefuseCarrierHeader(t *testing.T) {
	for _, name := range []string{
		"User-Agent", "user-agent", "USER_AGENT", "User.Agent", "Referer", "X-Request-Id", "x_request_id", "X-Correlation-ID", "Traceparent", "Accept",
		"Content-Type", "X-Requested-With", "Idempotency-Key", "Last-Event-ID", "Sec-Fetch-Site", "Cookie", "Cookie2", "Connection", "Upgrade", "Host",
		"Transfer-Encoding", "Proxy-Authorization", "Sec-WebSocket-Protocol", "Origin", "Access-Control-Request-Headers", "X-Forwarded-For",
		"X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Proto", "Sec-Ch-Ua", "Via", "", "a b", "X-*", "X:", "X-\r\n", "X-" + strings.Repeat("a", maxHeaderName),
	} {
		if RefuseCarrierHeader(name) == "" {
			t.Errorf("%q may carry a credential", name)
		}
	}
	for _, name := range []string{
		"Cf-Access-Jwt-Assertion", "X-Goog-IAP-JWT-Assertion", "x-amzn-oidc-data", "X-Legacy-Session", "Authorization", "access_token", "X-Forwarded-User",
		"X-Auth-Request-User", "X-Api-Key", "Remote-User", "user_id",
	} {
		if reason := RefuseCarrierHeader(name); reason != "" {
			t.Errorf("%s %s", name, reason)
		}
	}
}

// TestCarriersNeverPass: a Handler is not made that would pass on what a handler reads.
func TestCarriersNeverPass(t *testing.T) {
	for _, c := range []struct {
		name             string
		headers, cookies []string
		good             bool
	}{
		{"none", nil, nil, true},
		{"others", []string{"X-Edge"}, []string{"edge"}, true},
		{"a header that is passed on", []string{"X-Plugin"}, nil, false},
		{"in another spelling", []string{"x_plugin"}, nil, false},
		{"one that always passes", []string{"User-Agent"}, nil, false},
		{"no name", []string{""}, nil, false},
		{"a cookie that is passed on", nil, []string{"theme"}, false},
		{"a cookie in another spelling", nil, []string{"The_Me"}, true},
		{"a cookie in capitals", nil, []string{"THEME"}, false},
		{"no cookie's name", nil, []string{"a;b"}, false},
	} {
		o := newLab(t, nil).handler.o
		o.ForwardHeaders, o.ForwardCookies = []string{"x-plugin"}, []string{"theme"}
		chain, err := authhandlers.NewChain(time.Now, authhandlers.Link{Name: "h", Handler: tokens{}, Headers: c.headers, Cookies: c.cookies})
		if err != nil {
			t.Fatal(err)
		}
		o.Chain = chain
		if _, err := New(o); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
