package proxy

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

func TestPassing(t *testing.T) {
	stay := []string{
		"Accept", "Content-Type", "User-Agent", "X-Requested-With", "Traceparent", "X-Request-Id", "Range", "If-None-Match", "Last-Event-Id",
		"Cache-Control", "Idempotency-Key", "Sec-Fetch-Site", "Referer", "X-My-Plugin",
	}
	h := http.Header{}
	for _, name := range append(stay, strangers()...) {
		h[name] = []string{"x"}
	}
	h = passing(h, []string{"X-My-Plugin"})
	for _, name := range stay {
		if _, ok := h[name]; !ok {
			t.Errorf("%s was removed", name)
		}
		delete(h, name)
	}
	for name := range h {
		t.Errorf("%s was left", name)
	}
}

// TestSanitise: what a request names in Connection ends here, and so does each upgrade
// that is no WebSocket, however it is spelt.
func TestSanitise(t *testing.T) {
	l := newLab(t, nil)
	for name, h := range map[string]http.Header{
		"hop-by-hop": {"Connection": {"close, x-request-id"}, "X-Request-Id": {"r"}},
		"upgrade":    {"Connection": {"upgrade"}, "Upgrade": {"h2c"}},
		"no ASCII":   {"Connection": {"upgrade"}, "Upgrade": {"webs\u00f6cket"}},
		"trailers":   {"Te": {"trailers"}},
		"referer":    {"Referer": {"https://chat.example/page?code=1#here"}},
	} {
		req := l.request(t, "GET", "/", "alice", "")
		maps.Copy(req.Header, h)
		if resp, text := l.send(t, req); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
			continue
		}
		got := l.cat.last(t).Header
		for _, n := range []string{"Connection", "Upgrade", "X-Request-Id", "Te"} {
			if got.Get(n) != "" {
				t.Errorf("%s: the Cat gets %s: %s", name, n, got.Get(n))
			}
		}
		if referer := got.Get("Referer"); referer != "" && referer != "https://chat.example/page" {
			t.Errorf("%s: the Cat gets Referer: %s", name, referer)
		}
	}
}

// strangers are headers by which other servers and proxies say who somebody is, what
// they may and where they came from, and others that nobody let pass.
func strangers() []string {
	return []string{
		"User_id", "User-Id", "USER_ID", "user.id", "X-User-Id", "X_User_Id", "Access_token", "Access-Token", "X-Access-Token", "Authorization",
		"Authorization_", "X-Authorization", "X-Api-Key", "Cookie", "Cookie2", "Forwarded", "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded_User",
		"X-Forwarded-Anything", "X-Real-Ip", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Method-Override", "Remote-User",
		"X-Remote-User", "X-Auth-Request-User", "X-Catflap-Subject", "X_Catflap_Subject", "Ccat_user", "Front-End-Https", "Proxy-Authorization",
		"Proxy-Connection", "Sec-Websocket-Protocol", "Upgrade", "Te", "Trailer", "Expect", "Origin", "Http2-Settings", "Content_Type", "Content_length",
		"X-Authentik-Username", "X-Authentik-Meta-Jwks", "Oidc_claim_sub", "Oidc-Claim-Email", "X-Consumer-Id", "X-Consumer-Username",
		"X-Credential-Identifier", "Tailscale-User-Login", "Tailscale-User-Name", "X-Vouch-User", "X-Vouch-Idp-Claims-Name", "X-Userinfo", "Id-Token",
		"X-Id-Token", "Apikey", "Api-Key", "Client-Cert", "Client-Cert-Chain", "Dpop", "X-Webauth-User", "X-Goog-Iap-Jwt-Assertion",
		"X-Amzn-Oidc-Data", "X-Ms-Client-Principal-Name", "Cf-Access-Jwt-Assertion", "Cf-Connecting-Ip", "True-Client-Ip", "Fastly-Client-Ip",
		"X-Azure-Clientip", "X-Envoy-External-Address", "X-Forwarded-Client-Cert", "Ssl-Client-S-Dn", "X-Ssl-Client-Verify", "Remote-Groups",
		"X-Pomerium-Jwt-Assertion", "X-Jwt-Payload", "X-Grafana-User", "X-Token-Subject", "X-Account", "X-Email", "X-Roles", "X-Admin", "X-Sudo",
		"X-Scope-Orgid", "X-Tenant-Id", "Impersonate-User", "Baggage", "X-Session", "X-Csrf-Token", "X-Plugin", "Via", "Connection", "Keep-Alive",
		"From", "X-Sender", "X-Caller-Id", "X-Cert", "X-Fingerprint", "Shib-Eppn", "Eppn", "Mellon-Nameid", "X-Gss-Name", "X-Ident", "X-Uname", "X-Perms", "X-Grants",
		"X-Access-Level", "X-Rights", "X-Capabilities", "X-Clearance", "X-Organization-Id", "X-Realm", "X-Run-As", "X-Act-As", "X-Is-Root", "X-Staff",
		"X-Verified", "X-Internal", "X-Jws", "X-Passport", "X-Ticket", "X-Phpsessid", "X-Msisdn", "X-Logged-In", "X-Requester", "X-Author", "X-Profile",
		"X-Uuid", "Agent_id", "Agent-Id", "Cloudfront-Viewer-Address", "X-Sourceip", "X-Source-Address", "X-Hostname", "X-Pwd",
	}
}

