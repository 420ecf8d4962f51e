package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/signin"
)

// authenticate collects the credential and finds out whose it is: a token's by the
// handlers, a ticket's and a cookie's by the sessions. A token decides over a
// cookie. A public endpoint needs none; but a client that sends one must send a good one.
func (ex *exchange) authenticate() *refusal {
	if err := ex.collect(); err != nil {
		return badRequest(refusals.BadCredential, err)
	}
	switch {
	case ex.isTicket():
		ex.record.Carrier = authhandlers.CarrierTicket
		if !ex.socket {
			return refuseTicketElsewhere()
		}
		return ex.byTicket()
	case ex.h.o.SignIn != nil && !ex.presented() && (ex.display != "" || ex.h.o.Sessions.HasCookie(ex.r)):
		ex.record.Carrier = authhandlers.CarrierSession
		return ex.bySession()
	}
	switch {
	case ex.credential != nil:
		ex.record.Carrier = ex.credential.Carrier
	case ex.carried != nil:
		ex.record.Carrier = ex.carried.Carrier
	}
	return ex.byHandlers()
}

// byHandlers asks the chain.
func (ex *exchange) byHandlers() *refusal {
	var err error
	asked := ex.question()
	ex.user, err = ex.h.o.Chain.Authenticate(ex.r.Context(), asked)
	if err == nil {
		ex.known()
		return ex.checkAmbient(asked)
	}
	if of, ok := errors.AsType[*authhandlers.HandlerError](err); ok {
		ex.record.Handler = of.Handler
	}
	if _, full := errors.AsType[*authhandlers.FullError](err); full && ex.isPublic() {
		return nil
	}
	rejected, _ := errors.AsType[*authhandlers.Rejection](err)
	unclaimed := rejected != nil && ex.foreign != nil && rejected.Code == authhandlers.CodeUnclaimed
	if !ex.presented() && (unclaimed || rejected != nil && rejected.Code == authhandlers.CodeMissingCredential) {
		if ex.isPublic() {
			return nil
		}
		if unclaimed {
			return refuseScheme(ex.foreign.Scheme, err)
		}
	}
	if rejected != nil && rejected.Code == authhandlers.CodeBadSignature {
		ex.holdBack()
	}
	ref := refuseAuthentication(err, ex.presented())
	ref.shown = rejected != nil && !ex.presented() && asked.Credential == nil && !ref.nobody()
	return ref
}

// question is what handlers are asked.
func (ex *exchange) question() *authhandlers.Request {
	kind := authhandlers.KindHTTP
	if ex.socket {
		kind = authhandlers.KindWebSocket
	}
	credential := ex.credential
	if !ex.presented() {
		credential = ex.foreign // a handler may know a scheme that it does not ask for
	}
	return &authhandlers.Request{
		OtherCredential: ex.otherCredential(),
		SetCookie:       func(name, value string, life time.Duration) { ex.setCookie(name, value, int(life/time.Second)) },
		Credential:      credential, Carried: ex.carried != nil, HTTP: ex.r, ClientIP: ex.peer.ip, Kind: kind, Lasting: ex.socket || ex.target.path == ticketPage,
	}
}

// refuseScheme answers who presented nothing but a credential of another scheme: it is
// none of ours, so that signing in is all that is missing.
func refuseScheme(scheme string, err error) *refusal {
	if scheme = knownScheme(scheme); scheme == "" {
		scheme = "of another kind"
	}
	return &refusal{
		status: http.StatusUnauthorized, code: refusals.UnknownScheme, public: "Not signed in", rule: "handlers", challenge: true, signIn: true,
		hint: "the scheme of Authorization is " + scheme + ", which is not accepted here; sign in, or send a Bearer token",
		err:  fmt.Errorf("the scheme of Authorization is %s: %w", scheme, err),
	}
}

func (ex *exchange) known() {
	ex.record.User, ex.record.Handler, ex.record.Groups = ex.user.ID, ex.user.Handler, len(ex.user.Groups)
}

// isPublic reports an endpoint that needs nobody, and decides so.
func (ex *exchange) isPublic() bool {
	if ex.socket {
		return false
	}
	d, ok := ex.h.o.Policy.Public(ex.r.Method, ex.target.path)
	if ok {
		ex.decision = d
	}
	return ok
}

