package cattest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// adminPages: the panel's pages ask for a cookie.
func (s *suite) adminPages(t *testing.T) {
	t.Run("without a slash", func(t *testing.T) {
		s.ask(t, "GET", "/admin", nil, "").want(t, http.StatusTemporaryRedirect).
			wantHeader(t, "Location", "http://"+s.host+"/admin/")
	})
	for path, referer := range map[string]string{"/admin/": "%2Fadmin%2F", "/admin/memory": "%2Fadmin%2Fmemory"} {
		t.Run(path+" without the cookie", func(t *testing.T) {
			s.ask(t, "GET", path, nil, "").wantBody(t, http.StatusTemporaryRedirect, `{"detail":"Temporary Redirect"}`).
				wantHeader(t, "Location", "/auth/login?referer="+referer)
		})
	}
	t.Run("with the cookie", func(t *testing.T) {
		cookie := s.APIKey
		if cookie == "" {
			if s.APIKeyWS != "" {
				t.Skip("no cookie is good")
			}
			cookie = "anything"
		}
		for _, path := range []string{"/admin/", "/admin/memory", "/admin/memory/"} {
			a := s.ask(t, "GET", path, []string{"Cookie: other=1; ccat_user_token=" + cookie}, "").want(t, ok)
			if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s: %s", path, a.Header.Get("Content-Type"))
			}
		}
	})
	t.Run("with a wrong cookie", func(t *testing.T) {
		s.bothKeys(t)
		s.ask(t, "GET", "/admin/", []string{"Cookie: ccat_user_token=wrong"}, "").want(t, http.StatusTemporaryRedirect)
	})
	t.Run("with a token", func(t *testing.T) {
		s.secret(t)
		id := s.account(t, s.name("panel"), nil)
		s.ask(t, "GET", "/admin/", []string{"Cookie: ccat_user_token=" + s.minted(t, id, s.name("alice"))}, "").want(t, ok)
	})
}

