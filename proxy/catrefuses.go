package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
)

var errCatRefuses = errors.New("the Cat refuses Catflap's credential for what the person may do; the reason is at /readyz")

// refusedByCat reports the Cat's own refusal of a credential, at an endpoint of its own
// that the policy has opened. A plugin may refuse anybody, and so may the Cat its own users: it knows before us
// what an administrator has taken from them.
func (ex *exchange) refusedByCat(resp *http.Response) bool {
	if resp.StatusCode != http.StatusForbidden || ex.user != nil && ex.h.o.Chain.CatAccount(ex.user) != "" || !ex.ofCat || ex.decision.Public || ex.decision.Route.Admin {
		return false
	}
	begun, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err == nil && cat.IsRefusal(begun) {
		_ = resp.Body.Close()
		return true
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begun), resp.Body), resp.Body}
	return false
}

// refuseCredential answers where Catflap let a person in and the Cat did not take its
// word. That is no fault of theirs.
func (ex *exchange) refuseCredential() *refusal {
	ex.h.o.Cats.Doubt(ex.upstream)
	return &refusal{
		status: http.StatusBadGateway, code: refusals.CatRefused, public: "The Cat refuses Catflap", rule: "cat",
		hint: "the operator finds the cause under the request id, and at /readyz", err: errCatRefuses,
	}
}