// bySession takes a person by their session's cookie. What is left of a session
// that has ended is nothing: people are sent to sign in, and a public endpoint
// stays public. The display token stands for the session that it was made for.
func (ex *exchange) bySession() *refusal {
	u, s, err := ex.h.o.SignIn.Person(ex.r.Context(), ex.r)
	switch rejected, _ := errors.AsType[*authhandlers.Rejection](err); {
	case errors.Is(err, session.ErrNoSession):
		if ex.display == "" && ex.isPublic() {
			return nil
		}
		return &refusal{
			status: http.StatusUnauthorized, code: refusals.SessionEnded, public: "Not signed in", hint: "sign in again", rule: "sessions",
			err: err, challenge: true, signIn: true,
		}
	case rejected != nil:
		return refuseAuthentication(err, true)
	case err != nil:
		return refuseAuthentication(err, true)
	}
	if ex.display != "" && !ex.h.o.Sessions.DisplayMatches(ex.display, s) {
		return &refusal{
			status: http.StatusUnauthorized, code: refusals.DisplayTokenOfAnotherSession, public: "Not signed in", hint: "load the page again", rule: "sessions",
			challenge: true,
		}
	}
	ex.user, ex.session = u, s
	ex.known()
	if ref := ex.checkProvenance(); ref != nil {
		return ref
	}
	ex.seeOffGuest()
	return nil
}

// checkProvenance keeps other sites' pages from acting with a session: the browser
// sends its cookie no matter who asks. What changes something needs proof that our own
// page, or a listed one, has asked; what only reads may lack the proof, but must
// not come from elsewhere unless a person follows a link.
func (ex *exchange) checkProvenance() *refusal {
	proof := signin.Provenance(ex.r, ex.ownOrigin(), ex.h.o.Origins)
	reads := ex.r.Method == http.MethodGet || ex.r.Method == http.MethodHead
	switch {
	case proof == signin.SameSite && (!ex.socket || len(ex.r.Header["Origin"]) == 1):
		return nil
	case reads && !ex.socket && (proof == signin.NoProof || signin.Navigates(ex.r)):
		return nil
	}
	return ex.refuseProvenance()
}

// byTicket takes a person by a ticket, once, at the page that asked for it.
func (ex *exchange) byTicket() *refusal {
	bad := &refusal{
		status: http.StatusUnauthorized, code: refusals.TicketInvalid, public: "Invalid Credentials", hint: "get a new ticket", rule: "sessions",
		challenge: true, tokenCame: true,
	}
	t, err := ex.h.o.Sessions.RedeemTicket(ex.r.Context(), ex.credential.Value)
	if err == nil && t.Origin != "" && ex.r.Header.Get("Origin") != t.Origin {
		bad.err = fmt.Errorf("the ticket was given to a page of %q, and one of %q has brought it", t.Origin, ex.cameFrom())
		return bad
	}
	switch {
	case err != nil:
	case t.Session == "":
		ex.user, err = ex.h.o.Chain.Rejudge(t.Person)
	case ex.h.o.SignIn == nil:
		err = session.ErrNoSession
	default:
		ex.user, ex.session, err = ex.h.o.SignIn.PersonOf(ex.r.Context(), t.Session)
	}
	rejected, _ := errors.AsType[*authhandlers.Rejection](err)
	switch {
	case err == nil:
		ex.known()
		return ex.checkCarried()
	case errors.Is(err, session.ErrNoSession), rejected != nil:
		bad.err = err
		return bad
	}
	return refuseAuthentication(err, true)
}

// refuseTicketElsewhere answers a client that keeps its ticket where it would keep a
// token, and so sends it with its HTTP calls too. The ticket is not spent.
func refuseTicketElsewhere() *refusal {
	return &refusal{
		status: http.StatusUnauthorized, code: refusals.TicketInvalid, public: "Invalid Credentials", rule: "sessions", challenge: true, tokenCame: true,
		hint: "a ticket opens one WebSocket and nothing else; send HTTP calls with the credential by which you got it, or with the session's cookie (credentials: 'include') alone",
	}
}

// forgeryDelay is how long the refusal of a forged token is held back. Nobody who
// has been given a token meets it; somebody who sends forged ones as fast as they are
// refused is slowed to what costs the others nothing.
const forgeryDelay = 5 * time.Millisecond

func (ex *exchange) holdBack() {
	_ = wait.For(ex.r.Context(), forgeryDelay) // the answer is written in either case
}
