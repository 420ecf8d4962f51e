package proxy

import (
	"net/http"
	"strings"
	"testing"
)

func TestStrip(t *testing.T) {
	stay := []string{"Accept", "Content-Type", "User-Agent", "X-Requested-With", "Traceparent", "X-Request-Id", "X-My-Plugin"}
	goes := []string{
		"User_id", "User-Id", "USER_ID", "user.id", "X-User-Id", "X_User_Id", "Access_token", "Access-Token", "X-Access-Token", "Authorization",
		"Authorization_", "X-Authorization", "X-Api-Key", "Cookie", "Cookie2", "Forwarded", "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded_User",
		"X-Forwarded-Anything", "X-Real-Ip", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Method-Override", "Remote-User",
		"X-Remote-User", "X-Auth-Request-User", "X-Catflap-Subject", "X_Catflap_Subject", "Ccat_user", "Front-End-Https", "Proxy-Authorization",
		"Proxy-Connection", "Sec-Websocket-Protocol", "Upgrade", "Te", "Trailer", "Expect", "Origin", "Http2-Settings",
		"X-" + strings.Repeat("a", maxHeaderName), "Impersonate-User",
	}
	h := http.Header{}
	for _, name := range append(stay, goes...) {
		h[name] = []string{"x"}
	}
	strip(h)
	for _, name := range stay {
		if _, ok := h[name]; !ok {
			t.Errorf("%s was removed", name)
		}
	}
	for _, name := range goes {
		if _, ok := h[name]; ok {
			t.Errorf("%s was left", name)
		}
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

func FuzzStrip(f *testing.F) {
	f.Add("User_id")
	f.Add("x-forwarded-for")
	f.Fuzz(func(t *testing.T, name string) {
		h := http.Header{name: {"x"}}
		strip(h)
		if len(h) == 0 {
			return
		}
		var buf [maxHeaderName]byte
		folded := fold(buf[:0], name)
		for _, bad := range []string{"user_id", "access_token", "authorization"} {
			if folded == bad {
				t.Fatalf("%q was left", name)
			}
		}
		if strings.Contains(folded, "forwarded") {
			t.Fatalf("%q was left", name)
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
