package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/signin"
)

// guestPage is where somebody becomes a guest who wants to: a page's script by a POST,
// a person by going there. Nowhere else does anybody become one, so that no client
// makes a guest with each of its requests.
const guestPage = PagePrefix + "guest"

// madeMark says, on the way back from guestPage to itself, that a cookie was set.
const madeMark = "made"

// Guests is how many guests have a place.
func (h *Handler) Guests() int {
	if host := h.o.Chain.Host(); host != nil {
		return host.Guests()
	}
	return 0
}

// serveGuest makes a guest of somebody who asks for it and brings no credential.
func (ex *exchange) serveGuest() *refusal {
	ex.record.Route = ex.record.Method + " " + guestPage
	if ex.h.host == nil {
		return refuseNotFound()
	}
	goes := ex.r.Method == http.MethodGet && signin.Navigates(ex.r)
	switch {
	case !goes && ex.r.Method != http.MethodPost:
		return methodRefusal(http.MethodPost)
	case !goes && signin.Provenance(ex.r, ex.ownOrigin(), ex.h.o.Origins) == signin.CrossSite:
		return ex.refuseProvenance()
	}
	ref := ex.authenticate()
	if ex.user == nil {
		ref = ex.takeIn(ref, goes)
	}
	switch {
	case ref != nil:
		return ref
	case goes:
		return ex.leadBack()
	}
	var a sessionAnswer
	a.Providers = []providerAnswer{}
	ex.describe(&a)
	return ex.answerJSON(a)
}

// takeIn makes a guest of somebody who, as ref says, presented nothing. A session
// that has ended is something: its person may want to sign in again, unless it is they
// who have chosen on our own page to go on as a guest.
func (ex *exchange) takeIn(ref *refusal, goes bool) *refusal {
	if ref != nil && ref.code == refusals.SessionEnded && goes && ex.display == "" && ex.fromOurPage() {
		ex.h.o.Sessions.ClearCookie(ex.w)
		ex.sessionCleared, ref = true, nil
	}
	switch {
	case ref != nil && ref.code != authhandlers.CodeMissingCredential, ref != nil && (ex.credential != nil || ex.foreign != nil):
		return ref
	case goes && ex.r.URL.Query().Has(madeMark):
		return &refusal{
			status: http.StatusBadRequest, code: refusals.GuestWithoutCookies, public: "This browser keeps no cookies of this site", rule: "guests",
			hint: "a guest is known by a cookie: let this site store cookies, and try again",
		}
	}
	u, err := ex.h.o.Chain.TakeIn(ex.r.Context(), ex.question())
	if err != nil {
		return refuseAuthentication(err, false)
	}
	ex.user, ex.made = u, true
	ex.known()
	return nil
}

// fromOurPage reports that somebody follows a link of a page of ours.
func (ex *exchange) fromOurPage() bool {
	site := ex.r.Header["Sec-Fetch-Site"]
	return len(site) == 1 && site[0] == "same-origin"
}

