package cli_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// signIn goes through the demo as a browser does: to the chat page, over the
// provider's page back to it, and out again, there and at the provider.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signin HOST:PORT PERSON")
	}
	_, port, err := net.SplitHostPort(args[0])
	ts.Check(err)
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	b := &visitor{ts, "http://localhost:" + port, &http.Client{Jar: jar, Timeout: 10 * time.Second}}

	b.awaitDemo()
	page := b.follow(http.MethodGet, b.public+"/static/chat.html", nil)
	if page.url.Hostname() != "127.0.0.1" || !strings.Contains(page.body, `value="`+args[1]+`"`) {
		ts.Fatalf("the chat page leads to %s\n%s", page.url, page.body)
	}
	page = b.follow(http.MethodPost, page.url.String(), url.Values{"person": {args[1]}})
	if page.url.String() != b.public+"/static/chat.html" || page.status != http.StatusOK {
		ts.Fatalf("the login leads to %s: %d\n%s", page.url, page.status, page.body)
	}
	if s := b.session(); !s.SignedIn || s.User.ID != "demo:"+args[1] {
		ts.Fatalf("signed in as %+v", s)
	}
	if page = b.follow(http.MethodGet, b.public+"/memory/conversation_history", nil); page.status != http.StatusOK {
		ts.Fatalf("the session gets %d at the Cat", page.status)
	}
	admin := b.follow(http.MethodGet, b.public+"/admin/", nil)
	if want := map[string]int{"alice": http.StatusOK, "bob": http.StatusForbidden}[args[1]]; admin.status != want {
		ts.Fatalf("the admin panel answers %s with %d", args[1], admin.status)
	}

	out := b.follow(http.MethodPost, b.public+"/_catflap/logout", url.Values{})
	var next struct{ Redirect string }
	ts.Check(json.Unmarshal([]byte(out.body), &next))
	out = b.follow(http.MethodGet, next.Redirect, nil)
	if out.status != http.StatusOK || out.url.Hostname() != "localhost" {
		ts.Fatalf("the logout leads to %s: %d\n%s", out.url, out.status, out.body)
	}
	if s := b.session(); s.SignedIn {
		ts.Fatalf("still signed in: %+v", s)
	}
	if page = b.follow(http.MethodGet, b.public+"/static/chat.html", nil); page.url.Hostname() != "127.0.0.1" || !strings.Contains(page.body, args[1]) {
		ts.Fatalf("still signed in at the provider: %s", page.url)
	}
}

// visitor is a browser that follows redirects and keeps cookies.
type visitor struct {
	ts     *testscript.TestScript
	public string
	client *http.Client
}

type seenPage struct {
	url    *url.URL
	status int
	body   string
}

type sessionAnswer struct {
	SignedIn bool `json:"signed_in"`
	User     struct{ ID string }
}

// awaitDemo waits until the demo serves: at first somebody holds the port for it who
// answers nothing, and then the Cat's doors are tried.
func (b *visitor) awaitDemo() {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := b.client.Get(b.public + "/") // a program's question: 401 once it can be answered
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusUnauthorized {
			return
		}
	}
	b.ts.Fatalf("the demo does not serve at %s", b.public)
}

func (b *visitor) follow(method, address string, form url.Values) seenPage {
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	b.ts.Check(err)
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if strings.HasSuffix(address, "/logout") {
		req.Header.Set("Accept", "application/json")
	}
	resp, err := b.client.Do(req)
	b.ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.ts.Check(err)
	return seenPage{resp.Request.URL, resp.StatusCode, string(body)}
}

func (b *visitor) session() sessionAnswer {
	page := b.follow(http.MethodGet, b.public+"/_catflap/session", nil)
	var s sessionAnswer
	b.ts.Check(json.Unmarshal([]byte(page.body), &s))
	return s
}
