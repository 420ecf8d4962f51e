package proxy

import (
	"net/http"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/upstream"
)

// Notes say what an operator should know although requests can be served: which of
// several Cats are down, and which of a Cat's default accounts are open. The texts hold no secrets.
func (h *Handler) Notes() []string {
	notes := h.o.Cats.Notes()
	for _, l := range h.o.Chain.Links() {
		if n, ok := l.Handler.(authhandlers.Noter); ok {
			if note := n.Note(); note != "" {
				notes = append(notes, "handler "+l.Name+": "+note)
			}
		}
	}
	return notes
}

// CatOf names a person's Cat of several; of one, it needs no name.
func (h *Handler) CatOf(id string) string {
	if u, err := h.o.Cats.Pick(id, false); err == nil {
		return h.o.Cats.Name(u)
	}
	return ""
}

// chooseCat finds the Cat that the request goes to.
func (ex *exchange) chooseCat() *refusal {
	var err error
	ex.upstream, err = ex.h.o.Cats.Pick(ex.identity(), ex.user == nil)
	if err != nil {
		return refuseCat(err)
	}
	ex.record.Cat = ex.h.o.Cats.Name(ex.upstream)
	return nil
}

// refuseCat answers a person whose Cat must not, or can't, be asked.
func refuseCat(err error) *refusal {
	if upstream.Forbidden(err) {
		return refuseNotReady(err)
	}
	return &refusal{
		status: http.StatusServiceUnavailable, code: refusals.CatDown, public: "Your Cat can't be reached", rule: "cat.failover",
		hint: "try again in a moment", err: err, retry: 5,
	}
}

// refuseNotReady answers while a Cat is open to strangers, or may be.
func refuseNotReady(err error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, code: refusals.NotReady, public: "Catflap is not ready", rule: "cat",
		hint: "the operator finds the reason at /readyz and in the log", err: err, retry: 5,
	}
}