// leadBack sends a browser on to where it came from. One that has just been given the
// cookie comes here once more, so that one which keeps none is told so.
func (ex *exchange) leadBack() *refusal {
	to := ex.wayBack()
	if ex.made {
		to = guestPage + "?" + url.Values{madeMark: {"1"}, "return_to": {to}}.Encode()
	}
	h := ex.w.Header()
	h["Location"] = []string{to}
	h["Cache-Control"] = []string{"no-store"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	ex.w.WriteHeader(http.StatusSeeOther)
	ex.done(OutcomePage, http.StatusSeeOther)
	return nil
}

func (ex *exchange) wayBack() string {
	own := func(path string) bool {
		return cat.OwnLogin(path) || strings.HasPrefix(path+"/", PagePrefix)
	}
	to, _ := signin.ReturnAddress(ex.r.URL.Query().Get("return_to"), ex.h.o.PublicURL, ex.h.o.Origins, own)
	if to == root && ex.h.o.SignIn != nil {
		return ex.h.o.SignIn.Home()
	}
	return to
}

// guestURL is where somebody who presents nothing can become a guest; empty: nowhere.
func (ex *exchange) guestURL() string {
	if ex.h.host == nil || ex.otherCredential() || ex.credential != nil || ex.foreign != nil {
		return ""
	}
	return guestPage
}

// goesAsGuest leads a person who goes to a page, and could not sign in here, to be a
// guest there.
func (ex *exchange) goesAsGuest(ref *refusal) bool {
	if ex.h.o.SignIn != nil || ex.socket || ref.code != authhandlers.CodeMissingCredential || ex.target.path == guestPage ||
		ex.r.Method != http.MethodGet || !signin.Navigates(ex.r) || ex.guestURL() == "" {
		return false
	}
	h := ex.w.Header()
	h["Location"] = []string{guestPage + "?" + url.Values{"return_to": {ex.address()}}.Encode()}
	h["Cache-Control"] = []string{"no-store"}
	ex.w.WriteHeader(http.StatusFound)
	return true
}

// otherCredential reports what may be meant as a credential and is none that a handler
// is asked about.
func (ex *exchange) otherCredential() bool {
	if ex.carried != nil || ex.display != "" || len(ex.target.tokens) > 0 || ex.target.otherToken || len(protocolTokens(ex.r.Header)) > 0 ||
		ex.r.TLS != nil && len(ex.r.TLS.PeerCertificates) > 0 {
		return true
	}
	return ex.h.o.SignIn != nil && !ex.sessionCleared && ex.h.o.Sessions.HasCookie(ex.r)
}

// setCookie is the authhandlers.Request.SetCookie of the exchange.
func (ex *exchange) setCookie(name, value string, seconds int) {
	if !ownCookie(name) {
		ex.h.o.Log.Error("a handler wants a cookie set that is none of its own", "name", name)
		return
	}
	if seconds <= 0 {
		seconds = -1
	}
	c := http.Cookie{ //nolint:gosec // without Secure on http of this machine alone; the name says so
		Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: strings.HasPrefix(name, "__Host-"), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	h := ex.w.Header()
	if ex.socket { // the answer of a handshake has headers of its own
		if ex.upgrade == nil {
			ex.upgrade = http.Header{}
		}
		h = ex.upgrade
	}
	h.Add("Set-Cookie", c.String())
}

// refuseFull answers somebody when there is no room for another guest.
func refuseFull(full *authhandlers.FullError, err error) *refusal {
	ref := &refusal{
		status: http.StatusServiceUnavailable, code: full.Code, public: "There is no room for another guest", rule: "guests",
		hint: "sign in, or come back later", err: err, retry: max(1, int(full.Wait.Seconds())),
	}
	if full.Own {
		ref.status, ref.public = http.StatusTooManyRequests, "There are too many guests from your network"
	}
	return ref
}

// reasonSignedIn is why a guest's access ends. No request is answered with it.
const reasonSignedIn authhandlers.Code = "guest_signed_in"

// seeOffGuest ends the guest that somebody was who has signed in: their place is free,
// their sockets fall, and the Cat forgets what they said.
func (ex *exchange) seeOffGuest() {
	if ex.h.host == nil {
		return
	}
	u := ex.h.o.Chain.SeeOff(ex.question())
	if u == nil {
		return
	}
	revoked := authhandlers.Revocation{Issuer: u.Issuer, Subject: u.Subject, Reason: reasonSignedIn}
	ex.h.o.Hub.Revoke(revoked)
	ex.h.o.Passages.Revoke(revoked)
	ex.h.o.Log.Info("a guest has signed in", "guest", u.ID, "user", ex.user.ID)
	go ex.h.endGuest(u, revoked)
}

// endGuest tells the other Catflaps that somebody is a guest no more, and the Cat.
func (h *Handler) endGuest(u *authhandlers.AuthUserInfo, revoked authhandlers.Revocation) {
	ctx, cancel := context.WithTimeout(context.Background(), conversationWait)
	defer cancel()
	err := h.o.Sessions.Logout(ctx, &authhandlers.Logout{Revocation: revoked, TokenID: "guest " + u.Subject, IssuedAt: h.o.Now()})
	if err != nil {
		h.o.Log.Warn("other Catflaps do not know that a guest has signed in", "guest", u.ID, "err", err.Error())
	}
	h.clearConversation(ctx, u)
}

var errHistory = errors.New("the Cat did not do what was asked of a guest's conversation")

func historyError(status int) error { return fmt.Errorf("%w: it answers %d", errHistory, status) }
