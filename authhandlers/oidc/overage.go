package oidc

import (
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// elsewhere names the claims on which permissions hang and which are not in the
// token, since they were too large: _claim_names points to them (OpenID Connect Core
// §5.6.2, Entra ID), or hasgroups says so (Entra ID). Without this, somebody with many
// groups would be somebody without any.
func (h *handler) elsewhere(claims strictjson.Object) (names []string) {
	if v, ok := claims.Get("_claim_names"); ok {
		all, _ := v.Object()
		for _, n := range all {
			if slices.Contains(h.granting, n.Name) {
				names = append(names, n.Name)
			}
		}
	}
	v, _ := claims.Get("hasgroups")
	if has, _ := v.Bool(); (has || v.Text() == `"true"`) && slices.Contains(h.granting, "groups") {
		names = append(names, "groups")
	}
	return names
}

func tooManyGroups(why string) error {
	return reject(authhandlers.CodeGroupsOverage, "you are in more groups than your provider writes into a token; "+
		"have it limit them to those of this application, or use app roles instead", "%s", why)
}

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
