package proxy

import (
	"errors"
	"net/http"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
)

// shut returns why nothing may be forwarded now, whoever asks.
func (h *Handler) shut() error {
	if h.o.Cats != nil {
		return h.o.Cats.shut()
	}
	return h.o.Guard.Refuse()
}

func (h *Handler) catReady() error {
	if h.o.Cats != nil {
		return h.o.Cats.Ready()
	}
	return h.o.Guard.Ready()
}

// Notes say what an operator should know although requests can be served: which of
// several Cats are down, and which of a Cat's default accounts are open. The texts hold no secrets.
func (h *Handler) Notes() []string {
	notes := h.catNotes()
	for _, l := range h.o.Chain.Links() {
		if n, ok := l.Handler.(authhandlers.Noter); ok {
			if note := n.Note(); note != "" {
				notes = append(notes, "handler "+l.Name+": "+note)
			}
		}
	}
	return notes
}

func (h *Handler) catNotes() []string {
	if h.o.Cats != nil {
		return h.o.Cats.notes()
	}
	return h.o.Guard.Notes()
}

// upstreamOf is the way to the person's Cat; anyone means that any will do.
func (h *Handler) upstreamOf(id string, anyone bool) (*Upstream, error) {
	if h.o.Cats != nil {
		return h.o.Cats.pick(id, anyone)
	}
	return h.o.Upstream, nil
}

// CatOf names a person's Cat of several; of one, it needs no name.
func (h *Handler) CatOf(id string) string {
	if h.o.Cats == nil {
		return ""
	}
	if u, err := h.o.Cats.pick(id, false); err == nil {
		return u.name
	}
	return ""
}

// chooseCat finds the Cat that the request goes to.
func (ex *exchange) chooseCat() *refusal {
	var err error
	ex.upstream, err = ex.h.upstreamOf(ex.identity(), ex.user == nil)
	if err != nil {
		return refuseCat(err)
	}
	if ex.h.o.Cats != nil {
		ex.record.Cat = ex.upstream.name
	}
	return nil
}

// refuseCat answers a person whose Cat must not, or can't, be asked.
func refuseCat(err error) *refusal {
	if forbidden(err) {
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

// forbidden reports a Cat that was found open, or that nobody has looked at: one
// that must not be asked, whatever else could be done.
func forbidden(err error) bool {
	return errors.As(err, new(*cat.OpenError)) || errors.Is(err, cat.ErrNotProbed)
}
