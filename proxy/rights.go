package proxy

import (
	"errors"
	"net/http"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
)

// person is who u is at the Cat, with what the policy grants them.
func (h *Handler) person(u *authhandlers.AuthUserInfo) cat.Person {
	if u == nil {
		return cat.Person{ID: cat.AnonymousID}
	}
	p := cat.Person{ID: u.ID, Held: h.o.Policy.Held(u)}
	if account := h.o.Chain.CatAccount(u); account != "" {
		p.Account, p.Stored = account, h.o.Policy.Stored(u)
	} else {
		p.Account, p.Stored = h.o.People.account(u, h.o.Policy)
	}
	return p
}

// Rights are what the Cat may believe of somebody at their socket, for the hub:
// nothing if no service account fits.
func (h *Handler) Rights(u *authhandlers.AuthUserInfo) cat.Permissions {
	rights, err := h.o.Credentials.ChatRights(h.person(u))
	if err != nil {
		return 0
	}
	return rights
}

// refuseAccount answers a request that the policy allows, and for which there is no
// service account that has no more rights than the person.
func refuseAccount(err error) *refusal {
	hint := "the operator can add a service account"
	if missing, ok := errors.AsType[*cat.NoAccountError](err); ok {
		hint += ": " + missing.Missing()
	}
	return &refusal{
		status: http.StatusForbidden, code: refusals.NoServiceAccount, public: "You may not do this", rule: "cat.service_accounts", hint: hint, err: err,
	}
}
