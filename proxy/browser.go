package proxy

import (
	"net/http"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/signin"
)

// refuseInBrowser answers a person who goes to a page: with the way in where a
// session is missing, and otherwise with a page that says what happened. False
// means that a program asked, which gets the refusal as JSON.
func (ex *exchange) refuseInBrowser(ref *refusal) bool {
	if ex.h.o.SignIn == nil || ex.socket || ref.status == 499 || !signin.Navigates(ex.r) {
		return false
	}
	if ref.status == http.StatusUnauthorized && !ref.shown {
		if ex.presented() {
			return false // a token that is refused never leads to a login page
		}
		h := ex.w.Header()
		h["Location"] = []string{ex.loginURL()}
		h["Cache-Control"] = []string{"no-store"}
		ex.w.WriteHeader(http.StatusFound)
		return true
	}
	if !signin.AcceptsHTML(ex.r) {
		return false
	}
	if ref.status == http.StatusForbidden && ex.user != nil {
		ex.h.o.Pages.Refused(ex.w, ref.status, page.Refused{
			Name: ex.user.Name, Text: ref.public, Hint: ref.hint, RequestID: ex.record.RequestID,
			SignOutURL: ex.h.o.SignIn.LogoutURL(), SwitchURL: PagePrefix + "login?switch=1&choose=1", HomeURL: ex.homeURL(), Guest: ex.user.IsGuest(),
		})
		return true
	}
	ref.setExtra(ex.w.Header())
	ex.h.o.Pages.Problem(ex.w, ref.status, ex.problem(ref))
	return true
}

// loginURL is where this request's person signs in, to come back to where they
// wanted to go.
func (ex *exchange) loginURL() string {
	if !signin.Navigates(ex.r) {
		return ex.h.o.SignIn.LoginURL("")
	}
	return ex.h.o.SignIn.LoginURL(ex.address())
}

// address is the path and query that was asked for, without what claims an identity.
func (ex *exchange) address() string {
	if ex.target.query == "" {
		return ex.target.sent
	}
	return ex.target.sent + "?" + ex.target.query
}

// servePage serves a page of Catflap's own.
func (ex *exchange) servePage() *refusal {
	if isPreflight(ex.r) {
		return ex.answerPreflight()
	}
	switch ex.target.path {
	case sessionPage:
		return ex.serveSession()
	case ticketPage:
		return ex.serveTicket()
	case homePage:
		return ex.serveHome()
	case documentsPage:
		return ex.serveDocuments()
	case guestPage:
		return ex.serveGuest()
	case conversationPage:
		return ex.serveConversation()
	}
	if ex.h.o.SignIn != nil {
		if ex.r.Method == http.MethodPost && ex.target.path == logoutPage {
			ex.setCORS(ex.w.Header()) // a listed page reads where to go from there
		}
		if route, res, ok := ex.h.o.SignIn.Serve(ex.w, ex.r, ex.peer.ip, ex.target.path); ok {
			ex.record.Route = route
			ex.recordSignIn(res)
			return nil
		}
	}
	page, pattern := ex.h.pages.Handler(ex.r)
	if pattern == "" {
		return refuseNotFound()
	}
	ex.record.Route = pattern
	page.ServeHTTP(ex.w, ex.r)
	ex.done(OutcomePage, http.StatusOK)
	return nil
}

// recordSignIn tells the observer what a page of the way in and out came to.
func (ex *exchange) recordSignIn(res signin.Result) {
	ex.record.Code, ex.record.Reason, ex.record.Err, ex.record.RequestID = res.Code, res.Reason, res.Err, res.RequestID
	ex.record.Handler = res.Handler
	if res.User != nil {
		ex.record.User, ex.record.Groups = res.User.ID, len(res.User.Groups)
		ex.record.Carrier = authhandlers.CarrierSession
	}
	outcome := map[signin.Kind]Outcome{
		signin.Shown: OutcomePage, signin.SignedIn: OutcomeSignedIn, signin.SignedOut: OutcomeSignedOut,
		signin.Refused: OutcomeRefused, signin.Fault: OutcomeFault,
	}[res.Kind]
	ex.done(outcome, res.Status)
}

// iconPath is where a browser looks for the icon of a page that names none: at each
// page of the Cat's. It is no attempt at anything, and the Cat has nothing there.
const iconPath = "/favicon.ico"

// answerIcon answers with our own icon, or with nothing where there are no pages. An
// icon of the Cat's has to be named in permissions.public.
func (ex *exchange) answerIcon() bool {
	if ex.r.Method != http.MethodGet && ex.r.Method != http.MethodHead {
		return false
	}
	if _, public := ex.h.o.Policy.Public(ex.r.Method, iconPath); public {
		return false
	}
	h, status := ex.w.Header(), http.StatusNoContent
	h["Cache-Control"] = []string{"public, max-age=86400"}
	if ex.h.o.Pages != nil {
		h["Location"], status = []string{ex.h.o.Pages.Icon()}, http.StatusFound
	}
	ex.w.WriteHeader(status)
	ex.record.Route = "GET " + iconPath
	ex.done(OutcomePage, status)
	return true
}

// serveCatLogin answers in the place of the Cat's own login. Where its people may sign
// in, what they send there is looked at as from our own page. The admin panel signs out by going there: a page of our own site that does
// ends the session; to everybody else it is the page on which one can.
func (ex *exchange) serveCatLogin() *refusal {
	if ref, served := ex.servePassword(); served {
		return ref
	}
	if ex.r.Method != http.MethodGet && ex.r.Method != http.MethodHead {
		return &refusal{
			status: http.StatusNotFound, code: refusals.NotFound, public: "The Cat's own login is closed", rule: "sessions",
			hint: "sign in at " + PagePrefix + "login",
		}
	}
	ex.record.Route = "GET " + ex.target.path
	if site := ex.r.Header["Sec-Fetch-Site"]; len(site) == 1 && site[0] == "same-origin" && ex.r.Method == http.MethodGet && signin.Navigates(ex.r) {
		ex.recordSignIn(ex.h.o.SignIn.End(ex.w, ex.r, false))
		return nil
	}
	if to := ex.formURL(); to != "" {
		h := ex.w.Header()
		h["Location"], h["Cache-Control"] = []string{to}, []string{"no-store"}
		ex.w.WriteHeader(http.StatusFound)
		ex.done(OutcomePage, http.StatusFound)
		return nil
	}
	_, res, _ := ex.h.o.SignIn.Serve(ex.w, ex.r, ex.peer.ip, PagePrefix+"logout")
	ex.recordSignIn(res)
	return nil
}
