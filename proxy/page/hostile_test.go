package page

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestLink(t *testing.T) {
	for _, good := range []string{"/", "/a/b?c=d&e=%2F#f", "/_catflap/login?idp=x", "https://idp.example", "https://idp.example:8443/a?b=c", "http://localhost:1865/", "http://[::1]:80/", "/ä", "/a//b", "HTTPS://idp.example/"} {
		if link(good) != good {
			t.Errorf("%q is not taken", good)
		}
	}
	for _, bad := range evil() {
		if got := link(bad); got != "" {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

// evil are addresses that must not become links.
func evil() []string {
	return []string{
		"", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
		"javascript://idp.example/%0aalert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd",
		"blob:https://idp.example/x", "mailto:a@b.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
		"/\t/evil.example", "/a\n", "\r\n/a", "https:evil.example", "https:///evil.example", "https://", "https://user@evil.example/",
		"https://idp.example:pw@evil.example/", "relative", "../up", "?q", "#f", "https://a b.example/", "https://[::1", "/a b", "/\x00", "/\x7f",
		`http://"00`, "https://a;b.example/", "https://ä.example/", "https://*.example/",
	}
}

func TestSources(t *testing.T) {
	got := sources([]string{
		"https://idp.example", "https://idp.example:8443/path?q#f", "http://localhost:8080", "HTTPS://login_1.example",
		"https://a.example;script-src", "https://a.example,https://b.example", "https://*.example", "*", "'unsafe-inline'", "https:", "data:", "",
		"https://a.example; default-src *", "https://a.example\r\nX: y", "https://a'.example", "https://[::1]:80", "javascript://a.example", "https://ä.example",
	})
	want := []string{"https://idp.example", "https://idp.example:8443", "http://localhost:8080", "https://login_1.example"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestHostile puts what an attacker would like to see on the page everywhere.
func TestHostile(t *testing.T) {
	texts := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
		`{{.Site}}`, `<!--`, `]]>`, `&lt;script&gt;`, "\u202egnp.exe", "\x00<b>", "\xff\xfe<b>", `</h1><h1>`, `<style>*{}</style>`, `<base href=//evil.example>`,
	}
	for _, theme := range []Theme{{Title: "The <Site>"}, {Title: "The <Site>", Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}} {
		p := newPages(t, theme)
		for _, s := range texts {
			for name, write := range every(p, s, "/ok?x="+"%22") {
				page := show(t, write)
				checkStructure(t, page)
				if t.Failed() {
					t.Fatalf("%s with %q:\n%s", name, s, page.Body)
				}
			}
		}
		for _, u := range evil() {
			for name, write := range every(p, "text", u) {
				page := show(t, write)
				checkStructure(t, page)
				for _, href := range page.links() {
					if !strings.HasPrefix(href, prefix+"login?idp=") {
						t.Errorf("%s with %q links to %q", name, u, href)
					}
				}
				if csp := page.Header().Get("Content-Security-Policy"); strings.Contains(csp, "evil") && !strings.HasPrefix(u, "https://") {
					t.Errorf("%s with %q: %s", name, u, csp)
				}
			}
		}
	}
}

// A page says what it is given, and not something else, when that has markup in it.
func TestShownAsWritten(t *testing.T) {
	p := newPages(t, Theme{})
	const name = `Bobby "<b>&amp;</b>" O'Neil`
	s := show(t, func(w http.ResponseWriter) { p.SignOut(w, SignOut{Name: name}) })
	if got := text(s.all("strong")[0]); got != name {
		t.Errorf("it reads %q", got)
	}
}

func FuzzLink(f *testing.F) {
	for _, s := range evil() {
		f.Add(s)
	}
	f.Add("/admin?a=b")
	f.Add("https://idp.example/x")
	p, err := New(prefix, Theme{Title: "The <Site>"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, write := range every(p, "x"+s, s) {
			page := show(t, write)
			checkStructure(t, page)
			for _, href := range page.links() {
				ours := strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") && !strings.ContainsAny(href, "\\\t\r\n")
				lower := strings.ToLower(href)
				if !ours && !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
					t.Errorf("%q becomes a link to %q", s, href)
				}
			}
			if csp := page.Header().Get("Content-Security-Policy"); strings.Count(csp, ";") != 5 || strings.ContainsAny(csp, ",\r\n") {
				t.Errorf("%q makes the policy %q", s, csp)
			}
		}
	})
}
