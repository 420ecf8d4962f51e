package proxy

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// byAddress knows everybody by where they are, by Basic, or by a key in a header.
type byAddress struct{}

func (byAddress) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if r.Credential.Bearer() {
		return nil, authhandlers.ErrNoCredential
	}
	return &authhandlers.AuthUserInfo{Issuer: "https://here.example", Subject: "alice", Groups: []string{"admin"}}, nil
}

// byHeader says that no browser sends its credential unasked.
type byHeader struct{ byAddress }

func (byHeader) Ambient(*authhandlers.Request) bool { return false }

func ambientLab(t *testing.T, h authhandlers.AuthHandler, public string) *lab {
	return newLab(t, func(o *Options) {
		var err error
		o.PublicURL = public
		o.Chain, err = authhandlers.NewChain(time.Now,
			authhandlers.Link{Name: "tokens", Alias: "tokens", Handler: tokens{}}, authhandlers.Link{Name: "staff", Alias: "staff", Handler: h})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestAmbientCredentials: a page of a stranger's may not act with what the browser
// sends by itself, and Host says nothing of whose page it is.
func TestAmbientCredentials(t *testing.T) {
	const (
		public = "https://chat.example"
		own    = "chat.example"
	)
	type header = map[string]string
	for _, c := range []struct {
		name, public, host, method string
		h                          header
		want                       int
	}{
		{"a program", public, own, "POST", nil, 200},
		{"a program by address", public, "127.0.0.1", "POST", nil, 200},
		{"a program without public_url", "", "catflap", "POST", nil, 200},
		{"our page", public, own, "POST", header{"Origin": public}, 200},
		{"a listed page", public, own, "POST", header{"Origin": "https://app.example.com"}, 200},
		{"our page reads", public, own, "GET", header{"Sec-Fetch-Site": "same-origin"}, 200},
		{"typed", public, own, "GET", header{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200},
		{"a link is followed", public, own, "GET", header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{"a stranger's form", public, own, "POST", header{"Origin": "https://evil.example"}, 403},
		{"a form of a page without origin", public, own, "POST", header{"Origin": "null"}, 403},
		{"an empty origin", "", own, "POST", header{"Origin": ""}, 403},
		{"a stranger's script reads", public, own, "GET", header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"a neighbour's script reads", public, own, "GET", header{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"a stranger's frame", public, own, "GET", header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		{"Basic, from a stranger's form", public, own, "POST", header{"Origin": "https://evil.example", "Authorization": "Basic dTpw"}, 403},
		{"Basic, from a program", public, own, "POST", header{"Authorization": "Basic dTpw"}, 200},
		{"rebinding without public_url", "", "evil.example", "POST", header{"Origin": "http://evil.example"}, 403},
		{"rebinding without public_url, to read", "", "evil.example", "GET", header{"Sec-Fetch-Site": "same-origin"}, 403},
		{"rebinding", public, "evil.example", "POST", header{"Origin": "http://evil.example"}, 403},
		{"rebinding, to read", public, "evil.example", "GET", header{"Sec-Fetch-Site": "same-origin"}, 403},
		{"rebinding, by a browser that says nothing", public, "evil.example", "GET", nil, 403},
		{"rebinding, in a window", public, "evil.example", "GET", header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403},
		{"a token, whatever the page", public, own, "POST", header{"Origin": "https://evil.example", "Authorization": "Bearer admin"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := ambientLab(t, byAddress{}, c.public)
			body, path := "", "/memory/collections"
			if c.method == "POST" {
				body, path = `{"text":"hi"}`, "/message"
			}
			r := l.request(t, c.method, path, "", body)
			r.Host = c.host
			for k, v := range c.h {
				r.Header[k] = []string{v}
			}
			resp, text := l.send(t, r)
			if resp.StatusCode != c.want || (l.cat.count() > 0) != (c.want == 200) {
				t.Errorf("%d, want %d; %d reached the Cat: %s", resp.StatusCode, c.want, l.cat.count(), text)
			}
		})
	}
}

func TestAnAmbientSocketIsOurPagesOwn(t *testing.T) {
	l := ambientLab(t, byAddress{}, "")
	r := l.request(t, http.MethodGet, "/ws", "", "")
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "http://evil.example",
	} {
		r.Header.Set(k, v)
	}
	r.Host = "evil.example"
	if resp, text := l.send(t, r); resp.StatusCode != http.StatusForbidden || l.cat.count() != 0 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestAHandlerThatKnowsBetter(t *testing.T) {
	l := ambientLab(t, byHeader{}, "https://chat.example")
	r := l.request(t, "POST", "/message", "", `{"text":"hi"}`)
	r.Host = "chat.example"
	r.Header.Set("Origin", "chrome-extension://abcdef")
	if resp, text := l.send(t, r); resp.StatusCode != http.StatusOK {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}
