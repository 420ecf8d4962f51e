package signin

import (
	"errors"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"unicode/utf8"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/internal/requestid"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// The bounds of a name and a password.
const (
	MaxPasswordBody = 8 << 10
	maxName         = 256
	maxPassword     = 1024
)

// ErrPasswordForm says that a name and a password do not stand where they have to.
var ErrPasswordForm = errors.New("one username and one password are due, as text of a usual length")

// CheckPassword reports a name and a password that nobody could have.
func CheckPassword(name, password string) error {
	if name == "" || password == "" || len(name) > maxName || len(password) > maxPassword || !utf8.ValidString(name) || !utf8.ValidString(password) {
		return ErrPasswordForm
	}
	return nil
}

// showForm asks for a name and a password. wrong says that the ones before were.
func (s *SignIn) showForm(w http.ResponseWriter, p provider, returnTo string, wrong bool) Result {
	f := page.Password{Title: p.LoginTitle(), Wrong: wrong, ReturnTo: returnTo}
	if u, err := url.Parse(returnTo); err == nil && u.Host != "" {
		f.FormOrigins = []string{u.Scheme + "://" + u.Host}
	}
	if len(s.providers) > 1 {
		f.OtherURL = s.chooseURL(returnTo)
	}
	res := Result{Kind: Shown, Status: http.StatusOK, Handler: p.name}
	if wrong {
		res = Result{Kind: Refused, Status: http.StatusForbidden, Code: authhandlers.CodeWrongPassword, Handler: p.name, RequestID: requestid.New()}
	}
	s.o.Pages.Password(w, res.Status, f)
	return res
}

// ServePassword answers a form with a name and a password: our own, and the Cat's, whose
// field for the way back is referer. A page of another site can't sign anybody in.
func (s *SignIn) ServePassword(w http.ResponseWriter, r *http.Request, client netip.Addr) Result {
	p, _, ok := s.byPassword()
	if !ok {
		return refuseMethod(w, map[string]func() Result{http.MethodGet: nil})
	}
	if Provenance(r, s.o.PublicURL, s.o.Origins) != SameSite {
		return s.fail(w, trouble{
			status: http.StatusForbidden, code: refusals.CrossOrigin, heading: "Not signed in", handler: p.name,
			text: "Only a page of this site can sign you in.", hint: "Use the form on the next page.", retry: s.loginURL(p.name, ""),
		})
	}
	form, err := readForm(w, r)
	if err != nil {
		return s.fail(w, trouble{
			status: http.StatusBadRequest, code: refusals.BadLoginForm, heading: "The form can't be read", handler: p.name,
			text: "A name and a password are due.", retry: s.loginURL(p.name, ""), err: err,
		})
	}
	returnTo := s.wayBack(form.back)
	grant, _, err := s.Grant(r.Context(), client, form.name, form.password)
	if err != nil {
		return s.notGranted(w, p, returnTo, err)
	}
	return s.start(w, r, p, &session.Attempt{Handler: p.name, ReturnTo: returnTo, Chosen: true}, grant.Login)
}

func (s *SignIn) notGranted(w http.ResponseWriter, p provider, returnTo string, err error) Result {
	rejected, _ := errors.AsType[*authhandlers.Rejection](err)
	over, _ := errors.AsType[*TooManyError](err)
	switch {
	case rejected != nil && rejected.Code == authhandlers.CodeWrongPassword:
		return s.showForm(w, p, returnTo, true)
	case rejected != nil:
		return s.rejected(w, p, returnTo, rejected)
	case over != nil:
		return s.tooMany(w, p, returnTo, &pace.Excess{Own: over.Own, Wait: over.Wait})
	case errors.Is(err, authhandlers.ErrBusy):
		return s.tooMany(w, p, returnTo, &pace.Excess{Wait: 5})
	}
	return s.notReached(w, p, returnTo, err)
}

type passwordForm struct{ name, password, back string }

// readForm reads exactly the fields that there are, each once.
func readForm(w http.ResponseWriter, r *http.Request) (f passwordForm, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || len(r.Header["Content-Type"]) != 1 {
		return f, errors.New("the body is no form")
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxPasswordBody)
	if err := r.ParseForm(); err != nil {
		return f, errors.New("the form is malformed, or too large")
	}
	for field, values := range r.PostForm {
		if len(values) != 1 {
			return f, errors.New("a field stands twice")
		}
		switch field {
		case "username":
			f.name = values[0]
		case "password":
			f.password = values[0]
		case page.ReturnParam, "referer":
			f.back = values[0]
		default:
			return f, errors.New("the form has a field that is not asked for")
		}
	}
	return f, CheckPassword(f.name, f.password)
}