// manners: redirects, errors, and connections.
func (s *suite) manners(t *testing.T) {
	t.Run("slashes", func(t *testing.T) {
		for path, want := range map[string]string{
			"/users": "/users/", "/users?a=b%20c": "/users/?a=b%20c", "/plugins": "/plugins/",
			"/rabbithole": "/rabbithole/", "/message/": "/message", "/static": "/static/",
			"/memory/collections/": "/memory/collections", "/llm/settings/": "/llm/settings",
		} {
			a := s.ask(t, "GET", path, nil, "")
			if a.StatusCode != http.StatusTemporaryRedirect || a.Header.Get("Location") != "http://"+s.host+want {
				t.Errorf("%s: %d %q", path, a.StatusCode, a.Header.Get("Location"))
			}
		}
		s.ask(t, "POST", "/rabbithole", nil, "x").want(t, http.StatusTemporaryRedirect)
	})
	t.Run("the host of a redirect", func(t *testing.T) {
		s.ask(t, "GET", "/users", []string{"Host: cat.example:81"}, "").wantHeader(t, "Location", "http://cat.example:81/users/")
		s.ask(t, "GET", "/users", []string{"Host: cat.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /p"}, "").
			wantHeader(t, "Location", "http://cat.example/users/")
		if strings.HasPrefix(s.host, "127.0.0.1:") {
			s.ask(t, "GET", "/users", []string{"Host: cat.example", "X-Forwarded-Proto: https"}, "").
				wantHeader(t, "Location", "https://cat.example/users/")
		}
	})
	t.Run("not found", func(t *testing.T) {
		for _, path := range []string{"/nowhere", "//message", "/users/a/b", "/Message", "/static/none", "/static/", "/admin/a/b"} {
			s.ask(t, "GET", path, nil, "").wantBody(t, http.StatusNotFound, `{"detail":"Not Found"}`)
		}
	})
	t.Run("wrong verb", func(t *testing.T) {
		for _, tt := range []struct{ method, path, allow string }{
			{"DELETE", "/message", "POST"}, {"POST", "/", "GET"}, {"GET", "/plugins/toggle/x", "PUT"},
			{"PATCH", "/users/x", "GET"}, {"PUT", "/plugins/upload", "POST"},
		} {
			s.ask(t, tt.method, tt.path, nil, "").wantBody(t, http.StatusMethodNotAllowed, `{"detail":"Method Not Allowed"}`).
				wantHeader(t, "Allow", tt.allow)
		}
		s.ask(t, "HEAD", "/", s.key(), "").want(t, http.StatusMethodNotAllowed)
		s.ask(t, "POST", "/static/hello.txt", nil, "").want(t, http.StatusMethodNotAllowed).wantHeader(t, "Allow", "")
	})
	t.Run("bad JSON is refused before the credential", func(t *testing.T) {
		a := s.askJSON(t, "POST", "/message", nil, "{bad").want(t, http.StatusBadRequest)
		if !strings.HasPrefix(a.body, `{"error":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error"`) {
			t.Errorf("body %s", a.body)
		}
	})
	t.Run("JSON of a wrong shape", func(t *testing.T) {
		s.askJSON(t, "POST", "/message", s.key(), "[]").wantBody(t, http.StatusBadRequest,
			`{"error":[{"type":"dict_type","loc":["body"],"msg":"Input should be a valid dictionary","input":[]}]}`)
	})
	t.Run("faults", func(t *testing.T) {
		for name, do := range map[string]func() answer{
			"a failed turn": func() answer { return s.askJSON(t, "POST", "/message", s.key(), `{"text":{}}`) },
			"JSON sent as form": func() answer {
				return s.ask(t, "POST", "/message", s.key("Content-Type: application/x-www-form-urlencoded"), `{"text":"x"}`)
			},
			"delete with no filter": func() answer {
				return s.askJSON(t, "DELETE", "/memory/collections/episodic/points", s.key(), "{}")
			},
		} {
			a := do()
			if a.StatusCode != fault || a.body != "Internal Server Error" || a.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: %d %q %s", name, a.StatusCode, a.Header.Get("Content-Type"), short(a.body))
			}
		}
		if s.APIKey != "" {
			s.ask(t, "POST", "/message", []string{"Content-Type: text/plain"}, `{"text":"x"}`).refused(t)
		}
	})
	t.Run("a fault ends the connection", func(t *testing.T) {
		conn := s.connect(t)
		defer conn.Close()
		r := bufio.NewReader(conn)
		s.askOn(t, conn, r, "GET", "/", s.key(), "").want(t, ok)
		a := s.askOn(t, conn, r, "POST", "/message", s.key("Content-Type: application/json"), `{"text":{}}`).want(t, fault)
		if a.Close || a.Header.Get("Connection") != "" {
			t.Error("it was announced")
		}
		if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("read %v, want the end", err)
		}
	})
	t.Run("an idle connection lives 5 seconds", func(t *testing.T) {
		s.once(t)
		conn := s.connect(t)
		defer conn.Close()
		r := bufio.NewReader(conn)
		s.askOn(t, conn, r, "GET", "/", s.key(), "").want(t, ok)
		began := time.Now()
		_, err := r.ReadByte()
		if took := time.Since(began); !errors.Is(err, io.EOF) || took < 4500*time.Millisecond || took > 7*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
	t.Run("chunked body", func(t *testing.T) {
		s.ask(t, "POST", "/message", s.key("Content-Type: application/json", "Transfer-Encoding: chunked"),
			"6\r\n{\"text\r\n9\r\n\":\"hello\"\r\n1\r\n}\r\n0\r\n\r\n").want(t, ok)
	})
	t.Run("a large message", func(t *testing.T) {
		s.once(t)
		s.echoes(t)
		s.askJSON(t, "POST", "/message", s.as(s.name("large")), fmt.Sprintf(`{"text":"big 1","ballast":%q}`, strings.Repeat("x", 20<<20))).want(t, ok)
	})
	t.Run("no body is hello", func(t *testing.T) {
		s.echoes(t)
		var v struct{ Text string }
		s.ask(t, "POST", "/message", s.as(s.name("nobody")), "").want(t, ok).into(t, &v)
		if v.Text != "You said: hello!" {
			t.Errorf("text %q", v.Text)
		}
	})
	t.Run("a stream comes as it is made", func(t *testing.T) { s.streams(t) })
}

func (s *suite) streams(t *testing.T) {
	s.plugin(t)
	conn := s.connect(t)
	defer conn.Close()
	if _, err := io.WriteString(conn, s.request("GET", "/custom/stream?n=3&ms=300", nil, "")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" || len(resp.TransferEncoding) != 1 {
		t.Errorf("%q %v", got, resp.TransferEncoding)
	}
	lines := bufio.NewReader(resp.Body)
	began := time.Now()
	for i := range 3 {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: {\"n\": %d}\n", i) {
			t.Fatalf("event %d: %q %v", i, line, err)
		}
		lines.ReadString('\n')
		// If they were held back, they would come together. How late one is says how busy the machine is.
		if early := time.Duration(i)*300*time.Millisecond - time.Since(began); early > 50*time.Millisecond {
			t.Errorf("event %d comes %v before its time", i, early)
		}
	}
}

// crossOrigin: the Cat lets every origin in.
func (s *suite) crossOrigin(t *testing.T) {
	const origin = "https://elsewhere.example"
	t.Run("preflight", func(t *testing.T) {
		s.ask(t, "OPTIONS", "/message", []string{"Origin: " + origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: access_token,user_id"}, "").
			wantBody(t, ok, "OK").
			wantHeader(t, "Access-Control-Allow-Origin", origin).
			wantHeader(t, "Access-Control-Allow-Credentials", "true").
			wantHeader(t, "Access-Control-Allow-Headers", "access_token,user_id").
			wantHeader(t, "Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT").
			wantHeader(t, "Access-Control-Max-Age", "600").
			wantHeader(t, "Vary", "Origin").
			wantHeader(t, "Content-Type", "text/plain; charset=utf-8")
	})
	t.Run("no preflight", func(t *testing.T) {
		s.ask(t, "OPTIONS", "/message", []string{"Origin: " + origin}, "").want(t, http.StatusMethodNotAllowed)
	})
	t.Run("reply", func(t *testing.T) {
		s.ask(t, "GET", "/", s.key("Origin: "+origin), "").want(t, ok).
			wantHeader(t, "Access-Control-Allow-Origin", "*").
			wantHeader(t, "Access-Control-Allow-Credentials", "true")
	})
	t.Run("reply to a request with a cookie", func(t *testing.T) {
		s.ask(t, "GET", "/", s.key("Origin: "+origin, "Cookie: a=b"), "").want(t, ok).
			wantHeader(t, "Access-Control-Allow-Origin", origin).
			wantHeader(t, "Vary", "Origin")
	})
	t.Run("refusals too", func(t *testing.T) {
		s.ask(t, "GET", "/nowhere", []string{"Origin: " + origin}, "").wantHeader(t, "Access-Control-Allow-Origin", "*")
	})
	t.Run("faults not", func(t *testing.T) {
		s.askJSON(t, "POST", "/message", s.key("Origin: "+origin), `{"text":{}}`).want(t, fault).
			wantHeader(t, "Access-Control-Allow-Origin", "")
	})
	t.Run("without an origin", func(t *testing.T) {
		s.ask(t, "GET", "/", s.key(), "").wantHeader(t, "Access-Control-Allow-Origin", "")
	})
}
