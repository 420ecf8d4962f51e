package proxy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/upstream"
	"github.com/catflap/catflap/proxy/upstream/rawserver"
)

// dangerous are headers of answers that rule over a browser, a proxy in front, or a
// cache, or tell of the Cat.
func dangerous() []string {
	return []string{
		"X-Accel-Redirect", "X-Accel-Expires", "X-Accel-Buffering", "X-Accel-Limit-Rate", "X-Sendfile", "X-Sendfile2", "X-Lighttpd-Send-File",
		"X-Reproxy-Url", "X-Litespeed-Location", "Clear-Site-Data", "Nel", "Report-To", "Reporting-Endpoints", "Strict-Transport-Security",
		"Service-Worker-Allowed", "Refresh", "Public-Key-Pins", "Public-Key-Pins-Report-Only", "Set-Cookie2", "Proxy-Authenticate",
		"Proxy-Authentication-Info", "Www-Authenticate", "Authentication-Info", "Sec-Websocket-Accept", "Sec-Websocket-Protocol", "Alt-Svc", "Server",
		"Via", "Expect-Ct", "Accept-Ch", "Critical-Ch", "Speculation-Rules", "Sourcemap", "X-Sourcemap", "Surrogate-Control", "Surrogate-Key",
		"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Edge-Control", "X-Forwarded-For", "X-Catflap-User", "Access_token", "Authorization",
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Timing-Allow-Origin", "Content-Security-Policy-Report-Only",
		"Origin-Agent-Cluster", "Set-Login", "Attribution-Reporting-Register-Source", "Observe-Browsing-Topics", "X-Dns-Prefetch-Control",
		"X-Permitted-Cross-Domain-Policies", "Upgrade", "X-Middleware-Rewrite",
	}
}

