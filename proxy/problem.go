package proxy

import (
	"net/http"

	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/refusals"
)

// problem makes a page of a refusal. What a refusal says to programs in the words of
// the protocol is a detail there, and a person reads what it means.
func (ex *exchange) problem(ref *refusal) page.Problem {
	p := page.Problem{
		Heading: ref.public, Hint: ref.hint, Code: string(ref.code), RequestID: ex.record.RequestID,
		SignInURL: ref.loginURL, HomeURL: ex.homeURL(), Calm: ref.status == http.StatusNotFound,
	}
	switch ref.code {
	case refusals.BadRequestTarget:
		p.Heading, p.Text = "This address does not work", "It is not written as an address of this service can be."
		p.Hint, p.Detail, p.Calm = "Check the address for a slash too many, or for signs that do not belong to it.", ref.public, true
	case refusals.BadHandshake:
		p.Heading, p.Text = "This address is not a page", "Programs open a connection for the chat here."
		p.Hint, p.Detail, p.Calm = "Open the chat instead.", ref.public, true
	case refusals.BadCredential, refusals.BadRequestBody:
		p.Heading, p.Text = "Your browser sent something that can't be used", "Nothing was done."
		p.Hint, p.Detail = "Close this site's windows, open it again, and leave out what adds headers, such as an extension.", ref.public
	case refusals.TooManyHeaders:
		p.Heading, p.Text = "Your browser sent too much at once", "Nothing was done."
		p.Hint, p.Detail = "Delete the cookies of this site and try again.", ref.public
	}
	if ref.retry > 0 && ex.target.sent != "" {
		p.RetryURL = ex.address()
	}
	return p
}

// refuseNotFound answers at an address of ours where nothing is.
func refuseNotFound() *refusal {
	return &refusal{status: http.StatusNotFound, code: refusals.NotFound, public: "There is no such page", hint: "check the address"}
}
