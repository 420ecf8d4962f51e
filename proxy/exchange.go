package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/requestid"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/upstream"
)

// exchange is one request on its way. Each step fills in what the next one needs.
type exchange struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	start  time.Time
	peer   peer
	target target
	socket bool // the handshake of a WebSocket
	begun  mark // before the credential was looked at

	passing    http.Header // what passes of the client's headers; nil for a socket
	credential *authhandlers.Credential
	carried    *authhandlers.Credential   // in a handler's own carrier
	foreign    *authhandlers.Credential   // of a scheme that nobody here asks for
	display    string                     // the admin panel's display token, which is no credential
	session    *session.Session           // of a person who came by the cookie
	user       *authhandlers.AuthUserInfo // nil: nobody, on a public endpoint
	decision   permission.Decision
	ofCat      bool             // whether the contract has the endpoint
	upstream   *upstream.Client // the person's Cat
	made       bool             // a guest, just now
	// sessionCleared says that the answer deletes the cookie of a session that has ended.
	sessionCleared bool
	upgrade        http.Header // further headers of a handshake's answer
	told           string      // what plugins are told of the person, signed
	telling        *bodyOfAttributes

	body   *requestBody  // nil: there is none
	place  *atomic.Int64 // where it is counted; nil: nowhere
	shared *atomic.Int64 // and with the others of a server that acts for them
	record Record
}

// run takes the steps in order. A refusal means that nothing has been written.
func (ex *exchange) run() *refusal {
	ex.peer = readPeer(ex.r, ex.h.o.TrustedProxies)
	ex.record.Client = ex.peer.ip
	ex.demandTLS()
	if ref := ex.arrive(); ref != nil {
		return ref
	}
	if ref := ex.enterAsStranger(); ref != nil {
		return ref
	}
	if ref := ex.checkCertificate(); ref != nil {
		return ref
	}
	if strings.HasPrefix(ex.target.path, PagePrefix) {
		return ex.servePage()
	}
	if ex.target.path == iconPath && ex.answerIcon() {
		return nil
	}
	if err := ex.h.o.Cats.Shut(); err != nil {
		return refuseNotReady(err)
	}
	if isPreflight(ex.r) {
		return ex.answerPreflight()
	}
	if ref := ex.checkMethod(); ref != nil {
		return ref
	}
	if ref := ex.checkUpgrade(); ref != nil {
		return ref
	}
	if ex.h.o.SignIn != nil && cat.OwnLogin(ex.target.path) {
		return ex.serveCatLogin()
	}
	ex.sanitise()
	ex.begun = ex.h.o.Passages.mark()
	if ref := ex.authenticate(); ref != nil {
		return ref
	}
	if ex.atTheRoot() {
		return ex.goHome()
	}
	if ref := ex.authorise(); ref != nil {
		return ref
	}
	if ref := ex.chooseCat(); ref != nil {
		return ref
	}
	if ex.socket {
		ex.leave() // sockets have bounds of their own
		return ex.serveSocket()
	}
	if ex.user != nil {
		if ref := ex.enterAsPerson(ex.user); ref != nil {
			return ref
		}
	}
	leave, ref := ex.h.o.Passages.enter(ex)
	if ref != nil {
		return ref
	}
	defer leave()
	end, ref := ex.takeTurn()
	if ref != nil {
		return ref
	}
	defer end()
	return ex.forward()
}

// arrive reads the target, once, and the bounds that net/http does not hold.
func (ex *exchange) arrive() *refusal {
	if !validHost(ex.r.Host) {
		return badRequest(refusals.BadRequestTarget, errHost)
	}
	var err error
	if ex.target, err = readTarget(ex.r, ex.h.publicHost); err != nil {
		return badRequest(refusals.BadRequestTarget, err)
	}
	ex.record.Path = loggablePath(ex.target.path)
	lines := 0
	for _, values := range ex.r.Header {
		lines += len(values)
	}
	if lines > ex.h.o.MaxHeaders {
		return &refusal{
			status: http.StatusRequestHeaderFieldsTooLarge, code: refusals.TooManyHeaders, public: "The request has too many header lines",
			hint: "send fewer", rule: "limits.headers",
		}
	}
	ex.socket = wantsSocket(ex.r)
	ex.record.WebSocket = ex.socket
	return nil
}

// closeAmbiguous ends the connection behind a request whose length a server in
// front could have read in another way: Transfer-Encoding beside a Content-Length,
// which net/http has dropped by now, and anything of HTTP/1.0 (RFC 9112 §6.1).
func (ex *exchange) closeAmbiguous() {
	if r := ex.r; r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0) {
		ex.w.Header()["Connection"] = []string{"close"}
	}
}

