package proxy

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/permission"
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

	credential *authhandlers.Credential
	user       *authhandlers.AuthUserInfo // nil: nobody, on a public endpoint
	decision   permission.Decision
	upstream   *Upstream // the person's Cat

	body   *requestBody // the client's body while it is forwarded
	record Record
}

// run takes the steps in order. A refusal means that nothing has been written.
func (ex *exchange) run() *refusal {
	ex.peer = readPeer(ex.r, ex.h.o.TrustedProxies)
	ex.record.Client = ex.peer.ip
	if ref := ex.arrive(); ref != nil {
		return ref
	}
	if strings.HasPrefix(ex.target.path, PagePrefix) {
		return ex.servePage()
	}
	if err := ex.h.shut(); err != nil {
		return refuseNotReady(err)
	}
	if isPreflight(ex.r) {
		return ex.answerPreflight()
	}
	if ref := ex.checkMethod(); ref != nil {
		return ref
	}
	if ref := ex.authenticate(); ref != nil {
		return ref
	}
	if ref := ex.authorise(); ref != nil {
		return ref
	}
	if ref := ex.chooseCat(); ref != nil {
		return ref
	}
	if ex.socket {
		return ex.serveSocket()
	}
	return ex.forward()
}

// arrive reads the target, once, and the bounds that net/http does not hold.
func (ex *exchange) arrive() *refusal {
	ex.closeAmbiguous()
	if !validHost(ex.r.Host) {
		return badRequest(codeBadTarget, errHost)
	}
	var err error
	if ex.target, err = readTarget(ex.r, ex.h.publicHost); err != nil {
		return badRequest(codeBadTarget, err)
	}
	ex.record.Path = loggablePath(ex.target.path)
	lines := 0
	for _, values := range ex.r.Header {
		lines += len(values)
	}
	if lines > ex.h.o.MaxHeaders {
		return &refusal{
			status: http.StatusRequestHeaderFieldsTooLarge, code: codeHeaders, public: "The request has too many header lines",
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

// checkMethod refuses the methods that are never forwarded, whoever asks.
func (ex *exchange) checkMethod() *refusal {
	switch ex.r.Method {
	case http.MethodConnect, http.MethodTrace, http.MethodOptions, "TRACK", "PRI":
		return &refusal{
			status: http.StatusMethodNotAllowed, code: codeMethod, public: "This method is not forwarded", hint: "use " + corsMethods,
			allow: corsMethods,
		}
	}
	return nil
}

// authenticate collects the credential and asks the handlers. A public endpoint
// needs none; but whoever sends one must send a good one.
func (ex *exchange) authenticate() *refusal {
	var err error
	if ex.credential, err = readCredential(ex.r, &ex.target, ex.socket, ex.h.o.QueryToken); err != nil {
		return badRequest(codeBadCredential, err)
	}
	if ex.credential != nil {
		ex.record.Carrier = ex.credential.Carrier
	}
	kind := authhandlers.KindHTTP
	if ex.socket {
		kind = authhandlers.KindWebSocket
	}
	ex.user, err = ex.h.o.Chain.Authenticate(ex.r.Context(), &authhandlers.Request{
		Credential: ex.credential, HTTP: ex.r, ClientIP: ex.peer.ip, Kind: kind,
	})
	if err == nil {
		ex.record.User, ex.record.Handler = ex.user.ID, ex.user.Handler
		return nil
	}
	rejected, _ := errors.AsType[*authhandlers.Rejection](err)
	if ex.credential == nil && !ex.socket && rejected != nil && rejected.Code == authhandlers.CodeMissingCredential {
		if d, ok := ex.h.o.Policy.Public(ex.r.Method, ex.target.path); ok {
			ex.decision = d
			return nil
		}
	}
	if rejected != nil && rejected.Code == authhandlers.CodeBadSignature {
		ex.holdBack()
	}
	return refuseAuthentication(err, ex.credential != nil)
}

// forgeryDelay is how long the refusal of a forged token is held back. Nobody who
// has been given a token meets it; whoever sends forged ones as fast as they are
// refused is slowed to what costs the others nothing.
const forgeryDelay = 5 * time.Millisecond

func (ex *exchange) holdBack() {
	t := time.NewTimer(forgeryDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ex.r.Context().Done():
	}
}

// authorise asks the policy whether this person may call this endpoint.
func (ex *exchange) authorise() *refusal {
	if ex.user == nil {
		ex.noteDecision()
		return nil // public, and decided so
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
	ex.decision = ex.h.o.Policy.Decide(ex.user, t)
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

func (ex *exchange) noteDecision() {
	ex.record.Rule, ex.record.Reason, ex.record.Route = ex.decision.Rule, ex.decision.Reason, ex.decision.Route.Pattern
}

func (ex *exchange) refusePermission(d permission.Decision) *refusal {
	ex.record.Reason, ex.record.Route = d.Reason, d.Route.Pattern
	return &refusal{
		status: http.StatusForbidden, code: codePermission, public: "You may not do this",
		hint: "it needs a permission that you have not been granted", rule: d.Rule, challenge: true, tokenCame: true,
	}
}

// servePage serves a handler's own page.
func (ex *exchange) servePage() *refusal {
	page, pattern := ex.h.pages.Handler(ex.r)
	if pattern == "" {
		return &refusal{status: http.StatusNotFound, code: codeNotFound, public: "There is no such page", hint: "check the address"}
	}
	ex.record.Route = pattern
	page.ServeHTTP(ex.w, ex.r)
	ex.done(OutcomePage, http.StatusOK)
	return nil
}

// refuse answers with the refusal and records it.
func (ex *exchange) refuse(ref *refusal) {
	ex.record.RequestID = newRequestID()
	ex.record.Code, ex.record.Err = ref.code, ref.err
	if ref.rule != "" {
		ex.record.Rule = ref.rule
	}
	ex.setCORS(ex.w.Header())
	if ex.r.ProtoMajor == 1 && (ex.socket || ref.status == http.StatusBadRequest || ex.r.ContentLength != 0) {
		// What was piped behind a refused handshake or a request that could not be
		// read is not looked at, and a body that nobody wants is not waited for.
		ex.w.Header().Set("Connection", "close")
	}
	ref.write(ex.w, ex.h.challenges, ex.record.RequestID, ex.r.Method == http.MethodHead)
	outcome := OutcomeRefused
	if ref.status >= http.StatusInternalServerError {
		outcome = OutcomeFault
	}
	ex.done(outcome, ref.status)
}

// done tells the observer that the exchange is over.
func (ex *exchange) done(outcome Outcome, status int) {
	ex.record.Outcome, ex.record.Status = outcome, status
	ex.record.Duration = ex.h.o.Now().Sub(ex.start)
	ex.h.o.Observe(&ex.record)
}

// newRequestID makes the id that stands in an answer and in the log.
func newRequestID() string { return rand.Text()[:16] }
