package jwt

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
)

// lasting returns the person with evidence: the token, in which the thumbprint of the
// key that has verified it stands in the place of the signature. Nobody can come in
// with that, and all that decides can be judged again.
func (h *handler) lasting(v *verified, token string) *authhandlers.AuthUserInfo {
	info := v.info
	signed := token[:strings.LastIndexByte(token, '.')+1]
	info.Evidence = h.carrier.mark() + signed + h.balancer.evidence(v.key.Thumbprint())
	return &info
}

// Rejudge implements authhandlers.Rejudger. What was asked for over the network when
// the token came, such as groups, stays as it was.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	evidence, err := h.carrier.unmark(u.Evidence)
	if err != nil {
		return nil, err
	}
	r, err := h.read(evidence, h.now())
	if errors.Is(err, authhandlers.ErrNoCredential) { // another issuer's, who may have the same people
		return nil, &authhandlers.Rejection{Code: authhandlers.CodeUnclaimed, Hint: "sign in again", Err: errors.New("the token is another issuer's"), Elsewhere: otherWay}
	}
	if err != nil {
		return nil, err
	}
	keys, err := h.keys.Present(r.head.KeyID, r.head.Algorithm)
	if err != nil && !errors.Is(err, keyset.ErrUnknownKey) {
		return nil, err // nobody knows yet
	}
	same := func(k *keyset.Key) bool { return bytes.Equal(k.Thumbprint(), r.token.Signature()) }
	if err != nil || !slices.ContainsFunc(keys, same) {
		return nil, reject(authhandlers.CodeUnknownKey, "the token is signed with a key that its issuer does not publish",
			"kid %s is no longer the issuer's, or another key's", quote(r.head.KeyID))
	}
	if h.rules.Complete != nil {
		r.info.Groups, r.info.Claims = u.Groups, u.Claims
	}
	h.compact(&r.info)
	return &r.info, nil
}

// Generation implements authhandlers.Rejudger.
func (h *handler) Generation() uint64 {
	h.keys.Poll(h.now())
	return h.keys.Generation()
}
