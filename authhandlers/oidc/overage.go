package oidc

import (
	"slices"

	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// elsewhere names the claims on which permissions hang and which are not in the token.
func (h *handler) elsewhere(claims strictjson.Object) (names []string) {
	return h.granting.Elsewhere(claims)
}

func tooManyGroups(why string) error { return jwt.TooManyGroups(why) }

// withGroups takes the claims that are elsewhere from what the userinfo endpoint or
// Graph says. Each of them must be there.
func (h *handler) withGroups(claims, more strictjson.Object) (strictjson.Object, error) {
	names := h.elsewhere(claims)
	if h.elsewhere(more) != nil {
		return nil, tooManyGroups("the provider's answer does not name the groups either")
	}
	for _, n := range names {
		if _, ok := more.Get(n); !ok {
			return nil, tooManyGroups("the provider's answer has no groups")
		}
	}
	own := slices.DeleteFunc(slices.Clone(claims), func(m strictjson.Member) bool { return slices.Contains(names, m.Name) })
	return merge(own, more), nil
}
