package proxy

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// parse reads a raw request as net/http would; ok is false when it refuses already.
func parse(t testing.TB, method, target, host string) (*http.Request, bool) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")))
	if err != nil {
		return nil, false
	}
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local))), true
}

func TestReadTarget(t *testing.T) {
	for _, c := range []struct {
		target, path, sent, query string
		err                       error
	}{
		{target: "/", path: "/", sent: "/"},
		{target: "/a/b/", path: "/a/b/", sent: "/a/b/"},
		{target: "/%6cl%6d/x", path: "/llm/x", sent: "/llm/x"},
		{target: "/plugins/a%20b", path: "/plugins/a b", sent: "/plugins/a%20b"},
		{target: "/plugins/%c3%ab", path: "/plugins/ë", sent: "/plugins/%C3%AB"},
		{target: "/a:b@c;d=e", path: "/a:b@c;d=e", sent: "/a:b@c;d=e"},
		{target: "/a[b]", path: "/a[b]", sent: "/a%5Bb%5D"},
		{target: "/x?q=%2F..&p=a;b", path: "/x", sent: "/x", query: "q=%2F..&p=a;b"},
		{target: "http://127.0.0.1:8080/x?y", path: "/x", sent: "/x", query: "y"},
		{target: "http://127.0.0.1/x", path: "/x", sent: "/x"},
		{target: "http://chat.example/x", path: "/x", sent: "/x"},
		{target: "http://other.example/x", err: errTargetHost},
		{target: "https://127.0.0.1/x", err: errTargetHost},
		{target: "/a%2fb", err: errTargetEscape},
		{target: "/a%252fb", err: errTargetEscape},
		{target: "/%ff", err: errTargetEscape},
		{target: "/a%0a", err: errTargetEscape},
		{target: "/%e2%80%a9", err: errTargetEscape},
		{target: "/..", err: errTargetSegment},
		{target: "/a/..;x/b", err: errTargetSegment},
		{target: "/%2e%2E/b", err: errTargetSegment},
		{target: "/a//b", err: errTargetSegment},
		{target: "//", err: errTargetSegment},
		{target: "/a%20/b", err: errTargetSegment},
		{target: "/a^b", err: errTargetByte},
		{target: "/a#b", err: errTargetByte},
	} {
		host := "127.0.0.1:8080"
		r, ok := parse(t, "GET", c.target, host)
		if !ok {
			t.Errorf("%s: net/http refuses it", c.target)
			continue
		}
		got, err := readTarget(r, "chat.example")
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.target, err, c.err)
		}
		if err == nil && (got.path != c.path || got.sent != c.sent || got.query != c.query) {
			t.Errorf("%s: path %q sent %q query %q, want %q %q %q", c.target, got.path, got.sent, got.query, c.path, c.sent, c.query)
		}
	}
}

func TestCleanQuery(t *testing.T) {
	for _, c := range []struct {
		raw, rest string
		tokens    int
	}{
		{"", "", 0},
		{"a=1&b=2", "a=1&b=2", 0},
		{"token=T", "", 1},
		{"a=1&token=T&b=2", "a=1&b=2", 1},
		{"a;token=T", "a", 1},
		{"token=T;a=1&b", "a=1&b", 1},
		{"tok%65n=T&a", "a", 1},
		{"token=T&token=U", "", 2},
		{"token=", "", 0},
		{"token", "", 0},
		{"Token=T", "Token=T", 0},
		{"user_id=bob&access_token=T&x", "x", 0},
		{"a=%zz&b", "a=%zz&b", 0},
		{"&&", "&&", 0},
		{"x=/user&token=K", "x=/user", 1},
		{"x&?token=K", "x", 1},
		{strings.Repeat("a=1&", 10001) + "token=T", strings.TrimSuffix(strings.Repeat("a=1&", 10001), "&"), 1},
	} {
		rest, tokens, _, err := cleanQuery(c.raw)
		if err != nil || rest != c.rest || len(tokens) != c.tokens {
			t.Errorf("%.40q: rest %.40q, %d tokens, %v", c.raw, rest, len(tokens), err)
		}
	}
	if _, _, _, err := cleanQuery("token=%zz"); !errors.Is(err, errTargetQuery) {
		t.Errorf("a malformed token parameter: %v", err)
	}
}

// FuzzTarget holds the rule that what was judged is what is sent: the path that
// leaves decodes, once, to exactly the path that was matched, has no second
// reading, and the query has lost what claims an identity.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a/b?c=d", "/%41/x;y", "/a%2e%2e", "//x", "/ws/a?token=x;token=y", "http://127.0.0.1/x", "*", "/é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := &http.Request{Method: "GET", RequestURI: raw, Host: "127.0.0.1"}
		got, err := readTarget(r, "127.0.0.1")
		if err != nil {
			return
		}
		back, err := url.PathUnescape(got.sent)
		if err != nil || back != got.path {
			t.Fatalf("%q is judged as %q and sent as %q", raw, got.path, got.sent)
		}
		if got.path[0] != '/' || strings.Contains(got.path, "//") || strings.ContainsAny(got.path, "\\#?%\x00\r\n") {
			t.Fatalf("%q has the path %q", raw, got.path)
		}
		for segment := range strings.SplitSeq(got.path[1:], "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q has the path %q", raw, got.path)
			}
		}
		rest, tokens, _, err := cleanQuery(got.query)
		if err != nil || rest != got.query || len(tokens) > 0 {
			t.Fatalf("%q: the query %q is not clean", raw, got.query)
		}
	})
}

func TestValidHost(t *testing.T) {
	for host, want := range map[string]bool{
		"chat.example.com": true, "127.0.0.1:8080": true, "[::1]:8080": true, "[::1]": true, "a": true,
		"": false, ":80": false, "a:b": false, "a:99999": false, "a:0": false, "a:": false, "[::1": false, "a]": false,
	} {
		if got := validHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
