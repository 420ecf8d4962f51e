package provider

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// pages are what people see.
type pages struct {
	templates *template.Template
	policy    string
}

// newPages makes the pages. Their forms may end at the client's addresses:
// browsers hold form-action against each redirect that follows.
func newPages(clients []string) (*pages, error) {
	t, err := template.ParseFS(pageFiles, "page/*.html")
	if err != nil {
		return nil, err
	}
	targets := []string{"'self'"}
	for _, c := range clients {
		u, err := url.Parse(c)
		if err != nil {
			return nil, err
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(targets, origin) {
			targets = append(targets, origin)
		}
	}
	return &pages{t, "default-src 'none'; style-src 'self'; form-action " + strings.Join(targets, " ") +
		"; base-uri 'none'; frame-ancestors 'none'"}, nil
}

// button is one person on the page.
type button struct{ Name, What string }

func (p *pages) write(w http.ResponseWriter, status int, name string, data map[string]any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	w.WriteHeader(status)
	_ = p.templates.ExecuteTemplate(w, name, data) // the client has gone: nobody to tell
}

func (p *pages) login(w http.ResponseWriter, signedIn, query string) {
	var buttons []button
	for _, x := range people() {
		buttons = append(buttons, button{x.name, x.what})
	}
	p.write(w, http.StatusOK, "login.html", map[string]any{"People": buttons, "SignedIn": signedIn, "To": "/authorize?" + query})
}

func (p *pages) askLogout(w http.ResponseWriter, name, query string) {
	p.write(w, http.StatusOK, "logout.html", map[string]any{"Name": name, "To": "/end_session?" + query})
}

func (p *pages) signedOut(w http.ResponseWriter, told bool) {
	text := "You are signed out of the demo's provider, and of Catflap."
	if !told {
		text = "You are signed out of the demo's provider. Catflap could not be told: it finds out within five minutes."
	}
	p.write(w, http.StatusOK, "message.html", map[string]any{"Title": "Signed out", "Text": text})
}

func (p *pages) problem(w http.ResponseWriter, status int, text string) {
	p.write(w, status, "message.html", map[string]any{"Title": "That did not work", "Text": text})
}

func (p *pages) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "page/style.css")
}

// home says who is signed in in this browser.
func (p *Provider) home(w http.ResponseWriter, r *http.Request) {
	if s, itself := p.sessionOf(r); itself != nil {
		p.pages.askLogout(w, s.who.name, "")
		return
	}
	p.pages.write(w, http.StatusOK, "message.html", map[string]any{
		"Title": "The demo's provider", "Text": "Nobody is signed in here in this browser. Sign in from Catflap.",
	})
}