var errHost = errors.New("the request needs one well-formed Host")

// validHost reports a host with an optional port (RFC 9110 §7.2). net/http has
// looked at its characters.
func validHost(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		port, err := strconv.ParseUint(host[i+1:], 10, 16)
		if err != nil || port == 0 {
			return false
		}
		host = host[:i]
	}
	return host != "" && (host[0] == '[') == (host[len(host)-1] == ']')
}

// checkMethod refuses the methods that are never forwarded, no matter who asks.
func (ex *exchange) checkMethod() *refusal {
	switch ex.r.Method {
	case http.MethodConnect, http.MethodTrace, http.MethodOptions, "TRACK", "PRI":
		return &refusal{
			status: http.StatusMethodNotAllowed, code: refusals.MethodNotAllowed, public: "This method is not forwarded", hint: "use " + corsMethods,
			allow: corsMethods,
		}
	}
	return nil
}

// authorise asks the policy whether this person may call this endpoint.
func (ex *exchange) authorise() *refusal {
	if ex.user == nil {
		ex.noteDecision()
		return nil // public, and decided so
	}
	if ref := ex.ensureUser(); ref != nil {
		return ref
	}
	t := permission.Target{Method: ex.r.Method, Path: ex.target.path}
	if ex.socket {
		t.Route, t.Known = ex.h.o.Contract.Chat(t.Path)
		if !t.Known {
			return ex.refusePermission(permission.Decision{Rule: "default", Reason: "the Cat has no WebSocket there"})
		}
	} else {
		t.Route, t.Known = ex.h.o.Contract.Route(t.Method, t.Path)
	}
	ex.decision, ex.ofCat = ex.h.o.Policy.Decide(ex.user, t), t.Known
	if !ex.decision.Allow {
		if d, ok := ex.h.o.Policy.Public(t.Method, t.Path); ok && !ex.socket {
			ex.decision = d
		} else {
			return ex.refusePermission(ex.decision)
		}
	}
	ex.noteDecision()
	return nil
}

// ensureUser sees to the person's own user at the Cat, and refuses somebody whose was
// deleted there.
func (ex *exchange) ensureUser() *refusal {
	if err := ex.h.o.People.ensure(ex.r.Context(), ex.user, ex.h.o.Policy.Held(ex.user), ex.h.o.Policy); err != nil {
		return refuseAuthentication(err, true)
	}
	return nil
}

func (ex *exchange) noteDecision() {
	ex.record.Rule, ex.record.Reason, ex.record.Route = ex.decision.Rule, ex.decision.Reason, ex.decision.Route.Pattern
}

func (ex *exchange) refusePermission(d permission.Decision) *refusal {
	ex.record.Reason, ex.record.Route = d.Reason, d.Route.Pattern
	return &refusal{
		status: http.StatusForbidden, code: refusals.PermissionDenied, public: "You may not do this",
		hint: "it needs a permission that you have not been granted", rule: d.Rule, challenge: true, tokenCame: true,
	}
}

// refuse answers with the refusal and records it.
func (ex *exchange) refuse(ref *refusal) {
	ex.record.RequestID = requestid.New()
	ex.record.Code, ex.record.Err = ref.code, ref.err
	if ref.rule != "" {
		ex.record.Rule = ref.rule
	}
	ex.setCORS(ex.w.Header())
	if ex.r.ProtoMajor == 1 && (ex.socket || ref.status == http.StatusBadRequest) {
		// What was piped behind a refused handshake or a request that could not be
		// read is not looked at.
		ex.w.Header().Set("Connection", "close")
	}
	if ref.nobody() {
		ref.guestURL = ex.guestURL()
	}
	if ex.h.o.SignIn != nil && (ref.status == http.StatusUnauthorized && !ref.shown || ref.unknown && !ex.presented()) {
		ref.loginURL = ex.loginURL()
	}
	outcome := OutcomeRefused
	if ref.status >= http.StatusInternalServerError {
		outcome = OutcomeFault
	}
	if !ex.goesAsGuest(ref) && !ex.refuseInBrowser(ref) && !ex.refuseVisibly(ref) {
		ref.write(ex.w, ex.h.challenges, ex.record.RequestID, ex.r.Method == http.MethodHead)
	}
	ex.done(outcome, ref.status)
}

// done tells the observer that the exchange is over.
func (ex *exchange) done(outcome Outcome, status int) {
	if ex.made && outcome == OutcomePage {
		outcome = OutcomeGuest
	}
	ex.record.Outcome, ex.record.Status = outcome, status
	ex.record.Duration, ex.record.Stays = ex.h.o.Now().Sub(ex.start), errors.Is(ex.record.Err, authhandlers.ErrSetup)
	ex.h.o.Observe(&ex.record)
}
