package signin

import (
	"net/http"
	"strconv"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/requestid"
	"github.com/catflap/catflap/proxy/page"
)

// Kind is what a page's request came to, for the audit log.
type Kind string

// The kinds.
const (
	Shown     Kind = "page"
	SignedIn  Kind = "signed_in"
	SignedOut Kind = "signed_out"
	Refused   Kind = "refused"
	Fault     Kind = "fault"
)

// Result is what a page's request came to. It holds no credential.
type Result struct {
	Kind      Kind
	Status    int
	Code      authhandlers.Code
	Reason    string
	User      *authhandlers.AuthUserInfo
	Handler   string
	RequestID string
	Err       error
}

// trouble is something that went wrong, and what the person can do.
type trouble struct {
	status  int
	code    authhandlers.Code
	heading string
	text    string
	hint    string
	handler string
	retry   string // the address of another try
	again   string // the same, where another try promises nothing
	wait    int    // seconds before it, if above 0
	err     error
	calm    bool // nothing is wrong: the person has chosen this
}

// fail shows the page of a trouble.
func (s *SignIn) fail(w http.ResponseWriter, t trouble) Result {
	res := Result{Kind: Refused, Status: t.status, Code: t.code, Handler: t.handler, RequestID: requestid.New(), Err: t.err}
	if t.status >= http.StatusInternalServerError {
		res.Kind = Fault
	}
	if t.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(t.wait))
	}
	s.o.Pages.Problem(w, t.status, page.Problem{
		Heading: t.heading, Text: t.text, Hint: t.hint, Code: string(t.code), RequestID: res.RequestID, RetryURL: t.retry, SignInURL: t.again, Calm: t.calm,
	})
	return res
}

// redirect sends the browser on. The address is our own, or the provider's.
func redirect(w http.ResponseWriter, to string) Result {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
	return Result{Kind: Shown, Status: http.StatusSeeOther}
}
