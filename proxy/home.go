package proxy

import (
	"net/http"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/signin"
)

// homePage is our own page for somebody who has signed in and came from nowhere,
// and panelPage the first of the admin panel.
const (
	homePage  = PagePrefix + signin.HomeName
	panelPage = cat.PanelPath + "/"
)

// serveHome says who is signed in, and leads to what this person may open.
func (ex *exchange) serveHome() *refusal {
	ex.record.Route = "GET " + homePage
	if ex.r.Method != http.MethodGet && ex.r.Method != http.MethodHead {
		return methodRefusal("GET, HEAD")
	}
	if ex.h.o.SignIn == nil {
		return refuseNotFound()
	}
	if ref := ex.authenticate(); ref != nil {
		return ref
	}
	if ex.user == nil {
		return refuseAuthentication(&authhandlers.Rejection{Code: authhandlers.CodeMissingCredential, Hint: "sign in, or send a token"}, false)
	}
	h := page.Home{Name: ex.user.Name, Unlisted: ex.r.URL.Query().Get("unlisted") == "1"}
	if h.Name == "" {
		h.Name = ex.user.ID
	}
	if start := ex.h.o.SignIn.Home(); start != homePage {
		h.StartURL = start
	}
	if ex.mayOpenPanel() {
		h.PanelURL = panelPage
	}
	if h.Guest = ex.user.IsGuest(); h.Guest {
		h.SignInURL = ex.h.o.SignIn.LoginURL("")
		if ex.h.host != nil && ex.h.host.OffersCopy() {
			h.CopyURL = conversationPage
		}
	}
	if ex.session != nil {
		h.SignOutURL = ex.h.o.SignIn.LogoutURL()
	}
	ex.w.Header().Add("Vary", "Cookie")
	ex.h.o.Pages.Home(ex.w, h)
	ex.done(OutcomePage, http.StatusOK)
	return nil
}

func (ex *exchange) mayOpenPanel() bool {
	t := permission.Target{Method: http.MethodGet, Path: panelPage}
	t.Route, t.Known = ex.h.o.Contract.Route(t.Method, t.Path)
	return ex.h.o.Policy.Decide(ex.user, t).Allow
}

// root is where the Cat tells programs that it lives, as JSON.
const root = "/"

// atTheRoot reports a person with a session who has opened the bare address of this
// service, and who another page is meant for.
func (ex *exchange) atTheRoot() bool {
	return ex.session != nil && !ex.socket && ex.target.path == root && ex.h.o.SignIn.Home() != root &&
		signin.Navigates(ex.r) && signin.AcceptsHTML(ex.r)
}

func (ex *exchange) goHome() *refusal {
	h := ex.w.Header()
	h["Location"] = []string{ex.h.o.SignIn.Home()}
	h["Cache-Control"] = []string{"no-store"}
	ex.record.Route = "GET " + root
	ex.w.WriteHeader(http.StatusSeeOther)
	ex.done(OutcomePage, http.StatusSeeOther)
	return nil
}

// homeURL is a way out of a page that says no: never to that page itself.
func (ex *exchange) homeURL() string {
	home := ex.h.o.SignIn.Home()
	if path, _, _ := strings.Cut(home, "?"); path == ex.target.sent {
		return homePage
	}
	return home
}
