package proxy

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// refusal is an answer of our own instead of the Cat's. What the client sees and
// what is logged are two texts: the first holds no value of the request, the
// token or the configuration.
type refusal struct {
	status int
	code   authhandlers.Code
	public string // what happened, for a person
	hint   string // what to do about it
	rule   string // for the log
	err    error  // for the log
	// challenge asks for a credential (401), or says that a token's rights do not
	// suffice (403).
	challenge bool
	// tokenCame means that a credential was presented (RFC 6750 §3.1).
	tokenCame bool
	retry     int // seconds, if above 0
	allow     string
	upgrade   string // the protocol that the client must ask for
	// signIn means that what came is no credential: signing in is all that is missing.
	signIn bool
	// shown means that what a browser sends by itself was refused: signing in is no way
	// around that.
	shown bool
	// unknown means a fault that leaves open who this is. A new sign-in may help.
	unknown bool
	// loginURL is where to do so, for the front end.
	loginURL string
	// guestURL is where to become a guest instead.
	guestURL string
}

// nobody reports that nothing was presented that could be judged.
func (ref *refusal) nobody() bool {
	return ref.status == http.StatusUnauthorized && (ref.signIn || ref.code == authhandlers.CodeMissingCredential)
}

func badRequest(code authhandlers.Code, err error) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, public: err.Error(), hint: "nothing was forwarded; mend the request", err: err}
}

// refuseAuthentication turns the chain's error into an answer.
func refuseAuthentication(err error, tokenCame bool) *refusal {
	var rejected *authhandlers.Rejection
	var full *authhandlers.FullError
	switch {
	case errors.As(err, &full):
		return refuseFull(full, err)
	case errors.As(err, &rejected):
		public := "Invalid Credentials"
		if !tokenCame {
			public = "Not signed in"
		}
		return &refusal{
			status: http.StatusUnauthorized, code: rejected.Code, public: public, hint: rejected.Hint,
			rule: "handlers", err: err, challenge: true, tokenCame: tokenCame,
		}
	case errors.Is(err, authhandlers.ErrBusy):
		return &refusal{
			status: http.StatusServiceUnavailable, code: refusals.Busy, public: "Too many sign-ins at once", hint: "try again in a moment",
			err: err, retry: 1, unknown: true,
		}
	case errors.Is(err, authhandlers.ErrSetup):
		return &refusal{
			status: http.StatusServiceUnavailable, code: refusals.AuthenticationUnavailable, public: "The identity can't be verified", err: err, unknown: true,
			hint: "waiting does not help; tell the operator the request id",
		}
	case session.StoreFails(err):
		return refuseStore(err)
	}
	return &refusal{
		status: http.StatusServiceUnavailable, code: refusals.AuthenticationUnavailable, public: "The identity can't be verified at the moment",
		hint: "try again; the operator finds the cause under the request id", err: err, retry: 5, unknown: true,
	}
}

// refuseStore answers while the store that Catflaps share can't be asked: who has a
// session, whose token a logout means, and which Catflap has a person's socket.
func refuseStore(err error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, code: refusals.SessionsUnavailable, public: "The sessions can't be looked up at the moment",
		hint: "try again; the operator finds the cause under the request id", rule: "sessions.store", err: err, retry: 5,
	}
}

// body is the refusal in the Cat's own shape of an error, which its clients show.
// The texts are our own; they are quoted as JSON all the same.
func (ref *refusal) body(requestID string) []byte {
	b := make([]byte, 0, 256)
	b = append(b, `{"detail":{"error":`...)
	b = appendJSON(b, ref.public)
	b = append(b, `,"code":`...)
	b = appendJSON(b, string(ref.code))
	b = append(b, `,"hint":`...)
	b = appendJSON(b, ref.hint)
	b = append(b, `,"request_id":`...)
	b = appendJSON(b, requestID)
	if ref.loginURL != "" {
		b = append(b, `,"login_url":`...)
		b = appendJSON(b, ref.loginURL)
	}
	if ref.guestURL != "" {
		b = append(b, `,"guest_url":`...)
		b = appendJSON(b, ref.guestURL)
	}
	return append(b, "}}"...)
}

// appendJSON appends a text as a JSON string.
func appendJSON(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(text)
			if err != nil { // a string: can't happen
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// write sends the refusal. Nothing has been written before.
func (ref *refusal) write(w http.ResponseWriter, challenges []string, requestID string, head bool) {
	body := ref.body(requestID)
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if ref.challenge {
		h["Www-Authenticate"] = ref.challenges(challenges)
	}
	ref.setExtra(h)
	w.WriteHeader(ref.status)
	if !head {
		_, _ = w.Write(body) // the client has gone: nobody to tell
	}
}

// setExtra sets the headers that belong to a refusal in whatever form it is told.
func (ref *refusal) setExtra(h http.Header) {
	if ref.retry > 0 {
		h["Retry-After"] = []string{strconv.Itoa(ref.retry)}
	}
	if ref.allow != "" {
		h["Allow"] = []string{ref.allow}
	}
	if ref.upgrade != "" {
		h["Upgrade"], h["Connection"] = []string{ref.upgrade}, []string{"upgrade, close"}
	}
}

func (ref *refusal) challenges(base []string) []string {
	suffix := ""
	switch {
	case ref.status == http.StatusForbidden:
		suffix = ` error="insufficient_scope"`
	case ref.tokenCame:
		suffix = ` error="invalid_token"`
	}
	if suffix == "" {
		return base
	}
	out := make([]string, len(base))
	for i, c := range base {
		out[i] = c
		if c == "Bearer" {
			out[i] += suffix
		}
	}
	return out
}
