package proxy

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/signin"
)

// servePassword answers the Cat's own ways to sign in where people may take them, and
// says whether it has.
func (ex *exchange) servePassword() (ref *refusal, served bool) {
	if !ex.h.o.SignIn.Passwords() {
		return nil, false
	}
	switch post, path := ex.r.Method == http.MethodPost, strings.TrimSuffix(ex.target.path, "/"); {
	case post && path == cat.LoginToken:
		ex.record.Route = "POST " + cat.LoginToken
		return ex.serveToken(), true
	case post && path == cat.LoginForm:
		ex.record.Route = "POST " + cat.LoginForm
		ex.recordSignIn(ex.h.o.SignIn.ServePassword(ex.w, ex.r, ex.peer.ip))
		return nil, true
	}
	return nil, false
}

// serveToken gives a program the Cat's token for a name and a password. It is a
// credential here as it is at the Cat.
func (ex *exchange) serveToken() *refusal {
	if origins := ex.r.Header["Origin"]; len(origins) > 1 || len(origins) == 1 && !ex.originAllowed(origins[0]) {
		return ex.refuseOrigin()
	}
	name, password, err := readLogin(ex.w, ex.r)
	if err != nil {
		return badRequest(refusals.BadRequestBody, err)
	}
	grant, handler, err := ex.h.o.SignIn.Grant(ex.r.Context(), ex.peer.ip, name, password)
	ex.record.Handler = handler
	if err != nil {
		return refuseLogin(err)
	}
	u, _, err := ex.h.o.Chain.Admit(ex.r.Context(), handler, &grant.Login.Person)
	if err != nil {
		return refuseLogin(err)
	}
	ex.record.User = u.ID
	return ex.answerJSONAs(OutcomeSignedIn, cat.GivenToken{Token: grant.Token, Type: "bearer"})
}

// readLogin reads {"username", "password"}, each a text, and nothing else.
func readLogin(w http.ResponseWriter, r *http.Request) (name, password string, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || len(r.Header["Content-Type"]) != 1 {
		return "", "", errors.New("the body must be JSON with username and password, and Content-Type: application/json")
	}
	var login struct {
		Username *string `json:"username"`
		Password *string `json:"password"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, signin.MaxPasswordBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&login); err != nil || login.Username == nil || login.Password == nil {
		return "", "", signin.ErrPasswordForm // the decoder's own words may quote the body
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", "", signin.ErrPasswordForm
	}
	return *login.Username, *login.Password, signin.CheckPassword(*login.Username, *login.Password)
}

// refuseLogin answers a program whose name and password were not taken: with the Cat's
// own status.
func refuseLogin(err error) *refusal {
	if rejected, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return &refusal{
			status: http.StatusForbidden, code: rejected.Code, public: "Invalid Credentials", hint: rejected.Hint, rule: "handlers", err: err,
		}
	}
	if over, ok := errors.AsType[*signin.TooManyError](err); ok {
		ref := &refusal{
			status: http.StatusServiceUnavailable, code: refusals.TooManySignIns, public: "Too many sign-ins", hint: "try again later", rule: "handlers", err: err, retry: over.Wait,
		}
		if over.Own {
			ref.status = http.StatusTooManyRequests
		}
		return ref
	}
	return refuseAuthentication(err, true)
}

// formURL is the page with our form in the place of the Cat's own, for a browser that
// goes there without a session; "" for those who sign out by that address.
func (ex *exchange) formURL() string {
	r, s := ex.r, ex.h.o.SignIn
	if !s.Passwords() || ex.target.path != cat.LoginForm || r.Method != http.MethodGet || ex.h.o.Sessions.HasCookie(r) {
		return ""
	}
	return s.PasswordURL(r.URL.Query().Get("referer"))
}
