package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTheBrowser: it shows pages and keeps the cookies of two people apart.
func TestTheBrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.FormValue("name"); name != "" {
			http.SetCookie(w, &http.Cookie{Name: "name", Value: name, HttpOnly: true})
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		if r.URL.Path == "/teapot" {
			w.WriteHeader(http.StatusTeapot)
		}
		who := "nobody"
		if c, err := r.Cookie("name"); err == nil {
			who = c.Value
		}
		fmt.Fprintf(w, `<!doctype html><title>A page for %s</title><p id=who>%[1]s</p>
			<form method=post><input name=name value=old><button>Go</button></form>`, who)
	}))
	defer site.Close()

	people := map[string]*person{"ann": b.person(t), "ben": b.person(t)}
	for name, p := range people {
		tab := p.open()
		if status := tab.visit(site.URL); status != 200 {
			t.Fatalf("status %d", status)
		}
		tab.fill("input[name=name]", name)
		tab.click("button")
		tab.wait("greeted", `document.title == "A page for `+name+`"`)
	}
	for name, p := range people {
		tab := p.open()
		if status := tab.visit(site.URL + "/teapot"); status != http.StatusTeapot {
			t.Errorf("status %d", status)
		}
		if got := tab.text("#who"); got != name {
			t.Errorf("the second tab of %s shows %s", name, got)
		}
		if got := tab.title(); got != "A page for "+name {
			t.Errorf("title %q", got)
		}
		if c := p.cookies()["name"]; c == nil || c.Value != name || !c.HTTPOnly {
			t.Errorf("cookie of %s: %+v", name, c)
		}
		var page struct{ Status int }
		tab.eval(`fetch("/teapot").then(r => ({Status: r.status}))`, &page)
		if page.Status != http.StatusTeapot {
			t.Errorf("fetch: %+v", page)
		}
		if !strings.HasPrefix(tab.url(), site.URL) {
			t.Errorf("at %s", tab.url())
		}
	}
}

// TestTheBrowserStaysOnLoopback: no name leads out of the machine, whatever a page says.
func TestTheBrowserStaysOnLoopback(t *testing.T) {
	t.Parallel()
	tab := startBrowser(t).person(t).open()
	site := httptest.NewServer(http.NotFoundHandler())
	defer site.Close()
	tab.visit(site.URL)
	var got string
	tab.eval(`fetch("http://elsewhere.test/").then(() => "reached", e => "refused")`, &got)
	if got != "refused" {
		t.Errorf("a name that is not loopback's was %s", got)
	}
}
