package proxy

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/upstream"
)

func socketDesk(t *testing.T, change func(*Options)) (*lab, *desk) {
	t.Helper()
	running, err := standin.Start(standin.Options{APIKey: labKey, APIKeyWS: "the-cats-ws-key", JWTSecret: "long and random"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	base, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{title: "desk"}
	return newDesk(t, func(o *Options) {
		o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{Base: base, ConnectTimeout: time.Second, ResponseTimeout: 5 * time.Second, Log: o.Log}))
		o.Credentials = cat.NewKeys(labKey, "the-cats-ws-key")
		if change != nil {
			change(o)
		}
	}, d), d
}

func withCookie(b *browser, origin string) http.Header {
	h := http.Header{"Cookie": {cookies(b)}}
	if origin != "" {
		h.Set("Origin", origin)
	}
	return h
}

func TestSocketBySession(t *testing.T) {
	l, _ := socketDesk(t, nil)
	b := l.browser(t)
	b.signIn("alice")
	c, _, err := l.dial("/ws/user", withCookie(b, publicURL))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if who := ask(t, c); who != "desk:alice" {
		t.Errorf("the Cat takes her for %q", who)
	}
	if _, text := b.script(http.MethodGet, "/_catflap/session", ""); !strings.Contains(text, `"this_session":true`) {
		t.Errorf("she does not see her socket: %s", text)
	}
	for name, h := range map[string]http.Header{
		"no origin":        withCookie(b, ""),
		"another site":     withCookie(b, "https://evil.example"),
		"a sandbox":        withCookie(b, "null"),
		"an extension":     withCookie(b, "chrome-extension://abcdef"),
		"two origins":      {"Cookie": {cookies(b)}, "Origin": {publicURL, publicURL}},
		"the other scheme": withCookie(b, "https://localhost:8080"),
		"nobody's cookie":  {"Cookie": {"catflap-8080=" + strings.Repeat("A", 43)}, "Origin": {publicURL}},
	} {
		c, resp, err := l.dial("/ws/user", h)
		if err == nil || resp == nil || resp.StatusCode != 403 && resp.StatusCode != 401 {
			t.Errorf("%s: %v %v", name, resp, err)
		}
		if c != nil {
			_ = c.Close()
		}
	}
}

