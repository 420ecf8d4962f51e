package signin

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// logoutPage asks whether to sign out: a GET ends nothing, since any page can
// cause one. Where the provider sends people back to is the same page: somebody may
// have signed in again by then.
func (s *SignIn) logoutPage(w http.ResponseWriter, r *http.Request) Result {
	found, err := s.o.Sessions.Find(r.Context(), r)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return s.signedOut(w)
	case err != nil:
		return s.unavailable(w, err)
	}
	s.o.Pages.SignOut(w, page.SignOut{Name: found.Login.Person.Name, HomeURL: s.Home(), FormOrigins: s.logoutOrigins(found)})
	return Result{Kind: Shown, Status: http.StatusOK}
}

// logoutOrigins are the origins to which signing out leads: a browser holds the
// form to them, redirects included.
func (s *SignIn) logoutOrigins(found *session.Session) []string {
	u, err := url.Parse(s.providerLogout(found))
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// providerLogout is where the provider's own session ends, or empty.
func (s *SignIn) providerLogout(found *session.Session) string {
	p, ok := s.provider(found.Handler)
	if !ok {
		return ""
	}
	return p.LogoutURL(&found.Login, s.o.PublicURL+s.o.Prefix+"signed-out", rand.Text())
}

// logout ends the session, here first and then at the provider. It takes a form of
// our own page, or a program's request, which is answered with the address to go to.
func (s *SignIn) logout(w http.ResponseWriter, r *http.Request) Result {
	if Provenance(r, s.o.PublicURL, s.o.Origins) != SameSite {
		return s.fail(w, trouble{
			status: http.StatusForbidden, code: refusals.CrossOrigin, heading: "Not signed out",
			text: "Only a page of this site can sign you out.", hint: "Use the button on the next page.", retry: s.o.Prefix + "logout",
		})
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	everywhere := r.PostFormValue("everywhere") == "1"
	return s.End(w, r, everywhere)
}

// End ends the session of the request, with every other of that person if
// everywhere is set, and sends the browser on.
func (s *SignIn) End(w http.ResponseWriter, r *http.Request, everywhere bool) Result {
	found, err := s.o.Sessions.Find(r.Context(), r)
	next := s.o.Prefix + "signed-out"
	res := Result{Kind: SignedOut}
	switch {
	case errors.Is(err, session.ErrNoSession):
	case err != nil:
		return s.unavailable(w, err) // the cookie stays: it is what ends the session next time
	default:
		if at := s.providerLogout(found); at != "" {
			next = at
		}
		if u, err := s.person(r.Context(), found); err == nil {
			res.User = u
		}
		res.Handler = found.Handler
		err = s.o.Sessions.End(r.Context(), found)
		if everywhere && err == nil {
			_, err = s.o.Sessions.EndPerson(r.Context(), found.Login.Person.Issuer, found.Login.Person.Subject)
		}
		if err != nil {
			return s.unavailable(w, err)
		}
		if everywhere {
			res.Reason = "everywhere"
		}
	}
	s.forget(w)
	if !AcceptsHTML(r) && strings.Contains(r.Header.Get("Accept"), "application/json") {
		res.Status = http.StatusOK
		writeJSON(w, http.StatusOK, map[string]string{"redirect": next})
		return res
	}
	res.Status = redirect(w, next).Status
	return res
}

// forget has the browser drop what it has of the session.
func (s *SignIn) forget(w http.ResponseWriter) {
	s.o.Sessions.ClearCookie(w)
	for _, c := range s.o.ClearCookies { //nolint:gosec // with the attributes that they were set with
		c.Value, c.MaxAge = "", -1
		http.SetCookie(w, &c)
	}
}

// signedOut tells somebody who has no session that they are signed out.
func (s *SignIn) signedOut(w http.ResponseWriter) Result {
	if s.o.AfterLogout != "" {
		return redirect(w, s.o.AfterLogout)
	}
	s.o.Pages.SignedOut(w, page.SignedOut{SignInURL: s.chooseURL(s.Home())})
	return Result{Kind: Shown, Status: http.StatusOK}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nobody to tell
}
