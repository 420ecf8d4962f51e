package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// TestOnlyListedAnswerHeadersPass: a Cat's answer says everything by which a browser or
// a proxy in front could be ruled, in its head, before it and behind it. Nothing of that
// is in any byte that the client gets.
func TestOnlyListedAnswerHeadersPass(t *testing.T) {
	t.Parallel()
	cat := startHostileCat(t)
	c := cat.config()
	c.permissions = "everyone: [base, admin]\npublic: [GET /custom/**]"
	f := start(t, c)
	lines := []string{
		"X-Accel-Redirect: /planted", "X-Accel-Expires: 31536000", "X-Accel-Buffering: no", "X-Sendfile: /planted", "X-Lighttpd-Send-File: /planted",
		"Clear-Site-Data: \"*\"", "NEL: {\"report_to\":\"planted\",\"max_age\":9}", "Report-To: {\"group\":\"planted\",\"max_age\":9}",
		"Reporting-Endpoints: planted=\"https://x.example\"", "Strict-Transport-Security: max-age=31536000; includeSubDomains", "Service-Worker-Allowed: /",
		"Refresh: 0; url=http://" + cat.addr + "/planted", "Link: <http://" + cat.addr + "/linked>; rel=next", "Public-Key-Pins: planted", "Set-Cookie2: planted=1",
		"Proxy-Authenticate: Basic realm=planted", "WWW-Authenticate: Basic realm=planted", "Sec-WebSocket-Accept: planted", "Surrogate-Control: max-age=9",
		"CDN-Cache-Control: public, max-age=9", "Alt-Svc: h2=\"planted:1\"", "X-Nobody-Knows: planted", "Set-Cookie: =catflap-8080=planted",
		"Set-Cookie: \t=\tcatflap-8080=planted", "Set-Cookie: ; =catflap-8080=planted", "Set-Cookie: catflap-8080=planted", "Set-Cookie: catflap-planted",
		"Set-Cookie: CCAT_USER_TOKEN=planted", "Set-Cookie: plugin=1", "X-Total-Count: 3", "Cache-Control: public, max-age=60, s-maxage=600",
		"Location: http://" + strings.ToUpper(cat.addr) + "/moved",
	}
	informative := "HTTP/1.1 103 Early Hints\r\nLink: </planted>; rel=preload\r\nSet-Cookie: catflap-8080=planted\r\n\r\n"
	head := strings.Join(lines, "\r\n") + "\r\n"
	for name, answer := range map[string]string{
		"GET":  "HTTP/1.1 200 OK\r\n" + head + "Content-Length: 2\r\n\r\nok",
		"HEAD": "HTTP/1.1 200 OK\r\n" + head + "Content-Length: 2\r\n\r\n",
		"POST": informative + "HTTP/1.1 307 Temporary Redirect\r\n" + head + "Transfer-Encoding: chunked\r\nTrailer: X-Accel-Redirect\r\n\r\n2\r\nok\r\n0\r\n" +
			"X-Accel-Redirect: /planted\r\nSet-Cookie: catflap-8080=planted\r\n\r\n",
		"PUT": informative + "HTTP/1.1 401 Unauthorized\r\n" + head + "Content-Length: 2\r\n\r\nok",
	} {
		cat.set(func(c net.Conn) string {
			_, _ = io.WriteString(c, answer)
			return ""
		}, nil)
		for person, token := range map[string]string{"somebody": staff.token("bob"), "nobody": ""} {
			if person == "nobody" && name != "GET" && name != "HEAD" {
				continue
			}
			body := ""
			if name == "POST" { // long enough to stream
				body = fmt.Sprintf("{%s}", strings.Repeat(" ", 100<<10))
			}
			l := dial(t, f.addr)
			l.send(request(name+" /custom/poison", f.addr, token, body))
			got, err := l.receive(name)
			if err != nil {
				t.Fatal(name, err)
			}
			said := l.all.Bytes()
			for _, bad := range []string{
				"planted", cat.addr, "X-Accel", "Clear-Site-Data", "Strict-Transport", "Service-Worker", "Surrogate", "CDN-Cache", "Cdn-Cache", "Trailer",
				"103 Early", "Www-Authenticate: Basic",
			} {
				if bytes.Contains(said, []byte(bad)) {
					t.Errorf("%s for %s: %q is in\n%s", name, person, bad, said)
				}
			}
			for field, want := range map[string]string{"Set-Cookie": "plugin=1", "X-Total-Count": "3", "Link": "</linked>; rel=next", "Location": "/moved"} {
				if v := got.header[field]; len(v) != 1 || v[0] != want {
					t.Errorf("%s for %s: %s is %q, want %q", name, person, field, v, want)
				}
			}
			want := map[string]string{"somebody": "private, max-age=60", "nobody": "public, max-age=60, s-maxage=600"}[person]
			if v := got.header.Get("Cache-Control"); v != want {
				t.Errorf("%s for %s: Cache-Control %q, want %q", name, person, v, want)
			}
			if v := strings.Join(got.header["Vary"], ","); strings.Contains(v, "Cookie") != (person == "somebody") {
				t.Errorf("%s for %s: Vary %q", name, person, v)
			}
		}
	}
	refusal := exchange(t, f.addr, "GET", request("GET /users/", f.addr, "forged", ""))
	if v := refusal.header; v.Get("Cache-Control") != "no-store" || v.Get("WWW-Authenticate") == "" {
		t.Errorf("an answer of Catflap's own has %v", v)
	}
}
