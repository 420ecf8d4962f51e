package cattest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long an answer may take.
const patience = 30 * time.Second

// answer is a reply, read to its end.
type answer struct {
	*http.Response
	body string
}

// request is the bytes of a request; lines are header lines exactly as they are.
func (s *suite) request(method, target string, lines []string, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	host, length := true, body != ""
	for _, l := range lines {
		name, _, _ := strings.Cut(strings.ToLower(l), ":")
		host = host && name != "host"
		length = length && name != "transfer-encoding" && name != "content-length"
	}
	if host {
		fmt.Fprintf(&b, "Host: %s\r\n", s.host)
	}
	if length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	return b.String() + "\r\n" + body
}

// ask sends a request on a connection of its own.
func (s *suite) ask(t *testing.T, method, target string, lines []string, body string) answer {
	t.Helper()
	conn := s.connect(t)
	defer conn.Close()
	return s.askOn(t, conn, bufio.NewReader(conn), method, target, append(slices.Clip(lines), "Connection: close"), body)
}

func (s *suite) connect(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// askOn sends a request on a connection that may be used again.
func (s *suite) askOn(t *testing.T, conn net.Conn, r *bufio.Reader, method, target string, lines []string, body string) answer {
	t.Helper()
	if _, err := io.WriteString(conn, s.request(method, target, lines, body)); err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return answer{resp, string(b)}
}

// askJSON sends a JSON body.
func (s *suite) askJSON(t *testing.T, method, target string, lines []string, body string) answer {
	t.Helper()
	return s.ask(t, method, target, append(slices.Clip(lines), "Content-Type: application/json"), body)
}

// want fails unless the status is this one.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", a.StatusCode, status, short(a.body))
	}
	return a
}

// wantBody fails unless the body is exactly this one.
func (a answer) wantBody(t *testing.T, status int, body string) answer {
	t.Helper()
	a.want(t, status)
	if a.body != body {
		t.Fatalf("body %s, want %s", short(a.body), body)
	}
	return a
}

// wantHeader fails unless the header has this value; "" means that it is not there.
func (a answer) wantHeader(t *testing.T, name, value string) answer {
	t.Helper()
	if got := a.Header.Get(name); got != value {
		t.Errorf("%s: %q, want %q", name, got, value)
	}
	return a
}

// into reads the body as JSON.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("no JSON: %v: %s", err, short(a.body))
	}
}

const refusal = `{"detail":{"error":"Invalid Credentials"}}`

// refused fails unless the Cat refused, in its one way of doing so.
func (a answer) refused(t *testing.T) {
	t.Helper()
	a.wantBody(t, forbidden, refusal)
	a.wantHeader(t, "Content-Type", "application/json")
	a.wantHeader(t, "WWW-Authenticate", "")
}

func short(s string) string {
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}

// who asks the Cat who it takes the sender for.
func (s *suite) who(t *testing.T, lines ...string) string {
	t.Helper()
	var v struct {
		User string `json:"user_id"`
	}
	if s.Plugin {
		s.ask(t, "GET", "/custom/whoami", lines, "").want(t, ok).into(t, &v)
	} else {
		s.askJSON(t, "POST", "/message", lines, `{"text":"who am I?"}`).want(t, ok).into(t, &v)
	}
	return v.User
}

// history is what a user said and was told, by HTTP with the API key.
func (s *suite) history(t *testing.T, lines []string) []string {
	t.Helper()
	var v struct {
		History []struct{ Who, Text string }
	}
	s.ask(t, "GET", "/memory/conversation_history", lines, "").want(t, ok).into(t, &v)
	var list []string
	for _, h := range v.History {
		list = append(list, h.Who+": "+h.Text)
	}
	return list
}

// say is a turn over HTTP.
func (s *suite) say(t *testing.T, lines []string, text string) answer {
	t.Helper()
	return s.askJSON(t, "POST", "/message", lines, fmt.Sprintf(`{"text":%q}`, text)).want(t, ok)
}
