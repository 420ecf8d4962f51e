package jwt

import (
	"errors"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// How far a token is from one that is for this handler, by what is wrong with it.
const (
	otherClient = 1 + iota
	otherAudience
	otherAlgorithm
	otherWay // bearer tokens are not taken at all
)

// SharedIssuer implements authhandlers.Sibling.
func (h *handler) SharedIssuer() string { return h.identity.issuer }

// elsewhere marks the refusal of a token that is for another handler of the issuer.
func (h *handler) elsewhere(err error, t *keyset.Token, claims strictjson.Object) error {
	refused, ok := errors.AsType[*authhandlers.Rejection](err)
	if !ok {
		return err
	}
	marked := *refused
	marked.Elsewhere = h.distance(t, claims)
	return &marked
}

// distance goes by algorithm, audience and client alone. It is 0 for a token that is
// for this handler, and for one that no handler could take.
func (h *handler) distance(t *keyset.Token, claims strictjson.Object) int {
	if h.rules.Closed != nil {
		return otherWay
	}
	head, err := t.Header()
	switch {
	case err != nil:
		return 0
	case !slices.Contains(h.allowed, head.Algorithm):
		return otherAlgorithm
	}
	if far := h.balancer.distance(t.Members); far != 0 {
		return far
	}
	return h.claims.distance(claims)
}

func (j *judge) distance(claims strictjson.Object) int {
	audiences, clients := j.accepted(claims)
	aud, err := audience(claims, audiences)
	if err == nil {
		isID, wrong := j.tokenType(claims)
		err = client(claims, isID && wrong == nil, ownClients(audiences, aud), clients)
	}
	refused, _ := errors.AsType[*authhandlers.Rejection](err)
	switch {
	case refused == nil:
		return 0
	case refused.Code == authhandlers.CodeWrongAudience:
		return otherAudience
	case refused.Code == authhandlers.CodeClientNotAllowed:
		return otherClient
	}
	return 0
}