func TestAnswersPassByAList(t *testing.T) {
	l := newLab(t, func(o *Options) { o.AnswerHeaders = []string{"x-total-count"} })
	stay := map[string]string{
		"Content-Type": "text/plain", "Etag": `"e"`, "Last-Modified": "Tue, 01 Dec 2026 00:00:00 GMT", "Content-Disposition": "attachment", "Retry-After": "7",
		"Content-Security-Policy": "default-src 'none'", "X-Frame-Options": "DENY", "X-Request-Id": "r1", "X-Total-Count": "3", "Accept-Ranges": "bytes",
		"Expires": "0", "Pragma": "no-cache",
	}
	l.cat.answers(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, name := range dangerous() {
			if name != "Upgrade" { // net/http's own to say
				h[name] = []string{"planted"}
			}
		}
		h["X-Plugin"], h["X_total_count"] = []string{"planted"}, []string{"planted"}
		for name, value := range stay {
			h.Set(name, value)
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	for _, method := range []string{"GET", "HEAD", "POST"} {
		resp, _ := l.send(t, l.request(t, method, "/", "admin", ""))
		for name, values := range resp.Header {
			if slices.Contains(values, "planted") {
				t.Errorf("%s: %s passed", method, name)
			}
		}
		for name, value := range stay {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", method, name, got, value)
			}
		}
	}
	for _, name := range append(dangerous(), "", "X-*") {
		if RefuseAnswerHeader(name) == "" {
			t.Errorf("%q may be listed", name)
		}
	}
	for _, name := range []string{"X-Total-Count", "X-Plugin", "HX-Redirect", "Server-Timing", "X-Process-Time", "Mcp-Session-Id", "Traceresponse"} {
		if reason := RefuseAnswerHeader(name); reason != "" {
			t.Errorf("%s %s", name, reason)
		}
	}
}

func TestHarmlessCookie(t *testing.T) {
	for line, want := range map[string]bool{
		"plugin=1":                              true,
		"plugin=1; Path=/; HttpOnly":            true,
		" plugin = 1":                           true,
		"plugin=":                               true,
		"plugin=a=b":                            true,
		"=catflap-8080=x":                       false,
		" =catflap-8080=x":                      false,
		"\t=\tcatflap-8080=x":                   false,
		"==catflap-8080=x":                      false,
		"; =catflap-8080=x":                     false,
		";plugin=1":                             false,
		"catflap-8080":                          false,
		"":                                      false,
		"plugin":                                false,
		"catflap-8080=x":                        false,
		"__Host-Catflap=x":                      false,
		"\tCATFLAP-8080\t=x":                    false,
		"ccat_user_token=x":                     false,
		" Access_Token = x":                     false,
		"\"catflap\"=x":                         false,
		"a b=x":                                 false,
		"a,catflap-8080=x":                      false,
		"a\x00=x":                               false,
		"plugin=1\x00; Path=/":                  false,
		"plugin=1\x7f":                          false,
		"\u00a0catflap-8080=x":                  false,
		"pl\u00fcgin=x":                         false,
		"plugin=1;\tPath=/":                     true,
		"\x0bplugin=1":                          false,
		"plugin=x, catflap-8080=y":              true, // one cookie with an odd value
		"(plugin)=1":                            false,
		"catflap.signin.x=1; Max-Age=0":         false,
		"ccat_user_token=; expires=Thu, 01 Jan": false,
		"__Secure-plugin=1; Secure":             true,
		"plugin=\u00e4":                         true,
		"plugin=1; Domain=example.com; =catflap=": true, // an attribute, which browsers ignore
	} {
		if got := harmlessCookie(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestAddressesOfTheCat(t *testing.T) {
	l := newLab(t, nil)
	host := l.upstream.URL[len("http://"):]
	ex := &exchange{h: l.handler, upstream: theCat(t, l.handler.o.Cats)}
	for at, want := range map[string]string{
		"http://" + host + "/a": "/a", "HTTP://" + host + "/a": "/a", "//" + host + "/a": "/a", "ws://" + host + "/a": "/a", "http://" + host: "/",
		"http://" + host + "\\evil": "", "http://" + host + "/\\evil": "/%5Cevil", "http://%zz/": "", "http://other:1/": "http://other:1/", "/a": "/a",
		"http://" + host + "?x=1": "/?x=1", "http://" + host + "#f": "/#f", "http://u:p@" + host + "/a": "/a",
		`http:\\` + host + "/a": "", `\\` + host + "/a": "", `/\` + host + "/a": "", `\/` + host: "", "///" + host + "/a": "", "http:/" + host + "/a": "",
		"http:" + host + "/a": "", "HTTPS:///" + host: "", `ws:\/` + host: "", `//\` + host: "", `/a\b`: `/a\b`, "?at=//x": "?at=//x", "mailto:a@b.example": "mailto:a@b.example",
	} {
		if got := ex.mapAddress(at); got != want {
			t.Errorf("%q became %q, want %q", at, got, want)
		}
	}
	for line, want := range map[string]string{
		`</next?page=2>; rel="next"`: `</next?page=2>; rel="next"`,
		`<http://` + host + `/p?page=2>; rel="next", <http://` + host + `/p>; rel=first`: `</p?page=2>; rel="next", </p>; rel=first`,
		`<https://other.example/x>; rel=next`:                                            `<https://other.example/x>; rel=next`,
		`< http://` + host + `/p >; rel=next`:                                            `</p>; rel=next`,
		`</x>; rel=next; anchor="http://` + host + `/"`:                                  "",
		`<http://` + host + `/p`:                                                         "",
		`<http://%zz/>; rel=x`:                                                           "",
	} {
		if got := ex.mapLinks(line); got != want {
			t.Errorf("%q became %q, want %q", line, got, want)
		}
	}
	for base, at := range map[string]string{"http://cat": "http://CAT:80/x", "http://cat:80": "http://cat./x", "https://cat": "https://cat:443/x", "http://[::1]:80": "http://[::1]/x",
		"https://cat:443": "http://cat/x", "http://CAT:80": "https://cat/x"} {
		ex.upstream = upstream.NewClient(upstream.ClientOptions{Base: mustParse(t, base), Log: ex.h.o.Log})
		if got := ex.mapAddress(at); got != "/x" {
			t.Errorf("%s of %s became %s", at, base, got)
		}
	}
}

// TestOneLocation: a second one, or one behind an empty one, is not passed on unread.
func TestOneLocation(t *testing.T) {
	l := newLab(t, nil)
	l.cat.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Location"] = []string{"", l.upstream.URL + "/a"}
		w.Header()["Content-Location"] = []string{"/a", l.upstream.URL + "/a"}
		w.WriteHeader(http.StatusCreated)
	})
	resp, _ := l.send(t, l.request(t, "GET", "/", "admin", ""))
	if at, of := resp.Header["Location"], resp.Header["Content-Location"]; len(at) > 0 || len(of) != 1 || of[0] != "/a" {
		t.Errorf("%q, %q", at, of)
	}
}

// TestTrailersAndInformationEndHere holds what comes beside the head to the same: on
// the kept connections, and on those of a body that streams.
func TestTrailersAndInformationEndHere(t *testing.T) {
	w := rawserver.New(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		for _, ok := next(); ok; _, ok = next() {
			_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: <http://cat/planted>; rel=preload\r\nSet-Cookie: catflap=planted\r\n\r\n"+
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Accel-Redirect, Set-Cookie\r\n\r\n2\r\nok\r\n0\r\n"+
				"X-Accel-Redirect: /planted\r\nSet-Cookie: catflap=planted\r\nX-More: planted\r\n\r\n")
		}
	})
	l := newLab(t, func(o *Options) { o.Cats = catAt(t, w.Base()) })
	for name, body := range map[string]io.Reader{"kept": nil, "streamed": io.MultiReader(bytes.NewReader(make([]byte, maxReplay+1)))} {
		req := l.request(t, "POST", "/message", "admin", "")
		if body != nil {
			req.Body, req.ContentLength = io.NopCloser(body), -1
		}
		informed := ""
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			informed = h.Get("Link") + h.Get("Set-Cookie")
			return nil
		}}))
		resp, text := l.send(t, req)
		if resp.StatusCode != 200 || text != "ok" || informed != "" || len(resp.Trailer) > 0 || resp.Header.Get("Trailer") != "" {
			t.Errorf("%s: %d %q, informed of %q, trailers %v", name, resp.StatusCode, text, informed, resp.Trailer)
		}
	}
}

