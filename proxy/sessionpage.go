package proxy

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// The pages for a front end's programs.
const (
	sessionPage = PagePrefix + "session"
	ticketPage  = PagePrefix + "ticket"
	logoutPage  = PagePrefix + "logout"
)

// ticketRetry is when, at the latest, unused tickets have ended.
const ticketRetry = 30 * time.Second

// sessionAnswer is what a front end may know of the person before it.
type sessionAnswer struct {
	SignedIn bool `json:"signed_in"`
	Guest    bool `json:"guest,omitempty"`
	User     *struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Handler string `json:"handler"`
	} `json:"user,omitempty"`
	ExpiresAt   *time.Time       `json:"expires_at,omitempty"`
	SecondsLeft *int64           `json:"seconds_left,omitempty"`
	LoginURL    string           `json:"login_url,omitempty"`
	LogoutURL   string           `json:"logout_url,omitempty"`
	GuestURL    string           `json:"guest_url,omitempty"`
	Providers   []providerAnswer `json:"providers"`
	Sockets     []socketAnswer   `json:"sockets,omitempty"`
}

type providerAnswer struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	LoginURL string `json:"login_url"`
}

// socketAnswer is one open socket of the person's own.
type socketAnswer struct {
	ID     string    `json:"id"`
	Since  time.Time `json:"since"`
	Client string    `json:"client,omitempty"`
	Here   bool      `json:"this_session"`
}

// serveSession tells a front end who is signed in, until when, and how to sign in
// and out. That nobody is signed in is an answer, not an error.
func (ex *exchange) serveSession() *refusal {
	ex.record.Route = "GET " + sessionPage
	if ex.r.Method != http.MethodGet && ex.r.Method != http.MethodHead {
		return methodRefusal("GET, HEAD")
	}
	a := sessionAnswer{Providers: []providerAnswer{}}
	if ref := ex.authenticate(); ref != nil && !ref.nobody() {
		return ref
	}
	if s := ex.h.o.SignIn; s != nil {
		a.LoginURL = s.LoginURL("")
		for _, p := range s.Providers() {
			a.Providers = append(a.Providers, providerAnswer{p.Name, p.Title, p.LoginURL})
		}
	}
	if ex.user != nil {
		ex.describe(&a)
	} else {
		a.GuestURL = ex.guestURL()
	}
	return ex.answerJSON(a)
}

func (ex *exchange) describe(a *sessionAnswer) {
	a.SignedIn, a.Guest = !ex.user.IsGuest(), ex.user.IsGuest()
	a.User = &struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Handler string `json:"handler"`
	}{ex.user.ID, ex.user.Name, ex.user.Handler}
	end := ex.user.Expiry
	if ex.session != nil {
		end = ex.session.Ends
		a.LogoutURL = ex.h.o.SignIn.LogoutURL()
	}
	for _, o := range ex.h.o.Hub.Sockets(ex.user) {
		open := socketAnswer{ID: o.ID, Since: o.Since.UTC().Truncate(time.Second), Here: ex.session != nil && o.Session == ex.session.Handle}
		if o.Client.IsValid() {
			open.Client = o.Client.String()
		}
		a.Sockets = append(a.Sockets, open)
	}
	if !end.IsZero() {
		end = end.UTC().Truncate(time.Second)
		left := max(0, int64(end.Sub(ex.h.o.Now()).Seconds()))
		a.ExpiresAt, a.SecondsLeft = &end, &left
	}
}

// serveTicket gives a page that can set no header on a WebSocket, and sends no
// cookie with one, a ticket for it: worth one handshake within seconds.
func (ex *exchange) serveTicket() *refusal {
	ex.record.Route = "POST " + ticketPage
	if ex.r.Method != http.MethodPost {
		return methodRefusal(http.MethodPost)
	}
	if ex.h.o.Sessions == nil {
		return &refusal{
			status: http.StatusNotFound, code: refusals.NotFound, public: "There are no tickets here", hint: "send the token itself with the handshake",
		}
	}
	if ref := ex.authenticate(); ref != nil {
		return ref
	}
	if ex.user == nil {
		return refuseAuthentication(&authhandlers.Rejection{Code: authhandlers.CodeMissingCredential, Hint: "sign in, or send a token"}, false)
	}
	origin := ""
	if origins := ex.r.Header["Origin"]; len(origins) > 0 {
		if origin = origins[0]; len(origins) > 1 || !ex.originAllowed(origin) {
			return ex.refuseOrigin()
		}
	}
	route, _ := ex.h.o.Contract.Chat("/ws")
	ex.decision = ex.h.o.Policy.Decide(ex.user, permission.Target{Method: http.MethodGet, Path: route.Path, Route: route, Known: true})
	if !ex.decision.Allow {
		return ex.refusePermission(ex.decision)
	}
	t := session.Ticket{Origin: origin, Holder: ex.user, Group: ex.group()}
	if ex.session != nil {
		t.Session = ex.session.Handle
	} else {
		t.Person = ex.user
	}
	text, life, err := ex.h.o.Sessions.IssueTicket(ex.r.Context(), t)
	if errors.Is(err, session.ErrTooMany) {
		return &refusal{
			status: http.StatusTooManyRequests, code: refusals.Busy, public: "Too many tickets are unused", hint: "use those you have, or wait for their end", err: err,
			retry: int(ticketRetry.Seconds()),
		}
	}
	if err != nil {
		return refuseAuthentication(err, true)
	}
	return ex.answerJSON(map[string]any{"ticket": text, "expires_in": int(life.Seconds())})
}

// answerJSON answers a front end's program. Nothing of it is ever kept.
func (ex *exchange) answerJSON(body any) *refusal { return ex.answerJSONAs(OutcomePage, body) }

// answerJSONAs is answerJSON for what comes to something else than a page.
func (ex *exchange) answerJSONAs(outcome Outcome, body any) *refusal {
	text, err := json.Marshal(body)
	if err != nil {
		return &refusal{
			status: http.StatusInternalServerError, code: refusals.InternalError, public: "Something went wrong here", err: err,
			hint: "the operator finds the cause under the request id",
		}
	}
	h := ex.w.Header()
	ex.setCORS(h)
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Cookie")
	h.Set("X-Content-Type-Options", "nosniff")
	ex.w.WriteHeader(http.StatusOK)
	if ex.r.Method != http.MethodHead {
		_, _ = ex.w.Write(text) // the client has gone: nobody to tell
	}
	ex.done(outcome, http.StatusOK)
	return nil
}

func methodRefusal(allow string) *refusal {
	return &refusal{status: http.StatusMethodNotAllowed, code: refusals.MethodNotAllowed, public: "This method is not taken here", hint: "use " + allow, allow: allow}
}
