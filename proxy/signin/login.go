package signin

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// login begins a way to the provider. ?idp= names one; without it the one that
// there is, the one that was chosen before, or a page to choose. ?choose=1 shows
// that page, ?switch=1 lets the provider ask again who this is. A session that can't be
// used, for whatever reason, keeps nobody from beginning a new one.
func (s *SignIn) login(w http.ResponseWriter, r *http.Request, client netip.Addr) Result {
	q := r.URL.Query() // what can't be read is not there
	returnTo := s.wayBack(q.Get(page.ReturnParam))
	idp, again := q.Get("idp"), q.Get("switch") == "1"
	if to := s.elsewhere(r, q); to != "" {
		return redirect(w, to)
	}
	if idp == "" && !again && s.holds(r) {
		return redirect(w, returnTo)
	}
	p, ok := s.provider(idp)
	if idp != "" && !ok {
		return s.fail(w, trouble{
			status: http.StatusNotFound, code: refusals.UnknownProvider, heading: "There is no such way to sign in",
			text: "The address names a provider that is not known here.", hint: "Choose one of those that are.", retry: s.chooseURL(returnTo),
		})
	}
	chosen := ok
	if !ok && len(s.providers) == 1 && s.host == nil {
		p, ok = s.providers[0], true
	}
	if !ok && q.Get("choose") != "1" && !s.asks(r) {
		p, ok = s.provider(s.o.Sessions.Choice(r))
	}
	if !ok {
		return s.choose(w, r, returnTo)
	}
	if _, typed := p.LoginProvider.(authhandlers.PasswordLogin); typed {
		return s.showForm(w, p, returnTo, false)
	}
	if over := s.o.Bounds.starts.Take(client); over != nil {
		return s.tooMany(w, p, returnTo, over)
	}
	return s.begin(w, r, p, returnTo, again, chosen)
}

// elsewhere is where the way in has to begin for somebody who came by another name
// of this host than the public one: cookies belong to a name, and the provider
// sends everybody back to that one. It leads there once.
func (s *SignIn) elsewhere(r *http.Request, q url.Values) string {
	public, err := url.Parse(s.o.PublicURL)
	if err != nil || strings.EqualFold(r.Host, public.Host) || q.Get("here") != "" {
		return ""
	}
	q.Set("here", "1")
	return s.o.PublicURL + s.o.Prefix + "login?" + q.Encode()
}

// begin sends the browser to the provider. Somebody who chose by hand is not in a loop.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, p provider, returnTo string, again, chosen bool) Result {
	browser := s.o.Sessions.Browser(w, r)
	if !chosen && s.o.Sessions.Loops(browser) {
		return s.fail(w, trouble{
			status: http.StatusLoopDetected, code: refusals.LoginLoop, heading: "Signing in goes in circles", handler: p.name,
			text:  "You were signed in several times within a minute, and each time the next page asked for it again.",
			hint:  "Let this site store cookies, close its other windows, and try again. If it stays like this, tell the operator the id below.",
			retry: s.loginURL(p.name, returnTo),
		})
	}
	a, err := s.o.Sessions.Seal(session.Attempt{
		Handler: p.name, ReturnTo: returnTo, Browser: browser, Again: again, Chosen: chosen,
		Login: authhandlers.LoginAttempt{RedirectURI: s.redirectURI(p), Again: again},
	})
	if err != nil {
		return s.unavailable(w, err)
	}
	address, err := p.BeginLogin(r.Context(), a)
	if err != nil {
		return s.notReached(w, p, returnTo, err)
	}
	res := redirect(w, address)
	res.Handler = p.name
	return res
}

// redirectURI is exactly what is registered at the provider.
func (s *SignIn) redirectURI(p provider) string {
	uri := s.o.PublicURL + s.o.Prefix + "callback"
	if p.OwnCallback() {
		uri += "/" + p.name
	}
	return uri
}

// asks reports a guest who is to be asked what becomes of the conversation.
func (s *SignIn) asks(r *http.Request) bool {
	return s.host != nil && s.host.OffersCopy() && s.host.IsGuest(r)
}

func (s *SignIn) choose(w http.ResponseWriter, r *http.Request, returnTo string) Result {
	c := page.Choose{ReturnTo: returnTo}
	if s.host != nil {
		c.GuestURL = s.o.Prefix + "guest?" + url.Values{page.ReturnParam: {returnTo}}.Encode()
		if s.asks(r) {
			c.CopyURL = s.o.Prefix + "guest/conversation"
		}
	}
	preferred := s.o.Sessions.Choice(r)
	for _, p := range s.providers {
		c.Providers = append(c.Providers, page.Provider{
			Name: p.name, Title: p.LoginTitle(), URL: s.loginURL(p.name, returnTo), Preferred: p.name == preferred,
		})
	}
	s.o.Pages.Choose(w, http.StatusOK, c)
	return Result{Kind: Shown, Status: http.StatusOK}
}

// chooseURL is where another way to sign in can be chosen.
func (s *SignIn) chooseURL(returnTo string) string {
	to := s.loginURL("", returnTo)
	if len(s.providers) == 1 && s.host == nil {
		return to
	}
	if to == s.o.Prefix+"login" {
		return to + "?choose=1"
	}
	return to + "&choose=1"
}

// notReached tells of a provider that can't be asked.
func (s *SignIn) notReached(w http.ResponseWriter, p provider, returnTo string, err error) Result {
	if rejected, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return s.rejected(w, p, returnTo, rejected)
	}
	if errors.Is(err, authhandlers.ErrSetup) {
		return s.fail(w, trouble{
			status: http.StatusBadGateway, code: refusals.ProviderSetup, heading: "This sign-in is not set up right", handler: p.name,
			text: "The provider and this service do not fit together.", hint: "Waiting does not help: tell the operator the id below.",
			again: s.chooseURL(returnTo), err: err,
		})
	}
	return s.fail(w, trouble{
		status: http.StatusServiceUnavailable, code: refusals.ProviderUnavailable, heading: "The sign-in service does not answer", handler: p.name,
		text: "The provider that would sign you in can't be reached at the moment.", hint: "Try again in a moment.",
		retry: s.loginURL(p.name, returnTo), wait: 5, err: err,
	})
}

// tooMany asks an address to wait, or everybody where all together are too many.
func (s *SignIn) tooMany(w http.ResponseWriter, p provider, returnTo string, over *pace.Excess) Result {
	t := trouble{
		status: http.StatusServiceUnavailable, code: refusals.TooManySignIns, heading: "Too many people are signing in", handler: p.name,
		text: "More sign-ins have failed in the last minutes than this service takes on.", hint: "Try again in a moment.",
		retry: s.loginURL(p.name, returnTo), wait: over.Wait,
	}
	if over.Own {
		t.status, t.heading = http.StatusTooManyRequests, "Too many sign-ins from your network"
		t.text = "Too many sign-ins from your network's address have come to nothing."
	}
	return s.fail(w, t)
}

// unavailable tells of sessions that can't be read or written.
func (s *SignIn) unavailable(w http.ResponseWriter, err error) Result {
	return s.fail(w, trouble{
		status: http.StatusServiceUnavailable, code: refusals.SessionsUnavailable, heading: "Signing in is not possible at the moment",
		text: "Sessions can't be stored right now.", hint: "Try again in a moment.", retry: s.Home(), wait: 5, err: err,
	})
}
