package page

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const prefix = "/_catflap/"

func newPages(t *testing.T, theme Theme) *Pages {
	t.Helper()
	p, err := New(prefix, theme)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shown is one page as a browser gets it.
type shown struct {
	*httptest.ResponseRecorder
	root *html.Node
}

func show(t *testing.T, write func(w http.ResponseWriter)) shown {
	t.Helper()
	rec := httptest.NewRecorder()
	write(rec)
	root, err := html.Parse(strings.NewReader(rec.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return shown{rec, root}
}

// all are the elements of a name; * is any.
func (s shown) all(name string) []*html.Node { return all(s.root, name) }

// all are those of the page that an element is of.
func all(of *html.Node, name string) []*html.Node {
	for of.Parent != nil {
		of = of.Parent
	}
	var out []*html.Node
	for n := range of.Descendants() {
		if n.Type == html.ElementNode && (name == "*" || n.Data == name) {
			out = append(out, n)
		}
	}
	return out
}

func (s shown) links() []string {
	var out []string
	for _, a := range s.all("a") {
		out = append(out, attribute(a, "href"))
	}
	return out
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// every shows each page with s as every text and u as every address.
func every(p *Pages, s, u string) map[string]func(w http.ResponseWriter) {
	return map[string]func(w http.ResponseWriter){
		"choose": func(w http.ResponseWriter) {
			p.Choose(w, http.StatusOK, Choose{ReturnTo: u, Providers: []Provider{{Name: s, Title: s, URL: u}, {Name: s, Title: s, Preferred: true}}})
		},
		"home": func(w http.ResponseWriter) {
			p.Home(w, Home{Name: s, Unlisted: true, StartURL: u, PanelURL: u, SignOutURL: u})
		},
		"alone": func(w http.ResponseWriter) { p.Home(w, Home{Name: s, PanelURL: u}) },
		"none":  func(w http.ResponseWriter) { p.Choose(w, http.StatusNotFound, Choose{}) },
		"password": func(w http.ResponseWriter) {
			p.Password(w, http.StatusForbidden, Password{Title: s, Wrong: true, ReturnTo: u, OtherURL: u, FormOrigins: []string{u}})
		},
		"signout": func(w http.ResponseWriter) {
			p.SignOut(w, SignOut{Name: s, HomeURL: u, FormOrigins: []string{u}})
		},
		"signedout": func(w http.ResponseWriter) { p.SignedOut(w, SignedOut{SignInURL: u, Note: s}) },
		"refused": func(w http.ResponseWriter) {
			p.Refused(w, http.StatusForbidden, Refused{Name: s, Text: s, Hint: s, RequestID: s, SwitchURL: u, SignOutURL: u, HomeURL: u})
		},
		"problem": func(w http.ResponseWriter) {
			p.Problem(w, http.StatusBadGateway, Problem{Heading: s, Text: s, Hint: s, Detail: s, Code: s, RequestID: s, RetryURL: u, HomeURL: u})
		},
	}
}

func TestStructure(t *testing.T) {
	p := newPages(t, Theme{Title: "The <Site>"})
	for name, write := range every(p, "Some text", "/somewhere") {
		t.Run(name, func(t *testing.T) { checkStructure(t, show(t, write)) })
	}
}

// checkStructure holds what is true of every page, whatever is in it.
func checkStructure(t *testing.T, s shown) {
	t.Helper()
	for _, c := range []string{"html", "title", "header", "main", "h1"} {
		if n := len(s.all(c)); n != 1 {
			t.Fatalf("%d elements %s", n, c)
		}
	}
	if lang := attribute(s.all("html")[0], "lang"); lang != "en" {
		t.Errorf("lang is %q", lang)
	}
	heading := text(s.all("h1")[0])
	if got := text(s.all("title")[0]); heading == "" || got != heading+" – The <Site>" {
		t.Errorf("the title is %q, the heading %q", got, heading)
	}
	if !strings.Contains(text(s.all("header")[0]), "The <Site>") {
		t.Error("the name of the service is not on the page")
	}
	ids := map[string]bool{}
	for _, n := range s.all("*") {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
	}
	for _, n := range s.all("*") {
		checkElement(t, n, ids)
	}
}

func checkElement(t *testing.T, n *html.Node, ids map[string]bool) {
	t.Helper()
	known := []string{"html", "head", "meta", "title", "link", "body", "header", "main", "img", "p", "bdi", "h1", "nav", "ul", "li", "a", "span", "form", "button", "strong", "div", "code", "label", "input"}
	if !slices.Contains(known, n.Data) {
		t.Errorf("an element %s", n.Data)
	}
	for _, a := range n.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on"), slices.Contains([]string{"style", "srcset", "background", "formaction", "http-equiv", "target", "tabindex"}, a.Key):
			t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
		case slices.Contains([]string{"href", "src", "action"}, a.Key) && link(a.Val) == "":
			t.Errorf("<%s %s=%q> leads nowhere good", n.Data, a.Key, a.Val)
		case (n.Data == "link" || n.Data == "img" || n.Data == "form") && (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, prefix):
			t.Errorf("<%s %s=%q> is not ours", n.Data, a.Key, a.Val)
		case (a.Key == "aria-describedby" || a.Key == "aria-labelledby") && !ids[a.Val]:
			t.Errorf("%s=%q means nothing", a.Key, a.Val)
		}
	}
	if (n.Data == "a" || n.Data == "button") && text(n) == "" {
		t.Errorf("a %s without a name", n.Data)
	}
	if n.Data == "img" && !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
		t.Error("an image without alt")
	}
	if n.Data == "input" && attribute(n, "type") != "hidden" && !slices.ContainsFunc(all(n, "label"), func(l *html.Node) bool { return attribute(l, "for") == attribute(n, "id") }) {
		t.Error("an input without a label")
	}
	if n.Data == "nav" && attribute(n, "aria-labelledby") == "" {
		t.Error("a nav without a name")
	}
}

func TestHeaders(t *testing.T) {
	p := newPages(t, Theme{})
	const form = "form-action 'self' https://idp.example"
	for name, c := range map[string]struct {
		status         int
		form, referrer string
	}{
		"home":      {200, "form-action 'none'", "no-referrer"},
		"choose":    {200, "form-action 'none'", "no-referrer"},
		"none":      {404, "form-action 'none'", "no-referrer"},
		"password":  {403, form, "same-origin"},
		"signout":   {200, form, "same-origin"},
		"signedout": {200, "form-action 'none'", "no-referrer"},
		"refused":   {403, "form-action 'none'", "no-referrer"},
		"problem":   {502, "form-action 'none'", "no-referrer"},
	} {
		s := show(t, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "5")
			w.Header().Set("Set-Cookie", "a=b")
			every(p, "text", "https://idp.example/logout?x=y")[name](w)
		})
		if s.Code != c.status {
			t.Errorf("%s: %d", name, s.Code)
		}
		for key, want := range map[string]string{
			"Content-Type":            "text/html; charset=utf-8",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; " + c.form + "; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Cache-Control":           "no-store",
			"Referrer-Policy":         c.referrer,
			"Retry-After":             "5",
			"Set-Cookie":              "a=b",
		} {
			if got := s.Header().Get(key); got != want {
				t.Errorf("%s: %s: %q, not %q", name, key, got, want)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	p := newPages(t, Theme{})
	s := show(t, func(w http.ResponseWriter) {
		p.Choose(w, http.StatusOK, Choose{ReturnTo: "/admin?a=b&c", Providers: []Provider{
			{Name: "company", Title: "Company account"},
			{Name: "a&idp=b", URL: ""},
			{Name: "own", Title: "Own", URL: "/own/login?x=1&y=2"},
			{Name: "partner", Title: "Partner login", Preferred: true},
		}})
	})
	want := []string{
		"/_catflap/login?idp=partner&return_to=%2Fadmin%3Fa%3Db%26c",
		"/_catflap/login?idp=company&return_to=%2Fadmin%3Fa%3Db%26c",
		"/_catflap/login?idp=a%26idp%3Db&return_to=%2Fadmin%3Fa%3Db%26c",
		"/own/login?x=1&y=2",
	}
	if got := s.links(); !slices.Equal(got, want) {
		t.Errorf("links %q", got)
	}
	for i, want := range []string{"Partner login last used", "Company account", "a&idp=b", "Own"} {
		if got := text(s.all("a")[i]); got != want {
			t.Errorf("link %d reads %q", i, got)
		}
	}
}

func TestSignOut(t *testing.T) {
	p := newPages(t, Theme{})
	s := show(t, func(w http.ResponseWriter) { p.SignOut(w, SignOut{Name: "Alice", HomeURL: "/"}) })
	form, buttons := s.all("form")[0], s.all("button")
	if attribute(form, "method") != "post" || attribute(form, "action") != "/_catflap/logout" || len(buttons) != 2 {
		t.Fatalf("the form is %v with %d buttons", form.Attr, len(buttons))
	}
	if attribute(buttons[0], "name") != "" || attribute(buttons[1], "name") != "everywhere" || attribute(buttons[1], "value") != "1" {
		t.Errorf("buttons %v and %v", buttons[0].Attr, buttons[1].Attr)
	}
	if got := text(s.all("main")[0]); !strings.Contains(got, "You are signed in as Alice.") {
		t.Errorf("it reads %q", got)
	}
	if !slices.Equal(s.links(), []string{"/"}) {
		t.Errorf("links %q", s.links())
	}
}

// TestWhatIsSaid holds that each page shows all that it is given, what matters as an alert.
func TestWhatIsSaid(t *testing.T) {
	p := newPages(t, Theme{})
	for _, c := range []struct {
		write       func(w http.ResponseWriter)
		says, links []string
		alert       string
	}{
		{func(w http.ResponseWriter) {
			p.Refused(w, 403, Refused{Name: "N", Text: "T!", Hint: "H!", RequestID: "R1", SwitchURL: "/s", SignOutURL: "/o", HomeURL: "/h"})
		}, []string{"signed in as N.", "H!", "Request id: R1"}, []string{"/s", "/h", "/o"}, "T!"},
		{func(w http.ResponseWriter) { p.Refused(w, 403, Refused{}) }, []string{"No access"}, nil, "Your account does not have access to this page."},
		{func(w http.ResponseWriter) {
			p.Problem(w, 500, Problem{Heading: "He", Text: "T!", Hint: "H!", Code: "C1", RequestID: "R1", RetryURL: "/r"})
		}, []string{"He", "H!", "Reason: C1", "Request id: R1"}, []string{"/r"}, "T!"},
		{func(w http.ResponseWriter) { p.Problem(w, 500, Problem{}) }, []string{"Something went wrong"}, nil, ""},
		{func(w http.ResponseWriter) {
			p.Problem(w, 403, Problem{Text: "it was cancelled", Hint: "begin again", Detail: "the reason.", RetryURL: "/r", HomeURL: "/h", Calm: true})
		}, []string{"It was cancelled. Begin again.", "In detail: The reason."}, []string{"/r", "/h"}, ""},
		{func(w http.ResponseWriter) {
			p.Home(w, Home{Name: "N", Unlisted: true, StartURL: "/c", PanelURL: "/p", SignOutURL: "/o"})
		}, []string{"You are signed in as N.", "You were not sent back"}, []string{"/c", "/p", "/o"}, ""},
		{func(w http.ResponseWriter) { p.Home(w, Home{Name: "N"}) }, []string{"no page to chat on"}, nil, ""},
		{func(w http.ResponseWriter) { p.Home(w, Home{Name: "N", PanelURL: "/p"}) }, []string{"The panel has a chat."}, []string{"/p"}, ""},
		{func(w http.ResponseWriter) { p.SignedOut(w, SignedOut{SignInURL: "/in", Note: "T!"}) }, []string{"You are signed out"}, []string{"/in"}, "T!"},
		{func(w http.ResponseWriter) { p.SignedOut(w, SignedOut{}) }, []string{"You are signed out"}, nil, ""},
		{func(w http.ResponseWriter) { p.SignOut(w, SignOut{}) }, []string{"You are signed in."}, nil, ""},
		{func(w http.ResponseWriter) { p.Choose(w, 404, Choose{}) }, []string{"Sign in"}, nil, "There is no way to sign in in a browser here."},
	} {
		s := show(t, c.write)
		read, alert := text(s.all("main")[0]), ""
		for _, n := range s.all("*") {
			if attribute(n, "role") == "alert" {
				alert += text(n)
			}
		}
		for _, want := range c.says {
			if !strings.Contains(read, want) {
				t.Errorf("%q is not in %q", want, read)
			}
		}
		if alert != c.alert {
			t.Errorf("the alert is %q, not %q", alert, c.alert)
		}
		if !slices.Equal(s.links(), c.links) {
			t.Errorf("links %q, not %q", s.links(), c.links)
		}
	}
}

// TestNeverHalfAPage breaks a template in its middle.
func TestNeverHalfAPage(t *testing.T) {
	p := newPages(t, Theme{})
	p.templates["problem"] = template.Must(template.New("x").Parse(`<p>half {{.Page.Heading}} {{.Page.Missing}}`))
	s := show(t, func(w http.ResponseWriter) { p.Problem(w, 502, Problem{Heading: "secret"}) })
	if s.Code != 500 || s.Header().Get("Content-Type") != "text/plain; charset=utf-8" || s.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", s.Code, s.Header())
	}
	if body := s.Body.String(); strings.ContainsAny(body, "<>") || strings.Contains(body, "half") || strings.Contains(body, "secret") {
		t.Errorf("it reads %q", body)
	}
}

func TestPrefix(t *testing.T) {
	for _, bad := range []string{"", "_catflap/", "/_catflap", "//", "/a//b/", "/{x}/", "/a b/", "/../"} {
		if _, err := New(bad, Theme{}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