func TestPersonalAnswersAreKeptByNobodyElse(t *testing.T) {
	l := newLab(t, nil)
	for _, c := range []struct {
		said string // by the Cat, lines parted by |
		want string
	}{
		{"", "private"},
		{"max-age=60", "private, max-age=60"},
		{"public, max-age=60", "private, max-age=60"},
		{"Public|s-maxage=9", "private"},
		{"PRIVATE, Max-Age=3", "private, max-age=3"},
		{`private="x-a, public", max-age=1`, "private, max-age=1"},
		{"no-cache", "private, no-cache"},
		{"no-store", "no-store"},
		{"max-age=0, No-Store", "max-age=0, No-Store"},
		{"no-store, must-understand", "private, no-store"},
		{"must-revalidate, immutable, stale-while-revalidate=5", "private, must-revalidate, immutable, stale-while-revalidate=5"},
		{`private="x`, "private, no-store"},
		{`no-cache="set-cookie", s-maxage = 5`, `private, no-cache="set-cookie"`},
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			for _, status := range []int{200, 304, 404} {
				l.cat.answers(func(w http.ResponseWriter, _ *http.Request) {
					if c.said != "" {
						w.Header()["Cache-Control"] = strings.Split(c.said, "|")
					}
					w.WriteHeader(status)
				})
				resp, _ := l.send(t, l.request(t, method, "/", "admin", ""))
				if got := strings.Join(resp.Header["Cache-Control"], "|"); got != c.want {
					t.Errorf("%s %d: %q became %q, want %q", method, status, c.said, got, c.want)
				}
				if v := strings.ToLower(strings.Join(resp.Header["Vary"], ", ")); !strings.Contains(v, "authorization") || !strings.Contains(v, "cookie") || !strings.Contains(v, "access_token") {
					t.Errorf("%s %d: Vary %q", method, status, v)
				}
			}
		}
	}
}

// TestWhatIsNobodysStaysCacheable: a public endpoint says itself how it is kept, as
// long as nobody comes with a name.
func TestWhatIsNobodysStaysCacheable(t *testing.T) {
	l := newLab(t, nil)
	l.cat.answers(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "public, max-age=60") })
	resp, _ := l.send(t, l.request(t, "GET", "/custom/public/logo", "", ""))
	if got := resp.Header.Get("Cache-Control"); got != "public, max-age=60" || strings.Contains(strings.Join(resp.Header["Vary"], ","), "Cookie") {
		t.Errorf("%q, Vary %q", got, resp.Header["Vary"])
	}
	resp, _ = l.send(t, l.request(t, "GET", "/custom/public/logo", "base", ""))
	if got := resp.Header.Get("Cache-Control"); got != "private, max-age=60" {
		t.Errorf("for somebody: %q", got)
	}
	l.cat.answers(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "accept, COOKIE") })
	resp, _ = l.send(t, l.request(t, "GET", "/", "base", ""))
	if got := strings.Join(resp.Header["Vary"], ", "); !strings.HasPrefix(got, "accept, COOKIE, Authorization, access_token") {
		t.Errorf("Vary %q", got)
	}
	l.cat.answers(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "*") })
	resp, _ = l.send(t, l.request(t, "GET", "/", "base", ""))
	if got := resp.Header.Values("Vary"); got[0] != "*" || strings.Contains(strings.Join(got, ","), "Cookie") {
		t.Errorf("Vary %q", got)
	}
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
