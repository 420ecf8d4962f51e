package signin

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// callback takes the browser back from the provider. name is the handler of a
// callback of its own.
func (s *SignIn) callback(w http.ResponseWriter, r *http.Request, client netip.Addr, name string) Result {
	answer, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(answer["state"]) != 1 {
		return s.badAttempt(w, r, nil, errors.Join(session.ErrAttemptBad, err))
	}
	a, err := s.o.Sessions.Open(r, answer.Get("state"))
	if err != nil {
		return s.badAttempt(w, r, a, err)
	}
	p, ok := s.provider(a.Handler)
	if !ok || p.OwnCallback() != (name != "") || name != "" && name != p.name {
		return s.badAttempt(w, r, nil, session.ErrAttemptBad)
	}
	// Somebody who has begun a sign-in can come back with any code, which the provider is
	// then asked about.
	if over := s.o.Bounds.callbacks.Take(client); over != nil {
		return s.tooMany(w, p, s.returnPath(a.ReturnTo), over)
	}
	first, err := s.o.Sessions.Spend(r.Context(), answer.Get("state"))
	switch {
	case err != nil:
		return s.unavailable(w, err)
	case !first:
		return s.usedAttempt(w, r, a)
	}
	l, err := p.FinishLogin(r.Context(), a.Login, answer)
	if err != nil {
		return s.notReached(w, p, s.stillBack(a.ReturnTo), err)
	}
	s.o.Bounds.callbacks.GiveBack(client)
	s.o.Bounds.starts.GiveBack(client)
	return s.start(w, r, p, a, l)
}

// start begins the session of somebody that the provider has vouched for.
func (s *SignIn) start(w http.ResponseWriter, r *http.Request, p provider, a *session.Attempt, l *authhandlers.Login) Result {
	returnTo := s.stillBack(a.ReturnTo)
	u, _, err := s.o.Chain.Admit(r.Context(), p.name, &l.Person)
	if rejected, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return s.rejected(w, p, returnTo, rejected)
	}
	if err == nil {
		var started *session.Session
		if started, err = s.o.Sessions.Start(r.Context(), w, r, p.name, l); err == nil {
			s.o.Sessions.Completed(started.Browser, a)
		}
	}
	switch {
	case errors.Is(err, session.ErrLoggedOut):
		return s.fail(w, trouble{
			status: http.StatusConflict, code: refusals.LoggedOutMeanwhile, heading: "You were signed out in the meantime", handler: p.name,
			text: "The provider has ended your session while you were signing in.", retry: s.loginURL(p.name, returnTo), err: err,
		})
	case err != nil:
		return s.unavailable(w, err)
	}
	s.o.Sessions.RememberChoice(w, p.name)
	res := redirect(w, returnTo)
	res.Kind, res.User, res.Handler = SignedIn, u, p.name
	return res
}

// holds reports whether the browser has a session that can be used, so that a late or
// repeated callback need not trouble anybody.
func (s *SignIn) holds(r *http.Request) bool {
	_, _, err := s.Person(r.Context(), r)
	return err == nil
}

// badAttempt answers a callback that belongs to no attempt of this browser. a is
// the attempt as far as it is authentic.
func (s *SignIn) badAttempt(w http.ResponseWriter, r *http.Request, a *session.Attempt, err error) Result {
	returnTo := s.Home()
	if a != nil {
		returnTo = s.stillBack(a.ReturnTo)
	}
	if s.holds(r) {
		return redirect(w, returnTo)
	}
	t := trouble{status: http.StatusBadRequest, code: refusals.LoginAttemptInvalid, retry: s.loginURL("", returnTo), err: err,
		heading: "This sign-in can't be finished", text: "The answer of the sign-in service does not belong to a sign-in that was begun here.",
		hint: "Begin again.",
	}
	switch {
	case errors.Is(err, session.ErrAttemptExpired):
		t.code, t.heading, t.text = refusals.LoginAttemptExpired, "This sign-in took too long", "It has to be finished within ten minutes."
	case errors.Is(err, session.ErrAttemptForeign):
		t.code, t.heading = refusals.LoginAttemptOfAnotherBrowser, "This browser did not begin the sign-in"
		t.text = "It was begun in another browser or window, or this browser does not keep cookies of this site."
		t.hint = "Let this site store cookies and begin again, in one browser."
	}
	return s.fail(w, t)
}

func (s *SignIn) usedAttempt(w http.ResponseWriter, r *http.Request, a *session.Attempt) Result {
	if s.holds(r) {
		return redirect(w, s.stillBack(a.ReturnTo))
	}
	return s.fail(w, trouble{
		status: http.StatusBadRequest, code: refusals.LoginAttemptUsed, heading: "This sign-in has been used", handler: a.Handler,
		text: "Each sign-in works once, and this one has been finished before.", hint: "Begin again.", retry: s.loginURL(a.Handler, s.stillBack(a.ReturnTo)),
	})
}

// rejected tells somebody that the provider, or what it says of them, does not let
// them in.
func (s *SignIn) rejected(w http.ResponseWriter, p provider, returnTo string, rejected *authhandlers.Rejection) Result {
	t := trouble{
		status: http.StatusForbidden, code: rejected.Code, heading: "You were not signed in", handler: p.name,
		text: "The sign-in service or its answer did not let you in.", hint: rejected.Hint, retry: s.loginURL(p.name, returnTo) + "&switch=1", err: rejected,
	}
	if t.calm = rejected.Code == authhandlers.CodeLoginDenied; t.calm {
		t.text = "" // the hint says it all: most often the person has cancelled
	}
	return s.fail(w, t)
}
