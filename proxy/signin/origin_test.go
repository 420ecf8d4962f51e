package signin

import (
	"net/http"
	"testing"
)

func TestProvenance(t *testing.T) {
	const own = "https://chat.example"
	listed := []string{"https://app.example", "chrome-extension://abcdef"}
	for _, c := range []struct {
		name          string
		origins, site []string
		want          Proof
	}{
		{"nothing", nil, nil, NoProof},
		{"typed", nil, []string{"none"}, NoProof},
		{"our page reads", nil, []string{"same-origin"}, SameSite},
		{"our page", []string{own}, []string{"same-origin"}, SameSite},
		{"our page in another case", []string{"HTTPS://Chat.Example"}, nil, SameSite},
		{"a listed page", []string{"https://app.example"}, []string{"same-site"}, SameSite},
		{"a listed extension has no say with a cookie", []string{"chrome-extension://abcdef"}, []string{"cross-site"}, CrossSite},
		{"a stranger", []string{"https://evil.example"}, []string{"cross-site"}, CrossSite},
		{"a stranger who lies", []string{"https://evil.example"}, []string{"same-origin"}, CrossSite},
		{"a sub-domain", []string{"https://x.chat.example"}, []string{"same-site"}, CrossSite},
		{"a longer name", []string{"https://chat.example.evil.example"}, nil, CrossSite},
		{"the other scheme", []string{"http://chat.example"}, nil, CrossSite},
		{"another port", []string{"https://chat.example:8443"}, nil, CrossSite},
		{"null", []string{"null"}, nil, CrossSite},
		{"empty", []string{""}, nil, CrossSite},
		{"two", []string{own, own}, nil, CrossSite},
		{"an image on a stranger's page", nil, []string{"cross-site"}, CrossSite},
		{"a page of a neighbour", nil, []string{"same-site"}, CrossSite},
		{"unknown", nil, []string{"whatever"}, CrossSite},
		{"two sites", nil, []string{"same-origin", "same-origin"}, CrossSite},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{}}
			if c.origins != nil {
				r.Header["Origin"] = c.origins
			}
			if c.site != nil {
				r.Header["Sec-Fetch-Site"] = c.site
			}
			if got := Provenance(r, own, listed); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestNavigates(t *testing.T) {
	for _, c := range []struct {
		name, method string
		header       map[string]string
		want         bool
	}{
		{"a browser goes to a page", "GET", map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, true},
		{"an old browser", "GET", map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, true},
		{"HEAD", "HEAD", map[string]string{"Accept": "text/html"}, true},
		{"a frame", "GET", map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe", "Accept": "text/html"}, false},
		{"fetch", "GET", map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Accept": "text/html"}, false},
		{"an image", "GET", map[string]string{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, false},
		{"a form", "POST", map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}, false},
		{"a program", "GET", map[string]string{"Accept": "*/*"}, false},
		{"nothing", "GET", nil, false},
		{"a program that wants JSON", "GET", map[string]string{"Accept": "application/json"}, false},
		{"jQuery", "GET", map[string]string{"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, false},
		{"another origin's script", "GET", map[string]string{"Accept": "text/html", "Origin": "https://app.example"}, false},
		{"an upgrade", "GET", map[string]string{"Accept": "text/html", "Upgrade": "websocket"}, false},
		{"a kind that only begins so", "GET", map[string]string{"Accept": "text/html-fragment"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{Method: c.method, Header: http.Header{}}
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			if got := Navigates(r); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