// TestRefuseRequestHeader: nobody can let pass by a list what claims to be somebody.
func TestRefuseRequestHeader(t *testing.T) {
	for _, name := range append(strangers(), "", "a b", "X-*", "X:", "X-Ä", "X-\r\n", "X-"+strings.Repeat("a", maxHeaderName), "Set-Cookie", "Host") {
		if reason := RefuseRequestHeader(name); (reason == "") != (name == "X-Plugin") {
			t.Errorf("%q: refused because it %q", name, reason)
		}
	}
	for _, name := range []string{
		"X-Conversation-Id", "X-Plugin", "HX-Request", "HX-Current-URL", "X-Timezone", "X-Hub-Signature-256", "X-GitHub-Event", "Mcp-Protocol-Version",
		"Sec-Ch-Ua", "X-Chat-Model", "Accept-Datetime", "Tus-Resumable", "Upload-Offset",
	} {
		if reason := RefuseRequestHeader(name); reason != "" {
			t.Errorf("%s %s", name, reason)
		}
	}
	o := newLab(t, nil).handler.o
	o.ForwardHeaders = []string{"X-Remote-User"}
	if _, err := New(o); err == nil {
		t.Error("a Handler passes on X-Remote-User")
	}
}

func TestForwardCookies(t *testing.T) {
	lines := []string{"a=1; ccat_user_token=JWT; b=2", "access_token=JWT;c=3", `"a"=4;	b =5; __Host-catflap=S`}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"a"}, "a=1"},
		{[]string{"b", "c"}, "b=2; c=3"},
		{[]string{"ccat_user_token", "access_token"}, ""},
	} {
		if got := forwardCookies(lines, c.names); got != c.want {
			t.Errorf("%v: %q, want %q", c.names, got, c.want)
		}
	}
}

func FuzzPassing(f *testing.F) {
	f.Add("User_id")
	f.Add("x-forwarded-for")
	f.Add("X-Conversation")
	f.Fuzz(func(t *testing.T, name string) {
		h := passing(http.Header{name: {"x"}}, nil)
		if len(h) > 0 && name != http.CanonicalHeaderKey(name) {
			t.Fatalf("%q was left", name)
		}
		folded := fold(name)
		for _, bad := range []string{"user_id", "access_token", "authorization"} {
			if folded == bad && (len(h) > 0 || RefuseRequestHeader(name) == "") {
				t.Fatalf("%q passes", name)
			}
		}
		if strings.Contains(folded, "forwarded") && (len(h) > 0 || RefuseRequestHeader(name) == "") {
			t.Fatalf("%q passes", name)
		}
	})
}

func FuzzForwardCookies(f *testing.F) {
	f.Add("a=1; ccat_user_token=x", "a")
	f.Fuzz(func(t *testing.T, line, name string) {
		kept := forwardCookies([]string{line}, []string{name})
		for pair := range strings.SplitSeq(kept, "; ") {
			if got, _, _ := strings.Cut(pair, "="); pair != "" && got != name {
				t.Fatalf("%q of %q was kept for %q", pair, line, name)
			}
		}
	})
}