func closedWith(t *testing.T, c *websocket.Conn) (int, string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		_, _, err := c.ReadMessage()
		if e, ok := errors.AsType[*websocket.CloseError](err); ok {
			return e.Code, e.Text
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestSocketsEndWithTheSession(t *testing.T) {
	l, _ := socketDesk(t, nil)
	for _, c := range []struct {
		name string
		end  func(b *browser)
	}{
		{"logout", func(b *browser) {
			b.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
		}},
		{"somebody else signs in", func(b *browser) { b.signIn("bob") }},
		{"signed out everywhere, elsewhere", func(*browser) {
			other := l.browser(t)
			other.signIn("alice")
			other.send(http.MethodPost, "/_catflap/logout", "everywhere=1", map[string]string{"Origin": publicURL})
		}},
		// Last: the desk gives each of her logins the same sid, which is then over.
		{"back-channel logout", func(b *browser) {
			b.send(http.MethodPost, "/_catflap/backchannel-logout/desk", "logout_token=alice.1", nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := l.browser(t)
			b.signIn("alice")
			conn, _, err := l.dial("/ws/user", withCookie(b, publicURL))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			begun := time.Now()
			c.end(b)
			if code, reason := closedWith(t, conn); code != 4401 || reason == "" || time.Since(begun) > time.Second {
				t.Errorf("%d %q after %v", code, reason, time.Since(begun))
			}
		})
	}
}

func (b *browser) ticket(origin string) (string, int) {
	b.t.Helper()
	resp, text := b.send(http.MethodPost, "/_catflap/ticket", "", map[string]string{"Origin": origin})
	var a struct {
		Ticket    string
		ExpiresIn int `json:"expires_in"`
	}
	_ = json.Unmarshal([]byte(text), &a)
	if resp.StatusCode == 200 && (a.Ticket == "" || a.ExpiresIn <= 0 || a.ExpiresIn > 60 || resp.Header.Get("Cache-Control") != "no-store") {
		b.t.Errorf("%s %v", text, resp.Header)
	}
	return a.Ticket, resp.StatusCode
}

func TestTicket(t *testing.T) {
	l, d := socketDesk(t, nil)
	b := l.browser(t)
	const app = "https://app.example.com"
	if _, status := b.ticket(app); status != 401 {
		t.Errorf("for nobody: %d", status)
	}
	b.signIn("alice")
	if _, status := b.ticket("https://evil.example"); status != 403 {
		t.Errorf("for another site: %d", status)
	}
	ticket, _ := b.ticket(app)
	from := http.Header{"Origin": {app}}
	c, _, err := l.dial("/ws/user?token="+ticket, from)
	if err != nil {
		t.Fatal(err)
	}
	if who := ask(t, c); who != "desk:alice" {
		t.Errorf("the Cat takes her for %q", who)
	}
	_ = c.Close()
	stolen, _ := b.ticket(app)
	late, _ := b.ticket(app)
	ended, _ := b.ticket(app)
	d.ahead.Add(int64(31 * time.Second))
	fresh, _ := b.ticket(app)
	http401 := map[string]func() (*http.Response, error){
		"used twice": func() (*http.Response, error) { _, r, err := l.dial("/ws/user?token="+ticket, from); return r, err },
		"by another page": func() (*http.Response, error) {
			_, r, err := l.dial("/ws/user?token="+stolen, http.Header{"Origin": {publicURL}})
			return r, err
		},
		"too late": func() (*http.Response, error) { _, r, err := l.dial("/ws/user?token="+late, from); return r, err },
		"no ticket": func() (*http.Response, error) {
			_, r, err := l.dial("/ws/user?token=cft_"+strings.Repeat("A", 43), from)
			return r, err
		},
		"hardly a ticket": func() (*http.Response, error) { _, r, err := l.dial("/ws/user?token=cft_", from); return r, err },
		"over HTTP":       func() (*http.Response, error) { r, _ := l.send(t, l.request(t, "GET", "/", fresh, "")); return r, nil },
		"for an ended login": func() (*http.Response, error) {
			b.send(http.MethodPost, "/_catflap/logout", "", map[string]string{"Origin": publicURL})
			_, r, err := l.dial("/ws/user?token="+ended, from)
			return r, err
		},
	}
	for name, try := range http401 {
		if resp, err := try(); resp == nil || resp.StatusCode != 401 {
			t.Errorf("%s: %v %v", name, resp, err)
		}
	}
	// Somebody with a token may have one too; it stands for that token's person.
	req := l.request(t, http.MethodPost, "/_catflap/ticket", "bob", "")
	_, text := l.send(t, req)
	var a struct{ Ticket string }
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(text)
	}
	c, _, err = l.dial("/ws/user", nil, "bearer", a.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if who := ask(t, c); who != "staff:bob" {
		t.Errorf("the Cat takes him for %q", who)
	}
}

func TestVisibleRefusals(t *testing.T) {
	l, _ := socketDesk(t, func(o *Options) { o.VisibleRefusals = true })
	for _, c := range []struct {
		name, path string
		header     http.Header
		code       int // of the close; 0: refused over HTTP
	}{
		{"nobody", "/ws", http.Header{"Origin": {publicURL}}, 4401},
		{"a bad token", "/ws?token=forged", http.Header{"Origin": {publicURL}}, 4401},
		{"a fault", "/ws?token=fault", http.Header{"Origin": {publicURL}}, 1013},
		{"another site", "/ws", http.Header{"Origin": {"https://evil.example"}}, 0},
		{"no browser", "/ws", nil, 0},
		{"two tokens", "/ws?token=a&token=b", http.Header{"Origin": {publicURL}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, resp, err := l.dial(c.path, c.header)
			if c.code == 0 {
				if err == nil || resp.StatusCode < 400 {
					t.Fatalf("%v %v", resp, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if code, reason := closedWith(t, conn); code != c.code || !strings.Contains(reason, ": ") {
				t.Errorf("%d %q", code, reason)
			}
		})
	}
}
